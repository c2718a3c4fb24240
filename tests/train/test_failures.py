"""What a run does about failures made on purpose, through the real loop."""

import json
import pathlib
import shutil
import signal
import subprocess
import sys

import jax.numpy as jnp
import numpy as np
import pytest

from astgan import checkpoints, errors, history, sampling, writer
from astgan.systems import registry
from astgan.train import evaluators, failures, loop, report
from tests.train import fake, tiny

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _registered(monkeypatch):
  monkeypatch.setitem(registry.SYSTEMS, "fake", fake.Failing)
  # Plots take half of a run's time; the run that is read draws them.
  monkeypatch.setattr(writer, "draw_losses", lambda workdir: None)


@pytest.fixture
def workdir(tmp_path):
  return tmp_path / "run"


def train(workdir, decoded, *evaluated, **changes):
  config = fake.make_failing_config(decoded, **changes)
  loop.train(config, workdir, evaluators=evaluated)


def read_lines(workdir):
  text = (workdir / "metrics.jsonl").read_text()
  return [json.loads(line) for line in text.splitlines()]


def records(workdir):
  return [x for x in read_lines(workdir) if "roll_back/from" in x]


def steps_saved(workdir):
  return {int(path.name) for path in (workdir / "checkpoints").iterdir()}


def scale_at(workdir, step):
  return float(tiny.read_checkpoint(workdir, step)["learning_rate_scale"])


