"""The task `train`: what a run writes, and that stopping changes nothing."""

import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import time

import jax.numpy as jnp
import pytest
from PIL import Image

from astgan import checkpoints, errors
from astgan.train import feed, loop, step
from tests.train import tiny


@pytest.fixture
def workdir(tmp_path):
  return tmp_path / "run"


def read_lines(workdir):
  text = (workdir / "metrics.jsonl").read_text()
  return [json.loads(line) for line in text.splitlines()]


def assert_same_end(workdir, trained, last=12):
  tiny.assert_equal(
    tiny.read_checkpoint(workdir, last), tiny.read_checkpoint(trained, last)
  )


def do_at(monkeypatch, number, act):
  """Calls `act` when the batch of that step is asked for."""
  unchanged = feed.Feed.next

  def act_and_go_on(self, step):
    if step == number:
      act()
    return unchanged(self, step)

  monkeypatch.setattr(feed.Feed, "next", act_and_go_on)


@pytest.mark.parametrize(
  ("done", "last", "count", "expected"),
  [
    (10, False, 1, True),
    (11, False, 1, False),
    (19, False, 1, False),
    (11, True, 1, True),
    # 8 to 11 and 9 to 12 have 10 in them, 11 to 14 have not.
    (11, False, 4, True),
    (12, False, 3, True),
    (14, False, 4, False),
    (10, False, 4, True),
  ],
)
def test_it_is_time_where_a_multiple_of_the_period_was_passed(
  done, last, count, expected
):
  assert loop.is_time(done, 10, last=last, count=count) is expected


def test_a_run_folder_holds_all_that_the_contract_names(trained):
  names = {path.name for path in trained.iterdir()}
  assert names >= {
    "config.json",
    "metrics.jsonl",
    "losses.png",
    "reals.png",
    "samples",
    "checkpoints",
  }
  assert any("tfevents" in name for name in names)


def test_a_run_leaves_no_temporary_files(trained):
  assert not [path for path in trained.rglob("*") if path.name[0] == "."]


def test_scalars_are_logged_each_period(trained):
  lines = read_lines(trained)
  assert [line["step"] for line in lines] == [2, 4, 6, 8, 10, 12]
  assert {"generator/loss", "discriminator/loss"} < set(lines[0])


def test_later_lines_tell_the_speed_and_the_wait_for_data(trained):
  last = read_lines(trained)[-1]
  assert last["images_per_second"] > 0
  assert 0 <= last["share_waiting_for_data"] <= 1


def test_sample_grids_are_drawn_each_period(trained):
  names = sorted(path.name for path in (trained / "samples").iterdir())
  assert names == [f"step_{step:08d}.png" for step in (4, 8, 12)]


def test_a_sample_grid_is_square(trained):
  # Four pictures of 32 pixels, two a row, two pixels between.
  with Image.open(trained / "samples" / "step_00000004.png") as grid:
    assert grid.size == (66, 66)


def test_sample_grids_show_the_same_latents(trained):
  # Twelve updates of 2e-4 change little; other latents would change all.
  first, last = (
    Image.open(trained / "samples" / f"step_{step:08d}.png").tobytes()
    for step in (4, 12)
  )
  differences = [abs(a - b) for a, b in zip(first, last, strict=True)]
  assert 0 < sum(differences) / len(differences) < 8


def test_the_overview_shows_real_pictures(trained):
  with Image.open(trained / "reals.png") as overview:
    assert overview.size == (66, 66)


def test_checkpoints_are_saved_each_period(trained):
  names = {path.name for path in (trained / "checkpoints").iterdir()}
  assert names == {"4", "8", "12"}


def test_the_last_step_is_logged_sampled_and_saved(workdir, decoded):
  periods = {
    "train__log_every": 4,
    "train__sample_every": 100,
    "train__save_every": 100,
  }
  loop.train(tiny.make_run_config(decoded, train__steps=5, **periods), workdir)
  assert [line["step"] for line in read_lines(workdir)] == [4, 5]
  assert (workdir / "samples" / "step_00000005.png").exists()
  assert (workdir / "checkpoints" / "5").is_dir()


def test_a_finished_run_says_so_and_does_nothing(trained, decoded, capsys):
  before = (trained / "metrics.jsonl").read_bytes()
  loop.train(tiny.make_run_config(decoded), trained)
  assert "raise config.train.steps" in capsys.readouterr().out
  assert (trained / "metrics.jsonl").read_bytes() == before


def test_a_lengthened_run_ends_where_the_long_one_does(
  workdir, decoded, trained
):
  loop.train(tiny.make_run_config(decoded, train__steps=4), workdir)
  loop.train(tiny.make_run_config(decoded), workdir)
  assert_same_end(workdir, trained)


