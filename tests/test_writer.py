"""metrics.jsonl, losses.png and the events, written, cut and continued."""

import json
import math

import numpy as np
import pytest
from PIL import Image

from astgan import writer


def write(folder, steps, *, resume_step=None, **labels):
  with writer.Writer(folder, resume_step=resume_step) as log:
    for step in steps:
      log.write(step, {"generator/loss": 1 / step}, **labels)


def read_steps(folder):
  text = (folder / "metrics.jsonl").read_text()
  return [json.loads(line)["step"] for line in text.splitlines()]


def test_a_line_holds_the_step_the_labels_and_the_scalars(tmp_path):
  write(tmp_path, [4], picture="harbour")
  text = (tmp_path / "metrics.jsonl").read_text()
  line = {"step": 4, "picture": "harbour", "generator/loss": 0.25}
  assert json.loads(text) == line
  assert text.endswith("\n")


def test_a_line_is_there_as_soon_as_it_is_written(tmp_path):
  with writer.Writer(tmp_path) as log:
    log.write(1, {"loss": 1.0})
    assert read_steps(tmp_path) == [1]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_not_finite_is_null(tmp_path, value):
  with writer.Writer(tmp_path) as log:
    log.write(1, {"loss": value})
  assert json.loads((tmp_path / "metrics.jsonl").read_text())["loss"] is None


def test_another_writer_appends(tmp_path):
  write(tmp_path, [1, 2])
  write(tmp_path, [3])
  assert read_steps(tmp_path) == [1, 2, 3]


def test_lines_after_the_step_that_is_resumed_are_dropped(tmp_path):
  write(tmp_path, [1, 2, 3, 4])
  write(tmp_path, [3], resume_step=2)
  assert read_steps(tmp_path) == [1, 2, 3]


def test_a_run_begun_anew_drops_all_lines(tmp_path):
  write(tmp_path, [1, 2])
  write(tmp_path, [5], resume_step=0)
  assert read_steps(tmp_path) == [5]


def test_a_last_line_that_was_cut_off_is_dropped(tmp_path):
  write(tmp_path, [1, 2])
  path = tmp_path / "metrics.jsonl"
  path.write_text(path.read_text()[:-5])
  write(tmp_path, [2])
  assert read_steps(tmp_path) == [1, 2]


def test_there_are_no_lines_before_the_first(tmp_path):
  assert writer.read(tmp_path) == []


def test_losses_are_drawn_at_the_end(tmp_path):
  write(tmp_path, [1, 2, 3])
  with Image.open(tmp_path / "losses.png") as drawn:
    assert drawn.size == (1080, 600)


def test_nothing_is_drawn_of_scalars_that_are_no_losses(tmp_path):
  with writer.Writer(tmp_path) as log:
    log.write(1, {"accuracy": 1.0})
  assert not (tmp_path / "losses.png").exists()


def drawn(folder, lines):
  folder.mkdir()
  with writer.Writer(folder) as log:
    for step, scalars, labels in lines:
      log.write(step, scalars, **labels)
  with Image.open(folder / "losses.png") as picture:
    return picture.tobytes()


def test_each_loss_of_each_picture_is_a_curve_of_its_own(tmp_path):
  losses = {"loss": 1.0, "style/loss": 0.5}
  one = [(1, losses, {"picture": "a"}), (2, losses, {"picture": "a"})]
  two = [*one, (1, losses, {"picture": "b"}), (2, losses, {"picture": "b"})]
  assert drawn(tmp_path / "one", one) != drawn(tmp_path / "two", two)


def test_a_missing_value_does_not_stop_the_drawing(tmp_path):
  lines = [(1, {"loss": 1.0}, {}), (2, {"loss": math.nan}, {})]
  assert drawn(tmp_path / "run", lines)


def test_losses_of_many_sizes_are_drawn(tmp_path):
  lines = [(step, {"loss": 10.0**step}, {}) for step in range(6)]
  assert drawn(tmp_path / "run", lines)


def test_events_hold_scalars_and_pictures(tmp_path):
  with writer.Writer(tmp_path) as log:
    log.write(1, {"generator/loss": 1.0})
    log.image("samples", 1, np.zeros((4, 6, 3), np.uint8))
  (events,) = tmp_path.glob("*tfevents*")
  assert b"generator/loss" in events.read_bytes()
  assert b"samples" in events.read_bytes()


def test_events_of_a_picture_s_scalars_are_told_apart(tmp_path):
  write(tmp_path, [1], picture="harbour")
  (events,) = tmp_path.glob("*tfevents*")
  assert b"harbour/generator/loss" in events.read_bytes()


def test_files_are_closed_and_drawn_after_an_exception_too(tmp_path):
  def stumble():
    with writer.Writer(tmp_path) as log:
      log.write(1, {"loss": 1.0})
      raise RuntimeError

  with pytest.raises(RuntimeError):
    stumble()
  assert (tmp_path / "losses.png").exists()