def rate(*values):
  """An evaluator each four steps whose metric at step 4 is the first value."""

  def evaluate(state):
    return {"sliced_wasserstein_9": values[int(state.step) // 4 - 1]}

  return evaluators.Evaluator(4, evaluate)


@pytest.fixture(scope="module")
def warned(tmp_path_factory, decoded):
  """The run folder of a run that was warned of its failure; to be read."""
  workdir = tmp_path_factory.mktemp("runs") / "warned"
  with pytest.MonkeyPatch.context() as patch:
    patch.setitem(registry.SYSTEMS, "fake", fake.Failing)
    train(workdir, decoded, train__on_failure="warn")
  return workdir


def alarms(workdir):
  return [x for x in read_lines(workdir) if "alarm/rule" in x]


def test_a_warning_is_one_line_once_and_the_run_goes_on(
  workdir, decoded, caplog
):
  with caplog.at_level("INFO"):
    train(workdir, decoded, train__on_failure="warn")
  warnings = [r for r in caplog.records if r.levelname == "WARNING"]
  (line,) = [r.getMessage() for r in warnings]
  assert line.startswith("step 11: the generator is dead")
  assert scale_at(workdir, 16) == 1 and records(workdir) == []
  (alarm,) = alarms(workdir)
  assert (alarm["step"], alarm["alarm/rule"]) == (11, "dead_generator")
  assert line == f"step 11: {alarm['alarm/reason']}"
  assert "; alarms: dead_generator at step 11; newest" in last_line(caplog)


class Killed(BaseException):
  pass


@pytest.mark.parametrize("calls", [0, 1])
def test_killed_around_an_alarm_a_run_ends_as_one_that_was_not(
  workdir, decoded, monkeypatch, warned, calls
):
  write = writer.Writer.write

  def kill(self, step, scalars, **labels):
    if not labels or calls:
      write(self, step, scalars, **labels)
    if labels:
      raise Killed

  with monkeypatch.context() as patch, pytest.raises(Killed):
    patch.setattr(writer.Writer, "write", kill)
    train(workdir, decoded, train__on_failure="warn")
  assert len(alarms(workdir)) == calls
  train(workdir, decoded, train__on_failure="warn")
  assert_same(workdir, warned)


def test_an_alarm_before_a_kill_is_not_raised_again(workdir, decoded, warned):
  shutil.copytree(warned, workdir)
  shutil.rmtree(workdir / "checkpoints" / "16")
  train(workdir, decoded, train__on_failure="warn")
  assert_same(workdir, warned)


def test_a_stop_says_why_and_saves_nothing_of_the_failure(workdir, decoded):
  with pytest.raises(errors.TrainingFailure) as caught:
    train(workdir, decoded, train__on_failure="stop")
  told = str(caught.value)
  assert "the generator is dead" in told and "at step 11" in told
  assert f"--config.paint.style={workdir}" in told and "\n" not in told
  assert steps_saved(workdir) == {4, 8}
  *_, alarm, end = read_lines(workdir)
  assert alarm["alarm/rule"] == "dead_generator"
  assert end == {"step": 11, "stop/reason": alarm["alarm/reason"]}
  # Started again it stops again; told to, it goes on.
  with pytest.raises(errors.TrainingFailure):
    train(workdir, decoded, train__on_failure="stop")
  assert read_lines(workdir)[-2:] == [alarm, end]
  train(workdir, decoded, train__on_failure="roll_back")
  assert steps_saved(workdir) == {4, 8, 12, 16}
  assert all("stop/reason" not in x for x in read_lines(workdir))


@pytest.fixture(scope="module")
def rolled_back(tmp_path_factory, decoded):
  """The run folder of a run that was rolled back once; to be read."""
  workdir = tmp_path_factory.mktemp("runs") / "rolled_back"
  with pytest.MonkeyPatch.context() as patch:
    patch.setitem(registry.SYSTEMS, "fake", fake.Failing)
    train(workdir, decoded)
  return workdir


def test_a_roll_back_goes_to_the_newest_healthy_checkpoint_with_lower_rates(
  rolled_back,
):
  # The generator was dead from step 7 on, which is noticed at 11.
  (record,) = records(rolled_back)
  assert record["step"] == 4 and record["roll_back/from"] == 11
  assert record["roll_back/count"] == 1
  assert "generator is dead" in record["roll_back/reason"]
  scales = [scale_at(rolled_back, step) for step in (4, 8, 12, 16)]
  assert scales == [1, 0.5, 0.5, 0.5]
  steps = [x["step"] for x in read_lines(rolled_back)]
  assert steps == [*range(1, 5), 4, *range(5, 17)]


def test_the_updates_after_a_roll_back_are_those_of_the_lower_rates(
  workdir, decoded, rolled_back
):
  # The updates of the system do not depend on its number.
  train(workdir, decoded, train__on_failure="warn")
  whole, lower = (
    np.diff(
      [
        tiny.read_checkpoint(run, step)["networks"]["number"]["params"]["w"]
        for step in (8, 16)
      ]
    )
    for run in (workdir, rolled_back)
  )
  np.testing.assert_allclose(lower, whole / 2, rtol=1e-4)


def test_a_roll_back_goes_to_the_best_checkpoint_if_one_was_evaluated(
  workdir, decoded
):
  metric = rate(1.0, 2.0, 3.0, 4.0)
  train(workdir, decoded, metric, train__max_to_keep=1)
  assert [x["step"] for x in records(workdir)] == [4]
  assert sampling.load(workdir, step="best").step == 4
  assert steps_saved(workdir) == {4, 16}


class Saved(checkpoints.Checkpoints):
  """Whole checkpoints of these steps, without files."""

  steps = ()

  def __init__(self, *steps):
    self.steps = steps

  def wait(self):
    pass

  def check(self, step):
    return step in self.steps

  def delete_after(self, step):
    self.steps = tuple(s for s in self.steps if s <= step)


@pytest.mark.parametrize(
  ("healthy", "evaluated", "expected"),
  [
    (1200, {}, 1000),
    (1600, {}, 1500),  # 1550 is of a signal.
    (1200, {500: 0.3, 1000: 0.4, 1500: 0.1}, 500),
    (300, {1000: 0.1}, 500),
  ],
)
def test_a_roll_back_goes_to_before_the_failure_began(
  tmp_path, healthy, evaluated, expected
):
  config = tiny.make_config(train__save_every=500)
  config.train.on_failure = "roll_back"
  lines = [
    {"step": step, "sliced_wasserstein_9": value}
    for step, value in evaluated.items()
  ]
  writer.rewrite(tmp_path, lines)
  saved = Saved(500, 1000, 1500, 1550, 2000)
  failure = failures.Failure(2200, "it diverges", healthy=healthy)
  failures.answer(failure, config, tmp_path, saved)
  assert saved.steps[-1] == expected
  assert records(tmp_path)[-1]["step"] == expected


def test_a_roll_back_keeps_the_reasons_of_those_that_it_goes_behind(tmp_path):
  config = tiny.make_config(train__save_every=500)
  config.train.on_failure = "roll_back"
  saved = Saved(500, 1000, 1500)
  for step, reason, healthy in ((1600, "a", 1500), (1700, "b", 700)):
    failure = failures.Failure(step, reason, healthy=healthy)
    failures.answer(failure, config, tmp_path, saved)
  assert [x["step"] for x in records(tmp_path)] == [500]
  made = history.roll_backs(writer.read(tmp_path))
  assert made.reasons == ("step 1600: a", "step 1700: b")
  assert "0.25 (step 1600: a; step 1700: b); " in report.summary(
    config, tmp_path, saved.steps
  )


def test_what_no_rule_can_notice_is_told_at_the_start(workdir, decoded, caplog):
  config = tiny.make_run_config(decoded, train__steps=1, train__log_every=250)
  config.train.evaluate_every = 1
  config.evaluate.update(count=8, nets=(), metrics=("sliced_wasserstein",))
  config.detectors.evaluations = 1
  loop.train(config, workdir)
  for told in (
    "=250: the losses are not",
    "collapsed diversity is not noticed",
  ):
    assert told in caplog.text


def test_without_a_checkpoint_the_run_starts_anew(workdir, decoded):
  train(workdir, decoded, train__save_every=100)
  assert [x["step"] for x in records(workdir)] == [0]
  assert scale_at(workdir, 16) == 0.5


@pytest.mark.parametrize("count", [0, 2])
def test_after_so_many_roll_backs_a_failure_stops_the_run(
  workdir, decoded, monkeypatch, count
):
  monkeypatch.setattr(fake.Failing, "cured_below", 0.0)
  with pytest.raises(errors.TrainingFailure) as caught:
    train(workdir, decoded, train__steps=24, train__max_roll_backs=count)
  told = "roll-backs: 2, learning rates times 0.25 (step 11: the"
  assert (told in str(caught.value)) == (count == 2)
  assert "stop/reason" in read_lines(workdir)[-1]
  assert [x["roll_back/count"] for x in records(workdir)] == [1, 2][:count]
  scales = [x["roll_back/learning_rate_scale"] for x in records(workdir)]
  assert scales == [0.5, 0.25][:count]


def test_a_value_that_is_not_finite_rolls_back_as_well(
  workdir, decoded, monkeypatch
):
  update = fake.Failing.update

  def poison(self, state, *arguments, **options):
    new, scalars = update(self, state, *arguments, **options)
    bad = (state.step == 9) & (state.learning_rate_scale == 1)
    loss = jnp.where(bad, jnp.nan, scalars["number/loss"])
    return new, scalars | {"number/loss": loss}

  monkeypatch.setattr(fake.Failing, "update", poison)
  train(workdir, decoded)
  (record,) = records(workdir)
  assert (record["step"], record["roll_back/from"]) == (8, 10)
  assert record["roll_back/reason"] == "number/loss is nan"


def assert_same(workdir, whole):
  for step in (4, 8, 12, 16):
    tiny.assert_equal(
      tiny.read_checkpoint(workdir, step), tiny.read_checkpoint(whole, step)
    )
  timed = ("images_per_second", "share_waiting_for_data")
  # An evaluator that measures nothing writes the step alone.
  lines, others = (
    [
      {k: v for k, v in x.items() if k not in timed}
      for x in read_lines(run)
      if len(x) > 1
    ]
    for run in (workdir, whole)
  )
  assert lines == others


@pytest.mark.parametrize("calls", [0, 1])
@pytest.mark.parametrize(
  ("place", "name"),
  [
    (checkpoints.Checkpoints, "delete_after"),
    (writer, "rewrite"),
  ],
)
def test_killed_in_a_roll_back_a_run_ends_as_one_that_was_not(
  workdir, decoded, monkeypatch, rolled_back, place, name, calls
):
  original = getattr(place, name)

  def kill(*arguments):
    # Lines are rewritten at every start as well.
    if name == "rewrite" and "roll_back/from" not in str(arguments):
      return original(*arguments)
    if calls:
      original(*arguments)
    raise Killed

  with monkeypatch.context() as patch, pytest.raises(Killed):
    patch.setattr(place, name, kill)
    train(workdir, decoded)
  train(workdir, decoded)
  assert_same(workdir, rolled_back)


@pytest.mark.parametrize("step", [10, 15])
def test_killed_around_a_roll_back_a_run_ends_as_one_that_was_not(
  workdir, decoded, rolled_back, step
):
  def kill(state):
    if int(state.step) == step and len(records(workdir)) == (step > 10):
      raise Killed
    return {}

  watch = evaluators.Evaluator(100, kill)
  with pytest.raises(Killed):
    train(workdir, decoded, watch._replace(every=1))
  train(workdir, decoded)
  assert_same(workdir, rolled_back)


def test_killed_while_a_checkpoint_is_deleted_a_run_ends_the_same(
  workdir, decoded, tmp_path
):
  # With one that is kept, that of step 4 is deleted when 8 is saved.
  whole = tmp_path / "whole"
  train(whole, decoded, train__max_to_keep=1)
  code = (
    "import os, shutil, signal, pathlib, sys\n"
    "from astgan.train import loop\n"
    "from astgan.systems import registry\n"
    "from tests.train import fake\n"
    "registry.SYSTEMS['fake'] = fake.Failing\n"
    "shutil.rmtree = lambda path: os.kill(os.getpid(), signal.SIGKILL)\n"
    "config = fake.make_failing_config(sys.argv[2], train__max_to_keep=1)\n"
    "loop.train(config, pathlib.Path(sys.argv[1]))\n"
  )
  command = [sys.executable, "-c", code, workdir, decoded]
  killed = subprocess.run(command, cwd=ROOT, capture_output=True)
  assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
  train(workdir, decoded, train__max_to_keep=1)
  tiny.assert_equal(
    tiny.read_checkpoint(workdir, 16), tiny.read_checkpoint(whole, 16)
  )


def test_a_run_stopped_by_a_signal_rolls_back_to_the_same_step(
  workdir, decoded, rolled_back
):
  def act(state):
    if int(state.step) == 8:
      signal.raise_signal(signal.SIGTERM)
    return {}

  # Step 9 is saved, but only every fourth is gone back to.
  train(workdir, decoded, evaluators.Evaluator(8, act))
  assert steps_saved(workdir) == {4, 8, 9}
  train(workdir, decoded)
  tiny.assert_equal(
    tiny.read_checkpoint(workdir, 16), tiny.read_checkpoint(rolled_back, 16)
  )


def last_line(caplog):
  lines = [r for r in caplog.records if r.name.startswith("astgan")]
  return lines[-1].getMessage()


def test_the_last_line_of_a_run_says_how_it_ended(workdir, decoded, caplog):
  with caplog.at_level("INFO"):
    train(workdir, decoded)
  last = last_line(caplog)
  assert last.startswith(f"{workdir}: finished; step 16")
  assert (
    "; roll-backs: 1, learning rates times 0.5 (step 11: the generator is dead:"
    " its gradient norm has been below 1e-08 for 5 updates); newest checkpoint"
    " 16" in last
  )
  assert last.endswith("--config.paint.style_step=newest")


def test_the_last_line_names_the_best_checkpoint_and_its_metric(
  workdir, decoded, caplog
):
  with caplog.at_level("INFO"):
    metric = rate(4.0, 1.0, 3.0, 2.0)
    train(workdir, decoded, metric, train__on_failure="warn")
  assert "best checkpoint 8 (sliced_wasserstein_9 1)" in last_line(caplog)
  assert last_line(caplog).endswith("--config.paint.style_step=best")


PINNED = {
  "discriminator/real_accuracy": 1.0,
  "discriminator/fake_accuracy": 1.0,
  "discriminator/real_logit": 20.0,
  "discriminator/fake_logit": -20.0,
}


@pytest.mark.parametrize(
  ("scalars", "metrics", "told"),
  [
    (PINNED, {}, "the discriminator is pinned"),
    (
      {
        "discriminator/real_logit": "exploding",
        "discriminator/fake_logit": 0.0,
      },
      {},
      "the logits of the discriminator diverge",
    ),
    ({"generator/gradient_norm": 0.0}, {}, "the generator is dead"),
    ({"discriminator/gradient_norm": 0.0}, {}, "the discriminator is dead"),
    (
      {"discriminator/real_accuracy": 0.0, "discriminator/fake_accuracy": 1.0},
      {},
      "the discriminator is blind",
    ),
    ({}, {"diversity_random_9": 0.01}, "the diversity collapsed"),
    (
      {},
      {"authenticity_random_9": 0.01, "diversity_random_9": 1.0},
      "the generator memorises",
    ),
    ({}, {"sliced_wasserstein_9": "rising"}, "is past its best"),
    ({"number/loss": "infinite"}, {}, "number/loss is nan"),
  ],
)
def test_a_failure_made_on_purpose_stops_the_run(
  workdir, decoded, monkeypatch, scalars, metrics, told
):
  update = fake.Fake.update

  def fail(self, state, *arguments, **options):
    new, reported = update(self, state, *arguments, **options)
    step = new.step.astype("float32")
    values = {"exploding": 1e3 * 2**step, "infinite": jnp.log(5.5 - step)}
    for name, value in scalars.items():
      reported[name] = values.get(value, value) * jnp.ones(())
    return new, reported

  def measure(state):
    rising = float(state.step)
    return {
      name: rising if value == "rising" else value
      for name, value in metrics.items()
    }

  monkeypatch.setattr(fake.Failing, "update", fail)
  with pytest.raises((errors.TrainingFailure, FloatingPointError)) as caught:
    train(
      workdir,
      decoded,
      *([evaluators.Evaluator(1, measure)] if metrics else []),
      train__on_failure="stop",
    )
  assert told in str(caught.value) and "\n" not in str(caught.value)
  # The failure came at step 5 to 7, and no later state was saved.
  assert steps_saved(workdir) <= {1, 4}
