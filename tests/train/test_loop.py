"""The task `train`, of a system of one number, through the real loop."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from astgan import atomic, checkpoints, errors, main, sampling, writer
from astgan.data import pipeline
from astgan.systems import registry
from astgan.train import evaluators, loop, parallel, reporter
from tests.train import fake, tiny

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _registered(monkeypatch):
  monkeypatch.setitem(registry.SYSTEMS, "fake", fake.Fake)
  # Plots take half of a run's time; the run that is read draws them.
  monkeypatch.setattr(writer, "draw_losses", lambda workdir: None)


@pytest.fixture
def workdir(tmp_path):
  return tmp_path / "run"


def train(workdir, decoded, *evaluated, **changes):
  loop.train(
    fake.make_config(decoded, **changes), workdir, evaluators=evaluated
  )


@pytest.fixture(scope="module")
def whole(tmp_path_factory, decoded):
  """The run folder of a training that was never stopped; to be read."""
  workdir = tmp_path_factory.mktemp("runs") / "whole"
  every = evaluators.Evaluator(5, fake.number_of)
  with pytest.MonkeyPatch.context() as patch:
    patch.setitem(registry.SYSTEMS, "fake", fake.Fake)
    train(workdir, decoded, every)
  return workdir


def read_lines(workdir):
  text = (workdir / "metrics.jsonl").read_text()
  return [json.loads(line) for line in text.splitlines()]


def logged(workdir):
  """The steps whose losses were logged."""
  return [x["step"] for x in read_lines(workdir) if "number/loss" in x]


def names_in(folder):
  return {path.name for path in folder.iterdir()}


def assert_same_end(workdir, whole):
  tiny.assert_equal(
    tiny.read_checkpoint(workdir, fake.STEPS),
    tiny.read_checkpoint(whole, fake.STEPS),
  )


def test_a_run_is_what_its_batches_and_its_draws_make_of_it(whole, decoded):
  # In numpy: seven images, four a batch in steps 0 to 5, then two batches of
  # two; each image has a draw of its own.
  config = fake.make_config(decoded)
  images = pipeline.decode(config.data, at_least=4).array
  key = tiny.read_checkpoint(whole, 12)["key"]
  order, position, w = pipeline.Order(7, seed=0), 0, 0.0
  for step in range(fake.STEPS):
    size, factors = (4, [1]) if step < 6 else (2, [0.5, 1])
    for number, factor in enumerate(factors):
      batch = images[order.batch(position, size)] / 127.5 - 1
      keys, _ = parallel.turn_keys(key, step, number, jnp.arange(size))
      draws = [jax.random.normal(one) for one in keys]
      w += factor * 0.1 * (np.mean(batch) + np.mean(draws))
      position += size
  np.testing.assert_allclose(read_lines(whole)[-2]["number/loss"], w, rtol=1e-5)
  assert tiny.read_checkpoint(whole, 12)["extra"]["seen"] == 18


@pytest.mark.parametrize("moment", [0, 4_000_000_000])
def test_clocks_that_jump_change_nothing(
  workdir, whole, decoded, moment, monkeypatch
):
  # The newest file is older than all others, or of the next century.
  shutil.copytree(whole, workdir)
  shutil.rmtree(workdir / "checkpoints" / "12")
  (workdir / "lock").touch()
  newest = workdir / "checkpoints" / "8"
  for path in [newest, *newest.rglob("*"), *workdir.glob("*"), decoded]:
    os.utime(path, (moment, moment))
  monkeypatch.setattr(time, "time", lambda: float(moment))
  train(workdir, decoded)
  assert_same_end(workdir, whole)


@pytest.mark.parametrize("before", [0, 3, 9])
def test_chance_does_not_depend_on_the_devices(
  workdir, whole, decoded, one_device, before
):
  # The first steps on two devices, as all of them in the other run.
  if before:
    shutil.copytree(whole, workdir)
    for step in checkpoints.steps(workdir):
      if step > before:
        shutil.rmtree(workdir / "checkpoints" / str(step))
  with one_device():
    train(workdir, decoded)
  one, two = (
    [x["number/loss"] for x in read_lines(folder) if "number/loss" in x]
    for folder in (workdir, whole)
  )
  assert len(one) == 6
  np.testing.assert_allclose(one, two, rtol=1e-5)


def test_each_turn_of_each_phase_is_traced_once(workdir, decoded, monkeypatch):
  systems = []

  def make(config):
    systems.append(fake.Fake(config))
    return systems[-1]

  monkeypatch.setitem(registry.SYSTEMS, "fake", make)
  train(workdir, decoded)
  first, second = fake.Fake.phases
  assert systems[0].traced == [
    (first, "whole"), (second, "half"), (second, "whole")
  ]  # fmt: skip


def test_a_run_folder_holds_all_that_the_contract_names(whole):
  assert names_in(whole) > {
    *("config.json", "metrics.jsonl", "losses.png", "reals.png"),
    *("samples", "checkpoints", "images.json"),
  }
  assert any("tfevents" in name for name in names_in(whole))
  assert not [path for path in whole.rglob("*") if path.name[0] == "."]


def test_scalars_are_logged_when_they_are_due(whole, workdir, decoded):
  assert logged(whole) == [2, 4, 6, 8, 10, 12]
  seen = {}

  def look(state):
    seen[int(state.step)] = logged(workdir)
    return {}

  train(workdir, decoded, evaluators.Evaluator(1, look))
  assert seen[3] == [2] and seen[4] == [2, 4]


def test_evaluators_are_called_each_period_and_at_the_end(whole):
  lines = [line for line in read_lines(whole) if "number/value" in line]
  assert [line["step"] for line in lines] == [5, 10, 12]
  np.testing.assert_allclose(
    lines[-1]["number/value"], read_lines(whole)[-2]["number/loss"]
  )


def test_every_contact_sheet_is_drawn_each_period(whole):
  names = [f"step_{step:08d}" for step in (4, 8, 12)]
  assert names_in(whole / "samples") == {
    f"{name}{suffix}.png" for name in names for suffix in ("", "_reals")
  }
  # Four images of 16 pixels, two a row, two pixels between.
  with Image.open(whole / "samples" / "step_00000004.png") as sheet:
    assert sheet.size == (34, 34)
  with (
    Image.open(whole / "samples" / "step_00000004_reals.png") as sheet,
    Image.open(whole / "reals.png") as reals,
  ):
    assert sheet.tobytes() == reals.tobytes()


def test_the_last_step_is_logged_sampled_and_saved(workdir, decoded):
  periods = {"train__sample_every": 100, "train__save_every": 100}
  train(workdir, decoded, train__steps=5, train__log_every=4, **periods)
  assert logged(workdir) == [4, 5]
  assert names_in(workdir / "checkpoints") == {"5"}
  assert (workdir / "samples" / "step_00000005.png").exists()


def test_a_trained_system_is_sampled(whole, tmp_path):
  trained = sampling.load(whole, step="8")
  assert trained.step == 8
  grey = np.tanh(
    tiny.read_checkpoint(whole, 8)["networks"]["number"]["params"]["w"]
  )
  drawn = trained.generator.sample(jax.random.key(0), 2)
  np.testing.assert_allclose(drawn, np.full((2, 16, 16, 3), grey), rtol=1e-6)
  arguments = [f"--config.sample.run={whole}", "--config.sample.count=4"]
  page = f"--config={ROOT / 'configs' / 'sample.py'}"
  assert main.main([page, f"--workdir={tmp_path}", *arguments]) == 0
  assert (tmp_path / "samples" / "grid_00.png").exists()


@pytest.mark.parametrize("steps", [fake.STEPS, 7])
def test_a_finished_run_says_so_and_nothing_is_read_or_changed(
  whole, decoded, caplog, monkeypatch, steps
):
  def snapshot():
    return {path: path.stat().st_mtime_ns for path in whole.rglob("*")}

  before = snapshot()
  monkeypatch.setattr(pipeline, "decode", None)
  with caplog.at_level("INFO"):
    # Fewer checkpoints than it has, of which the best may be an early one.
    train(whole, decoded, train__steps=steps, train__max_to_keep=1)
  assert "is at step 12; raise config.train.steps" in caplog.text
  assert snapshot() == before


@pytest.mark.parametrize("steps", [4, 7])
def test_a_lengthened_run_ends_where_the_long_one_does(
  workdir, decoded, whole, steps
):
  train(workdir, decoded, train__steps=steps)
  train(workdir, decoded)
  assert_same_end(workdir, whole)


KILLED = ("1", "4", "6", "7", "11")


@pytest.fixture(scope="module")
def killed(tmp_path_factory, decoded):
  """A folder of runs named by the step after which they were killed."""
  folder = tmp_path_factory.mktemp("killed")
  command = [sys.executable, "-m", "tests.train.fake", folder, decoded]
  process = subprocess.run([*command, *KILLED], cwd=ROOT, capture_output=True)
  assert process.returncode == 0, process.stderr.decode()
  return folder


@pytest.mark.parametrize("step", KILLED)
def test_a_run_killed_in_any_phase_ends_as_one_that_was_not(
  killed, decoded, whole, step
):
  workdir = killed / step
  train(workdir, decoded)
  assert_same_end(workdir, whole)
  assert logged(workdir) == logged(whole)


@pytest.mark.parametrize(
  ("number", "step", "saved"),
  [(signal.SIGTERM, 6, {"4", "7"}), (signal.SIGINT, 3, {"4"})],
)
def test_a_signal_stops_the_run_saved_and_it_goes_on_the_same(
  workdir, decoded, whole, number, step, saved, caplog
):
  def act(state):
    if int(state.step) == step:
      os.kill(os.getpid(), number)
    return {}

  with caplog.at_level("INFO"):
    train(workdir, decoded, evaluators.Evaluator(1, act))
  # The signal came while files were written: the next step is the last.
  assert names_in(workdir / "checkpoints") == saved
  assert f"stopped by {number.name}" in caplog.text
  # Sheets are those that are due.
  assert names_in(workdir / "samples") == {
    f"step_00000004{suffix}.png" for suffix in ("", "_reals")
  }
  train(workdir, decoded)
  assert_same_end(workdir, whole)


def test_a_signal_does_not_interrupt_the_last_checkpoint(
  workdir, decoded, monkeypatch, caplog
):
  wait, calls = checkpoints.Checkpoints.wait, []

  def interrupted(self):
    calls.append(self)
    # The first call is that of the save.
    if len(calls) == 2:
      signal.raise_signal(signal.SIGINT)
    wait(self)

  monkeypatch.setattr(checkpoints.Checkpoints, "wait", interrupted)
  with caplog.at_level("INFO"):
    train(workdir, decoded, train__steps=4)
  assert len(calls) == 2
  assert names_in(workdir / "checkpoints") == {"4"}
  assert "stopped" not in caplog.text


def test_signals_are_handled_as_before_after_a_run(whole):
  assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
  assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_an_exception_loses_only_what_was_not_saved(workdir, decoded, whole):
  def stumble(state):
    if int(state.step) == 7:
      raise RuntimeError("the machine stumbled")
    return {}

  with pytest.raises(RuntimeError, match="stumbled"):
    train(workdir, decoded, evaluators.Evaluator(1, stumble))
  train(workdir, decoded)
  assert_same_end(workdir, whole)
  assert logged(workdir) == logged(whole)


def test_several_steps_a_call_are_as_many_of_one(workdir, decoded, whole):
  train(workdir, decoded, train__steps_per_call=4)
  assert logged(workdir) == logged(whole)
  tiny.assert_close(
    tiny.read_checkpoint(workdir, 12),
    tiny.read_checkpoint(whole, 12),
    rtol=1e-5,
  )


@pytest.fixture
def poisoned(monkeypatch):
  """The loss is not a number in the seventh step."""
  update = fake.Fake.update

  def poison(self, state, *arguments, **options):
    new, scalars = update(self, state, *arguments, **options)
    loss = scalars["number/loss"]
    return new, {"number/loss": jax.numpy.where(state.step == 6, np.nan, loss)}

  monkeypatch.setattr(fake.Fake, "update", poison)


def test_a_loss_that_is_not_finite_stops_the_run_at_once(
  workdir, decoded, poisoned
):
  with pytest.raises(FloatingPointError) as caught:
    train(workdir, decoded, train__log_every=100)
  assert "number/loss is nan at step 7" in str(caught.value)
  assert "last good checkpoint is step 4" in str(caught.value)
  *_, last, end = read_lines(workdir)
  assert (last["step"], last["number/loss"]) == (7, None)
  assert end == {"step": 7, "stop/reason": "number/loss is nan"}
  assert sampling.load(workdir).step == 4


def test_a_full_disk_stops_the_run_and_harms_no_checkpoint(
  workdir, decoded, monkeypatch
):
  save = checkpoints.Checkpoints.save

  def run_full(self, step, *saved):
    if step > 4:
      raise OSError(28, "No space left on device")
    save(self, step, *saved)

  monkeypatch.setattr(checkpoints.Checkpoints, "save", run_full)
  with pytest.raises(OSError, match="No space left"):
    train(workdir, decoded)
  assert sampling.load(workdir).step == 4


def test_other_images_than_the_run_began_with_are_refused(workdir, decoded):
  train(workdir, decoded, train__steps=1)
  atomic.write(workdir / "images.json", b"\xff")
  with pytest.raises(errors.UserError, match="another --workdir"):
    train(workdir, decoded)


def test_a_mistake_can_be_corrected_in_the_same_folder(workdir, decoded):
  with pytest.raises(errors.UserError, match="fewer"):
    train(workdir, decoded, data__count=3)
  train(workdir, decoded, train__steps=1)
  assert names_in(workdir / "checkpoints") == {"1"}


def test_lines_of_steps_after_the_checkpoint_are_written_anew(workdir, decoded):
  train(workdir, decoded, train__steps=4)
  with writer.Writer(workdir) as log:
    log.write(9, {"number/loss": 1.0})
  train(workdir, decoded, train__steps=6)
  assert logged(workdir) == [2, 4, 6]


@pytest.mark.parametrize(
  ("done", "last", "count", "expected"),
  [
    (10, False, 1, True),
    (11, False, 1, False),
    (11, True, 1, True),
    # 8 to 11 and 9 to 12 have 10 in them, 11 to 14 have not.
    (11, False, 4, True),
    (14, False, 4, False),
  ],
)
def test_it_is_time_where_a_multiple_of_the_period_was_passed(
  done, last, count, expected
):
  assert reporter.is_time(done, 10, last=last, count=count) is expected
