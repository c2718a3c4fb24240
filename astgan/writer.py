"""Reports of a run: metrics.jsonl, TensorBoard events and plots."""

import collections
import contextlib
import json
import logging
import math
import os
import pathlib
import platform
import threading
import time
from collections.abc import Iterable, Sequence

import matplotlib.figure
import numpy as np
from tensorboardX import record_writer, summary
from tensorboardX.proto import event_pb2

from astgan import atomic, errors, locks

logger = logging.getLogger(__name__)

# Bins of all histograms, each a tenth wider than the one before.
_BINS = 1.1 ** np.arange(-290, 484)
_BINS = np.concatenate([-_BINS[::-1], [0], _BINS])


class Writer:
  """Appends scalars and images to a run folder; plots the losses on closing.

  Threads may share it.

  Attributes:
    lines: those of metrics.jsonl at the beginning, as `read` returns them, and
      its own.

  Args:
    workdir: the run folder.
    resume_step: the step that the run resumes from. Lines of later steps are
      dropped, because the run writes them again; `None` keeps all lines.
    shared: other processes write lines of their own at the same time.
  """

  def __init__(
    self,
    workdir: pathlib.Path,
    *,
    resume_step: int | None = None,
    shared: bool = False,
  ) -> None:
    self._workdir, self._shared = workdir, shared
    self._lock = threading.RLock()
    self.drop(after=math.inf if resume_step is None else resume_step)
    # Not a SummaryWriter, whose thread would meet a full disk by itself.
    origin = f"{int(time.time())}.{platform.node()}.{os.getpid()}"
    name = f"events.out.tfevents.{origin}"
    self._events = record_writer.RecordWriter(str(workdir / name))
    self._add_event(file_version="brain.Event:2")
    if resume_step is not None:
      start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
      self._add_event(step=resume_step + 1, session_log=start)

  def __enter__(self) -> "Writer":
    return self

  def __exit__(self, *exception: object) -> None:
    self.close()

  def write(self, step: int, scalars: dict[str, float], **labels: str) -> None:
    """Writes one line of scalars.

    Args:
      step: number of completed updates.
      scalars: values by path, such as `generator/loss`. Values that are not
        finite become null, because JSON cannot represent them.
      labels: the subject of the line, such as `image="harbour"`.
    """
    values = {
      name: float(value) if math.isfinite(value) else None
      for name, value in scalars.items()
    }
    line = {"step": int(step), **labels, **values}
    prefix = "".join(f"{label}/" for label in labels.values())
    path = self._workdir / "metrics.jsonl"
    with self._lock:
      with self._alone(), atomic.naming(path):
        _append(path, json.dumps(line) + "\n")
      self.lines.append(line)
      for name, value in scalars.items():
        shown = summary.scalar(prefix + name, value)
        self._add_event(step=step, summary=shown)

  def drop(self, *, after: float, **labels: str) -> None:
    """Drops the lines of later steps, which will be written again.

    Args:
      after: the last step that stays.
      labels: of the lines that are meant; all lines where there are none.
    """
    path = self._workdir / "metrics.jsonl"
    with self._lock, self._alone():
      text = path.read_bytes() if path.exists() else b""
      if not all(json.dumps(name).encode() in text for name in labels.values()):
        return
      self.lines = [
        line
        for line in read(self._workdir)
        if line["step"] <= after
        or any(line.get(name) != label for name, label in labels.items())
      ]
      rewrite(self._workdir, self.lines)

  def image(self, name: str, step: int, image: np.ndarray) -> None:
    """Writes an image, uint8 [h, w, 3], for TensorBoard."""
    shown = summary.image(name, image, dataformats="HWC")
    self._add_event(step=step, summary=shown)

  def histogram(self, name: str, step: int, values: np.ndarray) -> None:
    """Writes the distribution of some values for TensorBoard."""
    shown = summary.histogram(name, values, _BINS)
    self._add_event(step=step, summary=shown)

  def close(self) -> None:
    """Closes the events and plots losses.png."""
    with atomic.naming(self._workdir):
      self._events.close()
    with self._alone():
      draw_losses(self._workdir)

  def _alone(self):
    """Keeps other processes from metrics.jsonl, if there are any."""
    if not self._shared:
      return contextlib.nullcontext()
    return locks.held(self._workdir / "metrics.lock", quiet=True)

  def _add_event(self, **fields: object) -> None:
    event = event_pb2.Event(wall_time=time.time(), **fields)
    with self._lock, atomic.naming(self._workdir):
      self._events.write(event.SerializeToString())


