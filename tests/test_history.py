"""What lines of metrics.jsonl say: the best evaluation, roll-backs, windows."""

import pytest

from astgan import history


def lines_of(name, *values):
  """One line each ten steps."""
  return [{"step": 10 * i, name: x} for i, x in enumerate(values, start=1)]


@pytest.mark.parametrize(
  ("name", "metric", "is_named"),
  [
    ("kernel_random_300", "kernel_random_300", True),
    ("kernel_random_300", "kernel_random", True),
    ("kernel_random_300", "kernel", True),
    ("kernel_vgg16_relu3_2k_seen", "kernel_vgg16_relu3", True),
    ("kernel_random_300_std", "kernel_random", False),
    ("kernel_randomly_300", "kernel_random", False),
    ("floor/kernel_random_300", "kernel_random", False),
  ],
)
def test_a_metric_is_named_by_its_first_words(name, metric, is_named):
  assert history.is_metric(name, metric) is is_named


@pytest.mark.parametrize(
  ("name", "expected"),
  [("kernel_random_9", (20, 1.0)), ("precision_random_9", (30, 4.0))],
)
def test_the_best_is_the_lowest_unless_more_is_better(name, expected):
  lines = lines_of(name, 3.0, 1.0, 4.0, 1.0)
  metric = name.removesuffix("_9")
  found = history.best(lines, metric, {10, 20, 30, 40})
  assert (found.step, found.value, found.name) == (*expected, name)


def test_the_best_is_among_the_steps_that_have_a_checkpoint():
  lines = lines_of("kernel_random_9", 3.0, 1.0, None, 2.0)
  assert history.best(lines, "kernel", {10, 30, 40}).step == 40
  assert history.best(lines, "kernel", {5, 30}) is None
  assert history.best(lines, "frechet", {10, 20}) is None


def test_values_of_the_newest_name_only_are_compared():
  lines = [
    {"step": 10, "kernel_random_300": 0.3, "kernel_random_300_std": 0.1},
    {"step": 20, "kernel_alexnet_300": 1.5, "kernel_alexnet_300_std": 0.2},
    {"step": 30, "kernel_alexnet_300": 0.6},
    {"step": 40},
  ]
  found = history.best(lines, "kernel", {10, 20, 30, 40})
  assert (found.step, found.name) == (30, "kernel_alexnet_300")
  seen = history.History(lines)
  assert seen.named("kernel") == [(20, 1.5), (30, 0.6)]
  assert seen.deviations("kernel") == [0.2]
  assert seen.named("frechet") == [] == seen.deviations("frechet")


def record(step, count, scale, *earlier):
  return {
    "step": step,
    "roll_back/reason": "the logits diverge",
    "roll_back/from": 99,
    "roll_back/count": count,
    "roll_back/learning_rate_scale": scale,
    **({"roll_back/earlier": [*earlier]} if earlier else {}),
  }


def test_the_last_roll_back_holds_all_before_it():
  assert history.roll_backs([{"step": 1}]) == (0, 0, 1.0, ())
  lines = [record(30, 1, 0.5), {"step": 40}, record(20, 2, 0.25, "step 9: b")]
  reasons = ("step 9: b", "step 99: the logits diverge")
  assert history.roll_backs(lines) == (2, 20, 0.25, reasons)


def test_alarms_are_the_steps_of_each_rule():
  lines = [
    {"step": step, "alarm/rule": rule, "alarm/reason": "why"}
    for step, rule in ((10, "a"), (10, "b"), (30, "a"))
  ]
  assert history.alarms([{"step": 10}, *lines]) == {"a": [10, 30], "b": [10]}
  assert history.History(lines).points == {}


def test_a_window_is_the_last_updates_once_there_are_so_many():
  seen = history.History(lines_of("x", 1.0, 2.0, 3.0))
  assert seen.window("x", 20) == [2.0, 3.0]
  assert seen.window("x", 30) == [1.0, 2.0, 3.0]
  assert seen.window("x", 40) == [] == seen.window("y", 1)


def test_a_window_starts_anew_after_a_roll_back():
  lines = lines_of("x", 1.0, 2.0)
  seen = history.History([*lines, record(20, 1, 0.5)])
  seen.append({"step": 30, "x": 3.0})
  assert (seen.window("x", 10), seen.window("x", 20)) == ([3.0], [])
  assert seen.points["x"] == [(10, 1.0), (20, 2.0), (30, 3.0)]


def test_values_that_were_not_finite_and_words_are_left_out():
  seen = history.History([{"step": 1, "x": None, "image": "a"}])
  assert seen.points == {}