def test_a_lengthened_run_keeps_the_late_step_that_it_began_with(
  workdir, decoded
):
  def config(steps):
    shared = {"train__real_label": 0.5, "train__save_every": 2}
    return tiny.make_run_config(
      decoded, train__steps=steps, train__late_step=steps // 2, **shared
    )

  loop.train(config(4), workdir)
  loop.train(config(6), workdir)
  loop.train(config(8), workdir)
  began = json.loads((workdir / "config.json").read_text())["train"]
  assert (began["steps"], began["late_step"]) == (8, 2)


def test_a_late_step_that_was_given_is_refused_in_a_run_with_another(
  trained, decoded
):
  config = tiny.make_run_config(decoded, train__steps=20, train__late_step=7)
  with pytest.raises(errors.UserError, match=r"train\.late_step: 6 -> 7"):
    loop.train(config, trained)


@pytest.mark.parametrize(
  ("field", "value"),
  [
    ("train__learning_rate", 1e-3),
    ("train__batch_size", 8),
    ("seed", 1),
    ("data__flip", True),
    ("model__slope", 0.3),
    ("train__ema", 0.9),
  ],
)
def test_a_changed_field_is_refused_and_named(trained, decoded, field, value):
  config = tiny.make_run_config(decoded, **{field: value})
  name = field.replace("__", r"\.")
  with pytest.raises(errors.UserError, match=f"{name}: .* -> {value}"):
    loop.train(config, trained)


@pytest.mark.parametrize(
  ("field", "value"),
  [
    ("train__log_every", 3),
    ("train__keep", 10),
    ("train__samples", 9),
    ("train__sample_every", 3),
    ("train__save_every", 3),
    ("paint__steps", 7),
    ("features__net", "vgg16"),
    ("sample__count", 3),
  ],
)
def test_a_field_that_only_reports_may_change(
  workdir, trained, decoded, field, value
):
  workdir.mkdir()
  config = tiny.make_run_config(decoded).to_dict()
  (workdir / "config.json").write_text(json.dumps(config))
  loop.runs.open_run(
    workdir,
    tiny.make_run_config(decoded, **{field: value}),
    free=loop.FREE,
  )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_run_saved_and_it_goes_on_the_same(
  workdir, decoded, trained, monkeypatch, capsys, number
):
  config = tiny.make_run_config(decoded)
  with monkeypatch.context() as patch:
    do_at(patch, 5, lambda: os.kill(os.getpid(), number))
    loop.train(config, workdir)
  # The update that had begun was made.
  assert {p.name for p in (workdir / "checkpoints").iterdir()} == {"4", "6"}
  assert f"stopped by {number.name}" in capsys.readouterr().out
  assert (workdir / "samples" / "step_00000006.png").exists()
  loop.train(config, workdir)
  assert_same_end(workdir, trained)


def test_a_signal_while_files_are_written_stops_the_run_saved(
  workdir, decoded, trained, monkeypatch
):
  config = tiny.make_run_config(decoded, train__save_every=8)
  draw_losses = loop.writer.draw_losses

  def draw_and_signal(folder):
    draw_losses(folder)
    if not (workdir / "samples" / "step_00000005.png").exists():
      os.kill(os.getpid(), signal.SIGTERM)

  with monkeypatch.context() as patch:
    # First with the samples of step 4.
    patch.setattr(loop.writer, "draw_losses", draw_and_signal)
    loop.train(config, workdir)
  assert {p.name for p in (workdir / "checkpoints").iterdir()} == {"5"}
  loop.train(config, workdir)
  assert_same_end(workdir, trained)


def test_signals_are_handled_as_before_after_a_run(trained):
  assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
  assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_an_exception_loses_only_what_was_not_saved(
  workdir, decoded, trained, monkeypatch
):
  def stumble():
    raise RuntimeError("the machine stumbled")

  config = tiny.make_run_config(decoded)
  with monkeypatch.context() as patch:
    do_at(patch, 7, stumble)
    with pytest.raises(RuntimeError, match="stumbled"):
      loop.train(config, workdir)
  loop.train(config, workdir)
  assert_same_end(workdir, trained)
  steps = [line["step"] for line in read_lines(workdir)]
  assert steps == [2, 4, 6, 8, 10, 12]