def _append(path: pathlib.Path, line: str) -> None:
  """Adds a line, whole or not at all, after the last whole one."""
  # Opened for each, since another process may have replaced the file, and
  # unbuffered, so that nothing is left to write on closing.
  with path.open("ab+", buffering=0) as file:
    end = file.seek(0, os.SEEK_END)
    if end and os.pread(file.fileno(), 1, end - 1) != b"\n":
      end = path.read_bytes().rfind(b"\n") + 1
      file.truncate(end)
    data = line.encode()
    try:
      while data:
        data = data[file.write(data) :]
    except OSError:
      file.truncate(end)
      raise


def read(workdir: pathlib.Path) -> list[dict]:
  """The lines of metrics.jsonl; a last line that is truncated is left out.

  Raises:
    UserError: another line is damaged.
  """
  path = workdir / "metrics.jsonl"
  texts = path.read_bytes().splitlines() if path.exists() else []
  lines = []
  for number, text in enumerate(texts, start=1):
    line = parse(text)
    if line is not None:
      lines.append(line)
    elif number == len(texts):
      logger.warning(f"{path}: line {number}, the last, is damaged: left out")
    else:
      raise errors.UserError(
        f"{path}: line {number} is damaged; correct or delete that line"
      )
  return lines


def parse(text: bytes) -> dict | None:
  """A line of metrics.jsonl, or None if it is none."""
  try:
    line = json.loads(text)
  except ValueError:
    return None
  is_line = isinstance(line, dict) and isinstance(line.get("step"), int)
  return line if is_line else None


def rewrite(workdir: pathlib.Path, lines: Iterable[dict]) -> None:
  """Makes metrics.jsonl these lines, whole or not at all."""
  text = "".join(json.dumps(line) + "\n" for line in lines)
  atomic.write(workdir / "metrics.jsonl", text.encode())


def draw_metrics(workdir: pathlib.Path, names: Sequence[str]) -> None:
  """Plots metrics against steps in metrics.png, each in axes of its own.

  Args:
    workdir: the run folder.
    names: of the metrics. A dashed line is the value of `floor/NAME`, and the
      shade around NAME is as wide as NAME_std.
  """
  lines = read(workdir)
  shown = [name for name in names if not name.endswith("_std")]
  columns = math.ceil(len(shown) ** 0.5)
  rows = math.ceil(len(shown) / columns)
  figure = matplotlib.figure.Figure(
    figsize=(3.5 * columns, 2.5 * rows), layout="constrained"
  )
  for number, name in enumerate(shown, start=1):
    axes = figure.add_subplot(rows, columns, number)
    points = [
      (line["step"], line[name], line.get(f"{name}_std") or 0.0)
      for line in lines
      if line.get(name) is not None
    ]
    if points:
      steps, values, deviations = np.transpose(points)
      axes.plot(steps, values, marker=".", linewidth=1)
      axes.fill_between(
        steps, values - deviations, values + deviations, alpha=0.2
      )
    for line in lines:
      if line.get(f"floor/{name}") is not None:
        axes.axhline(line[f"floor/{name}"], linestyle="--", linewidth=1)
    axes.set_title(name, fontsize="small")
    axes.grid(alpha=0.3)
  with atomic.replacing(workdir / "metrics.png") as temporary:
    figure.savefig(temporary, dpi=100)


def legible(text: str) -> str:
  """A text as matplotlib shows it: without formulas, and never left out.

  Names of files may hold anything, and bytes that are no letters.
  """
  shown = text.encode(errors="replace").decode().replace("$", r"\$")
  return f" {shown}" if shown.startswith("_") else shown


def draw_losses(workdir: pathlib.Path) -> None:
  """Plots every key of metrics.jsonl that contains `loss` in losses.png."""
  curves = collections.defaultdict(list)
  for line in read(workdir):
    label = "".join(
      f"{value} " for value in line.values() if isinstance(value, str)
    )
    for name, value in line.items():
      if "loss" in name and value is not None:
        curves[label + name].append((line["step"], value))
  if not curves:
    return
  figure = matplotlib.figure.Figure(figsize=(9, 5), layout="constrained")
  axes = figure.subplots()
  # The content loss of a painting starts at 0, which has no logarithm.
  sizes = [y for points in curves.values() for _, y in points if y != 0]
  if sizes and min(sizes) > 0 and max(sizes) > 100 * min(sizes):
    axes.set_yscale("log", nonpositive="mask")
  for name, points in curves.items():
    steps, values = zip(*points, strict=True)
    axes.plot(steps, values, label=legible(name), linewidth=1)
  axes.set_xlabel("step")
  axes.set_ylabel("loss")
  axes.grid(alpha=0.3)
  if len(curves) <= 12:
    axes.legend()
  with atomic.replacing(workdir / "losses.png") as temporary:
    figure.savefig(temporary, dpi=120)
