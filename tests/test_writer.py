"""metrics.jsonl, losses.png and the events: written, truncated, continued."""

import json
import math
import resource

import numpy as np
import pytest
from PIL import Image

from astgan import errors, writer


def write(folder, steps, *, resume_step=None, **labels):
  with writer.Writer(folder, resume_step=resume_step) as log:
    for step in steps:
      log.write(step, {"generator/loss": 1 / step}, **labels)


def plot(folder, lines):
  """The pixels of losses.png for these scalars and labels."""
  folder.mkdir()
  with writer.Writer(folder) as log:
    for step, (scalars, labels) in enumerate(lines):
      log.write(step, scalars, **labels)
  with Image.open(folder / "losses.png") as plotted:
    assert plotted.size == (1080, 600)
    return plotted.tobytes()


def steps_in(folder):
  return [line["step"] for line in writer.read(folder)]


def test_a_line_holds_the_step_the_labels_and_the_scalars_at_once(tmp_path):
  assert writer.read(tmp_path) == []
  with writer.Writer(tmp_path) as log:
    log.write(4, {"generator/loss": 0.25}, image="harbour")
    text = (tmp_path / "metrics.jsonl").read_text()
  line = {"step": 4, "image": "harbour", "generator/loss": 0.25}
  assert (json.loads(text), text[-1]) == (line, "\n")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_not_finite_is_null_and_not_plotted(tmp_path, value):
  lines = [({"loss": y}, {}) for y in (1.0, value)]
  assert plot(tmp_path / "a", lines) == plot(tmp_path / "b", lines[:1])
  assert [line["loss"] for line in writer.read(tmp_path / "a")] == [1.0, None]


@pytest.mark.parametrize(
  ("resume_step", "steps"),
  [(None, [1, 2, 3, 4, 9]), (2, [1, 2, 9]), (0, [9])],
)
def test_lines_after_the_resumed_step_are_dropped(tmp_path, resume_step, steps):
  write(tmp_path, [1, 2, 3, 4])
  write(tmp_path, [9], resume_step=resume_step)
  assert steps_in(tmp_path) == steps


def test_a_truncated_last_line_is_named_and_dropped(tmp_path, caplog):
  write(tmp_path, [1, 2])
  path = tmp_path / "metrics.jsonl"
  path.write_text(path.read_text()[:-5])
  write(tmp_path, [3])
  assert steps_in(tmp_path) == [1, 3]
  assert len(caplog.records) == 1
  assert f"{path}: line 2, the last, is damaged" in caplog.text


@pytest.mark.parametrize("text", [b"\xff", b'{"stop": 1}', b"[]", b'{"step"'])
def test_a_damaged_line_among_others_is_named(tmp_path, text):
  path = tmp_path / "metrics.jsonl"
  path.write_bytes(b'{"step": 1}\n' + text + b'\n{"step": 3}\n')
  with pytest.raises(errors.UserError, match=r"metrics\.jsonl: line 2 is"):
    writer.read(tmp_path)


def test_a_full_disk_is_met_by_the_writing_thread_and_named(tmp_path):
  # A limit on the size of files stands for the end of the disk.
  unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
  try:
    with (
      pytest.raises(OSError, match=f"large: '{tmp_path}"),
      writer.Writer(tmp_path) as log,
    ):
      log.write(1, {"accuracy": 1.0})
      resource.setrlimit(resource.RLIMIT_FSIZE, (40, unlimited[1]))
      log.write(2, {"accuracy": 1.0})
  finally:
    resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
  assert steps_in(tmp_path) == [1]


def test_a_line_that_another_process_left_truncated_costs_no_other(tmp_path):
  with (
    writer.Writer(tmp_path, shared=True) as one,
    writer.Writer(tmp_path, shared=True) as other,
  ):
    one.write(1, {"accuracy": 1.0}, image="pier")
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(path.read_bytes() + b'{"step": 2, "ima')
    other.write(3, {"accuracy": 1.0}, image="bay")
    one.write(4, {"accuracy": 1.0}, image="pier")
    other.drop(after=1, image="pier")
  assert steps_in(tmp_path) == [1, 3]
  assert not (tmp_path / "metrics.lock").exists()


def test_scalars_that_are_not_losses_are_not_plotted(tmp_path):
  with writer.Writer(tmp_path) as log:
    log.write(1, {"accuracy": 1.0})
  assert not (tmp_path / "losses.png").exists()


def test_every_loss_of_every_label_is_a_curve_of_any_scale(tmp_path):
  losses = [{"loss": 10.0**k, "style/loss": 0.0} for k in range(4)]
  one = [(scalars, {"image": "a"}) for scalars in losses]
  two = [(scalars, {"image": "ab"[k % 2]}) for k, scalars in enumerate(losses)]
  assert plot(tmp_path / "one", one) != plot(tmp_path / "two", two)


@pytest.mark.parametrize("name", ["a $x_$ b", "caf\udce9", "_DSC0001", "_"])
def test_any_name_of_a_file_is_in_the_legend(name, tmp_path, recwarn):
  one = [({"loss": 1.0}, {"photograph": other}) for other in ("x", name)]
  two = [({"loss": 1.0}, {"photograph": other}) for other in ("x", name + "n")]
  assert plot(tmp_path / "one", one) != plot(tmp_path / "two", two)
  assert not recwarn.list


def test_events_hold_scalars_by_label_and_images(tmp_path):
  with writer.Writer(tmp_path) as log:
    log.write(1, {"generator/loss": 1.0}, image="harbour")
    log.image("samples", 1, np.zeros((4, 6, 3), np.uint8))
  (events,) = tmp_path.glob("*tfevents*")
  assert b"harbour/generator/loss" in events.read_bytes()
  assert b"samples" in events.read_bytes()


def test_events_hold_histograms(tmp_path):
  with writer.Writer(tmp_path) as log:
    log.histogram("discriminator/real_logits", 1, np.arange(4.0))
  (events,) = tmp_path.glob("*tfevents*")
  assert b"discriminator/real_logits" in events.read_bytes()


def test_metrics_are_plotted_with_their_floor(tmp_path):
  def plot(**floor):
    with writer.Writer(tmp_path) as log:
      log.write(0, floor)
      for step in (1, 2):
        log.write(step, {"kernel_9": 1.0 / step, "kernel_9_std": 0.1})
    writer.draw_metrics(tmp_path, ["kernel_9", "kernel_9_std"])
    with Image.open(tmp_path / "metrics.png") as plotted:
      return plotted.size, plotted.tobytes()

  without = plot()
  assert without[0] == (350, 250)
  assert plot(**{"floor/kernel_9": 0.2}) != without


def test_the_losses_are_plotted_after_an_exception_too(tmp_path):
  with pytest.raises(KeyError), writer.Writer(tmp_path) as log:
    log.write(1, {"loss": 1.0})
    raise KeyError
  assert (tmp_path / "losses.png").exists()