def test_a_run_killed_at_any_moment_ends_as_one_that_was_not(tmp_path, decoded):
  steps = 60
  command = [
    sys.executable,
    "-m",
    "astgan.main",
    "--config=configs/smoke.py",
    *(
      f"--config.{name}={value}"
      for name, value in {
        "compile_cache": "off",
        "data.cache": decoded,
        "data.count": 16,
        "model.width": 4,
        "train.steps": steps,
        "train.batch_size": 4,
        "train.log_every": 1,
        "train.sample_every": 60,
        "train.save_every": 5,
      }.items()
    ),
  ]
  killed, whole = tmp_path / "killed", tmp_path / "whole"
  root = pathlib.Path(__file__).parents[2]

  def start(workdir):
    return subprocess.Popen(
      [*command, f"--workdir={workdir}"], cwd=root, stderr=subprocess.PIPE
    )

  process = start(killed)
  until = random.randrange(6, steps - 5)
  metrics = killed / "metrics.jsonl"
  while process.poll() is None and (
    not metrics.exists() or metrics.read_bytes().count(b"\n") < until
  ):
    time.sleep(0.001)
  time.sleep(random.uniform(0, 0.02))
  process.kill()
  process.communicate()
  assert process.returncode == -signal.SIGKILL
  for workdir in (killed, whole):
    process = start(workdir)
    _, told = process.communicate()
    assert process.returncode == 0, told.decode()
  tiny.assert_equal(
    tiny.read_checkpoint(killed, steps), tiny.read_checkpoint(whole, steps)
  )
  lines = [line["step"] for line in read_lines(killed)]
  assert lines == list(range(1, steps + 1)), f"killed after line {until}"


@pytest.fixture
def poisoned(monkeypatch):
  """The generator's loss is not a number in the seventh update."""
  make_update = step.make_update

  def make_poisoned(*arguments, **options):
    update = make_update(*arguments, **options)

    def poisoned(old, *batch):
      new, scalars = update(old, *batch)
      loss = jnp.where(old.step == 6, jnp.nan, scalars["generator/loss"])
      return new, scalars | {"generator/loss": loss}

    return poisoned

  monkeypatch.setattr(step, "make_update", make_poisoned)


def test_a_loss_that_is_not_finite_stops_the_run(workdir, decoded, poisoned):
  with pytest.raises(FloatingPointError) as caught:
    loop.train(tiny.make_run_config(decoded), workdir)
  assert "generator/loss is nan at step 7" in str(caught.value)
  assert "last good checkpoint is step 4" in str(caught.value)
  assert checkpoints.load_generator(workdir).step == 4


def test_a_loss_that_is_not_finite_is_logged_as_null(
  workdir, decoded, poisoned
):
  with pytest.raises(FloatingPointError):
    loop.train(tiny.make_run_config(decoded), workdir)
  last = read_lines(workdir)[-1]
  assert (last["step"], last["generator/loss"]) == (7, None)


def test_a_run_that_diverged_at_once_has_no_good_checkpoint(workdir, decoded):
  config = tiny.make_run_config(decoded, train__learning_rate=1e30)
  with pytest.raises(FloatingPointError, match="checkpoint is none"):
    loop.train(config, workdir)


def test_a_full_disk_stops_the_run_and_harms_no_checkpoint(
  workdir, decoded, monkeypatch
):
  save = checkpoints.Checkpoints.save

  def run_full(self, step, state):
    if step > 4:
      raise OSError(28, "No space left on device")
    save(self, step, state)

  monkeypatch.setattr(checkpoints.Checkpoints, "save", run_full)
  with pytest.raises(OSError, match="No space left"):
    loop.train(tiny.make_run_config(decoded), workdir)
  assert checkpoints.load_generator(workdir).step == 4


def test_other_pictures_than_the_run_began_with_are_refused(
  workdir, decoded, trained
):
  workdir.mkdir()
  facts = {"count": 15, "sha256": "another"}
  (workdir / "pictures.json").write_text(json.dumps(facts) + "\n")
  with pytest.raises(errors.UserError, match="another --workdir"):
    loop.train(tiny.make_run_config(decoded), workdir)


def test_pictures_that_were_refused_can_be_mended_in_the_same_folder(
  workdir, decoded, trained
):
  config = tiny.make_run_config(decoded, data__count=3)
  with pytest.raises(errors.UserError, match="fewer"):
    loop.train(config, workdir)
  loop.train(tiny.make_run_config(decoded), workdir)
  assert_same_end(workdir, trained)


def test_a_run_with_a_running_mean_samples_it(workdir, decoded):
  config = tiny.make_run_config(decoded, train__ema=0.9, train__steps=4)
  loop.train(config, workdir)
  saved = tiny.read_checkpoint(workdir, 4)
  generator = checkpoints.load_generator(workdir)
  tiny.assert_equal(generator.variables["params"], saved["ema"])


def test_several_updates_a_call_log_and_save_the_same_steps(
  workdir, decoded, trained
):
  config = tiny.make_run_config(decoded, train__steps_per_call=4)
  loop.train(config, workdir)
  assert [line["step"] for line in read_lines(workdir)] == [2, 4, 6, 8, 10, 12]
  tiny.assert_close(
    tiny.read_checkpoint(workdir, 12)["generator"]["params"],
    tiny.read_checkpoint(trained, 12)["generator"]["params"],
    rtol=1e-3,
  )
