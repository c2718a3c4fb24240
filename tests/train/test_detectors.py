"""The rules, on curves of trainings that failed and of healthy ones."""

import math

import numpy as np
import pytest

from astgan import history
from astgan.systems import gan_losses
from astgan.train import detectors, metric_rules
from configs import common
from tests.train import tiny

LIMITS = common.detection()
METRIC = "frechet_random"


def simulate(steps=2000, every=10, **curves):
  """The history of a run whose scalars are functions of the step.

  Names have `__` for `/`, and d and g for the networks, as in `b_d__loss`.
  """
  networks = {
    prefix + short: prefix + name
    for prefix in ("", "b_")
    for short, name in (("d", "discriminator"), ("g", "generator"))
  }
  seen = history.History()
  for step in range(every, steps + 1, every):
    line = {"step": step}
    for name, curve in curves.items():
      network, _, rest = name.partition("__")
      if rest:
        name = f"{networks[network]}/{rest}"
      line[name] = float(curve(step) if callable(curve) else curve)
    seen.append(line)
  return seen


def found(seen, **changes):
  limits = common.detection()
  limits.update(changes)
  return set(detectors.detect(seen, limits, metric=METRIC))


def evaluate(**values):
  """The history of evaluations each 500 steps."""
  seen = history.History()
  for number, row in enumerate(zip(*values.values(), strict=True)):
    seen.append(
      {"step": 500 * (number + 1)} | dict(zip(values, row, strict=True))
    )
  return seen


noise = np.random.default_rng(0).standard_normal(100_000)

PINNED = {"d__real_accuracy": 1, "d__fake_accuracy": 1}
FAKE = {"d__fake_logit": 0}
SURE = {"d__real_logit": 9, "d__fake_logit": -9}


@pytest.mark.parametrize(
  ("curves", "expected"),
  [
    (PINNED | SURE, "pinned_discriminator"),
    (
      {"d__real_logit": lambda s: math.exp(s / 200), "d__fake_logit": 0},
      "diverging_logits_of_discriminator",
    ),
    ({"g__gradient_norm": 0}, "dead_generator"),
    ({"g__gradient_norm": 1e-9}, "dead_generator"),
    ({"d__gradient_norm": 0}, "dead_discriminator"),
    # A painter's, three times what it was for the whole of the window.
    (
      {"g__loss": lambda s: 6 + noise[s] + 12 * (s > 1000)},
      "diverging_generator",
    ),
    # A gap that swings around a mean beyond the margin.
    (
      PINNED | {"d__real_logit": lambda s: 12 + 4 * (-1) ** (s // 10)} | FAKE,
      "pinned_discriminator",
    ),
    # Of every system, whatever its networks are called.
    ({"encoder/gradient_norm": 0}, "dead_encoder"),
    (
      {f"b_{name}": x for name, x in (PINNED | SURE).items()},
      "pinned_b_discriminator",
    ),
    (
      {"b_d__real_accuracy": 1, "b_d__fake_accuracy": 0},
      "blind_b_discriminator",
    ),
    (
      {"b_d__real_logit": lambda s: math.exp(s / 200), "b_d__fake_logit": 0},
      "diverging_logits_of_b_discriminator",
    ),
    (
      {"d__real_accuracy": 1, "d__fake_accuracy": 0},
      "blind_discriminator",
    ),
    (
      {"d__real_accuracy": 0, "d__fake_accuracy": 1},
      "blind_discriminator",
    ),
  ],
)
def test_a_failure_is_found_after_its_patience_and_not_before(curves, expected):
  assert found(simulate(**curves)) == {expected}
  if not expected.startswith("diverging"):
    assert found(simulate(steps=LIMITS.patience - 10, **curves)) == set()
    assert found(simulate(steps=LIMITS.patience, **curves)) == {expected}


@pytest.mark.parametrize(
  "curves",
  [
    # Undecided, as the theory has it.
    {"d__real_accuracy": 0.5, "d__fake_accuracy": 0.5},
    # Right but for one image in a thousand lines of 64.
    {
      "d__real_accuracy": lambda s: 1 - (s % 500 == 0) / 64,
      "d__fake_accuracy": 1,
      "d__real_logit": 12,
      "d__fake_logit": -12,
    },
    # Always right, and not sure of it.
    PINNED | {"d__real_logit": 3, "d__fake_logit": -3},
    # A critic: any offset, a gap that rises to the distance and falls again.
    {
      "d__real_logit": lambda s: 5000 + 200 * (s / 300) * math.exp(-s / 300),
      "d__fake_logit": 5000,
      "d__gradient_norm": 1e-3,
    },
    # A critic at the start: the gap doubles all the time, from next to nothing.
    {
      "d__real_logit": lambda s: min(150, 2 ** (s / 150 - 9)),
      "d__fake_logit": 0,
    },
    # Large logits that do not grow.
    {"d__real_logit": lambda s: 3000 + noise[s], "d__fake_logit": 0},
    # Gradients that come back.
    {"g__gradient_norm": lambda s: 1.0 * (s % 400 == 0)},
    {"g__gradient_norm": 1e-5, "d__gradient_norm": 1e-5},
    # A painter's loss that falls, with batches half as hard again.
    {"g__loss": lambda s: 5 + 20 * math.exp(-s / 300) + noise[s]},
    # One that came back from a jump.
    {"g__loss": lambda s: 6 + 30 * (1000 < s <= 1800)},
    # A generator that loses against its discriminator.
    {"g__loss": lambda s: 1 + s / 300, "d__loss": lambda s: 1 / (1 + s)},
    # An objective below 0.
    {"g__loss": lambda s: -1.0 + (s > 1000)},
    # No scalar of a GAN at all.
    {"loss": 1.0},
  ],
)
def test_a_healthy_curve_is_left_alone(curves):
  for steps in range(500, 4001, 500):
    assert found(simulate(steps=steps, **curves)) == set()


@pytest.mark.parametrize(
  ("name", "values", "expected"),
  [
    # Collapsed late, and constant from the start.
    ("diversity_random_9", [0.5, 0.9] + 5 * [0.08], {"low_diversity"}),
    ("diversity_random_9", 5 * [0.0], {"low_diversity"}),
    # Jitter.
    ("diversity_random_9", [0.05, 0.06, 0.05, 0.06, 0.05], {"low_diversity"}),
    (
      "diversity_random_9",
      [0.041, 0.058, 0.052, 0.04, 0.061],
      {"low_diversity"},
    ),
    # The start of a healthy training rises, not always steadily.
    ("diversity_random_9", [0.02, 0.05, 0.04, 0.07, 0.06], set()),
    ("diversity_random_9", [0.01, 0.03, 0.05, 0.07, 0.09], set()),
    # A least-squares training that came back.
    (
      "diversity_random_9",
      [0.14, 0.59, 0.23, 0.13, 0.18, 0.69, 0.69, 0.81],
      set(),
    ),
    # StudioGAN's: 49 at 42,000 steps, 137 at 200,000.
    ("frechet_random_9", [250.0, 49, 99, 110, 119, 125, 137], {"past_best"}),
    # Swings of healthy trainings, the last one of hinge loss.
    ("frechet_random_9", [250.0, 49, 60, 55, 70, 62, 66, 60], set()),
    ("frechet_random_9", [757.0, 593, 1119, 777, 777, 914, 1100, 950], set()),
    # Worse four times, and better again.
    ("frechet_random_9", [250.0, 49, 137, 137, 137, 137, 60, 137], set()),
  ],
)
def test_metrics_tell_collapse_copies_and_a_best_long_past(
  name, values, expected
):
  for count in range(1, len(values)):
    assert found(evaluate(**{name: values[:count]})) in (set(), expected)
  assert found(evaluate(**{name: values})) == expected


def test_a_collapse_is_found_through_a_fifth_of_noise():
  for run in noise[:2000].reshape(100, 20):
    values = 0.05 * (1 + 0.2 * run)
    assert any(
      found(evaluate(diversity_random_9=values[:count]))
      for count in range(LIMITS.evaluations, 11)
    )


@pytest.mark.parametrize(
  ("authenticity", "diversity", "expected"),
  [
    (0.04, 0.9, {"memorisation"}),
    (0.45, 0.9, set()),
    # Smooth early images of a Wasserstein training.
    (0.06, 0.15, set()),
  ],
)
def test_copies_are_as_diverse_as_what_they_copy(
  authenticity, diversity, expected
):
  seen = evaluate(
    authenticity_random_9=5 * [authenticity],
    diversity_random_9=5 * [diversity],
  )
  assert found(seen) == expected


@pytest.mark.parametrize(
  ("deviation", "is_past"), [(0.01, True), (0.02, False)]
)
def test_a_metric_near_zero_is_judged_by_its_own_deviation(deviation, is_past):
  seen = evaluate(
    kernel_random_9=[0.4, -0.001, 0.03, 0.03, 0.03, 0.03, 0.03],
    kernel_random_9_std=7 * [deviation],
  )
  reason = metric_rules.past_best(seen, LIMITS, "kernel_random")
  assert (reason is not None) == is_past


def test_a_metric_of_which_more_is_better_is_past_its_best_when_it_falls():
  seen = evaluate(coverage_random_9=[0.1, 0.8] + 5 * [0.2])
  reason = metric_rules.past_best(seen, LIMITS, "coverage_random")
  assert "0.2 after 0.8" in reason
  seen = evaluate(coverage_random_9=[0.1, 0.8] + 5 * [0.5])
  assert metric_rules.past_best(seen, LIMITS, "coverage_random") is None


def test_every_network_of_features_is_watched():
  def both(*of_nets):
    values = {}
    for net, (diversity, authenticity) in zip("ab", of_nets, strict=True):
      values[f"diversity_{net}_9"] = 5 * [diversity]
      values[f"authenticity_{net}_9"] = 5 * [authenticity]
    return values

  collapsed, copied, healthy = (0.05, 0.6), (0.9, 0.04), (0.9, 0.5)
  assert found(evaluate(**both(healthy, healthy))) == set()
  for failed, rule in ((collapsed, "low_diversity"), (copied, "memorisation")):
    assert found(evaluate(**both(healthy, failed))) == {rule}
    assert found(evaluate(**both(failed, healthy))) == {rule}
  # Low in the one network, diverse in the other: no copies by either.
  assert "memorisation" not in found(evaluate(**both((0.2, 0.04), healthy)))


def test_evaluations_before_a_roll_back_count_as_the_best_only():
  seen = evaluate(frechet_random_9=[9.0, 1.0, 5.0, 5.0])
  seen.append({"step": 2000, "roll_back/from": 2400})
  for step in range(2500, 5000, 500):
    assert found(seen) == set()
    seen.append({"step": step, "frechet_random_9": 5.0})
  assert found(seen) == {"past_best"}


@pytest.mark.parametrize(
  ("field", "curves"),
  [
    ("logit_margin", PINNED | SURE),
    ("gradient_norm", {"g__gradient_norm": 0, "d__gradient_norm": 0}),
    (
      "logit_gap",
      {"d__real_logit": lambda s: math.exp(s / 200), "d__fake_logit": 0},
    ),
    ("loss_factor", {"g__loss": lambda s: 6 + 12 * (s > 1000)}),
    ("patience", {"d__real_accuracy": 1, "d__fake_accuracy": 0}),
  ],
)
def test_a_threshold_of_zero_switches_a_rule_off(field, curves):
  seen = simulate(**curves)
  assert found(seen) and found(seen, **{field: 0}) == set()


def test_a_loss_diverges_when_its_jump_has_lasted_for_the_patience():
  curves = {"g__loss": lambda s: 6 + 12 * (s > 1000)}
  for steps in (1000, 1500, 1700):
    assert found(simulate(steps=steps, **curves)) == set()
  assert found(simulate(steps=2000, **curves)) == {"diverging_generator"}
  assert found(simulate(steps=5000, **curves)) == {"diverging_generator"}


@pytest.mark.parametrize(
  ("loss", "gap"),
  [
    ("nonsaturating", 10),
    ("minimax", 10),
    ("least_squares", 0.8),
    ("hinge", 2),
  ],
)
def test_every_loss_has_a_margin_of_its_own(loss, gap):
  scale = gan_losses.LOSSES[loss].margin_scale
  margin = LIMITS.logit_margin * scale
  for factor, expected in ((1.1, {"pinned_discriminator"}), (0.9, set())):
    seen = simulate(**PINNED, d__real_logit=factor * gap, d__fake_logit=0)
    assert found(seen, logit_margin=margin) == expected


METRICS = (
  "sliced_wasserstein_9",
  "diversity_random_9",
  "authenticity_random_9",
)


@pytest.mark.parametrize(
  ("changes", "metrics", "told"),
  [
    ({}, METRICS, []),
    ({"log_every": 250}, METRICS, ["train.log_every=250: the losses"]),
    # A fifth evaluation is that of the last step.
    ({"steps": 2001}, METRICS, []),
    ({"steps": 2000}, METRICS, ["train.evaluate_every=500: the metrics"]),
    ({"steps": 2000}, (), []),
    ({}, METRICS[:1], ["collapsed diversity", "memorisation"]),
    ({}, METRICS[:2], ["memorisation is not noticed, which takes authen"]),
  ],
)
def test_what_no_rule_can_notice_is_told(changes, metrics, told):
  config = tiny.make_config(train__steps=5000, train__log_every=200)
  config.train.update(evaluate_every=500, **changes)
  said = detectors.unwatched(config, metrics)
  assert len(said) == len(told)
  assert all(x in y for x, y in zip(told, said, strict=True))
  # What is switched off is not told.
  config.detectors.update(patience=0, diversity=0, authenticity=0)
  if config.train.steps > 2000:
    assert detectors.unwatched(config, metrics) == []


@pytest.mark.parametrize(
  ("rule", "expected"),
  [("pinned_discriminator", 1000), ("past_best", 999), ("memorisation", 999)],
)
def test_what_a_rule_looks_at_begins_after_the_last_healthy_step(
  rule, expected
):
  seen = evaluate(frechet_random_9=(1.0, 5.0, 5.0, 5.0))
  limits = common.detection()
  limits.update(patience=1000, evaluations=3)
  found = detectors.last_healthy(rule, seen, limits, step=2000, metric=METRIC)
  assert found == expected


def test_lines_far_apart_do_not_make_a_window():
  seen = simulate(steps=3000, every=500, g__gradient_norm=0)
  assert found(seen) == set()
  assert found(seen, patience=3000) == {"dead_generator"}
