"""Reports of a run: metrics.jsonl, TensorBoard events and plots."""

import collections
import json
import math
import pathlib
from collections.abc import Iterable, Sequence

import matplotlib.figure
import numpy as np
import tensorboardX

from astgan import atomic


class Writer:
  """Appends scalars and images to a run folder; plots the losses on closing.

  Attributes:
    lines: all lines of metrics.jsonl, as `read` returns them.

  Args:
    workdir: the run folder.
    resume_step: the step that the run resumes from. Lines of later steps are
      dropped, because the run writes them again; `None` keeps all lines.
  """

  def __init__(
    self, workdir: pathlib.Path, *, resume_step: int | None = None
  ) -> None:
    self._workdir = workdir
    path = workdir / "metrics.jsonl"
    lines = [
      line
      for line in read(workdir)
      if resume_step is None or line["step"] <= resume_step
    ]
    rewrite(workdir, lines)
    self.lines = lines
    self._file = path.open("a")
    self._events = tensorboardX.SummaryWriter(
      str(workdir),
      purge_step=None if resume_step is None else resume_step + 1,
    )

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
    self._file.write(json.dumps(line) + "\n")
    self._file.flush()
    self.lines.append(line)
    prefix = "".join(f"{label}/" for label in labels.values())
    for name, value in scalars.items():
      self._events.add_scalar(prefix + name, value, step)

  def image(self, name: str, step: int, image: np.ndarray) -> None:
    """Writes an image, uint8 [h, w, 3], for TensorBoard."""
    self._events.add_image(name, image, step, dataformats="HWC")

  def histogram(self, name: str, step: int, values: np.ndarray) -> None:
    """Writes the distribution of some values for TensorBoard."""
    self._events.add_histogram(name, values, step)

  def close(self) -> None:
    """Closes the files and plots losses.png."""
    self._file.close()
    self._events.close()
    draw_losses(self._workdir)


def read(workdir: pathlib.Path) -> list[dict]:
  """The lines of metrics.jsonl, without a last line that is truncated."""
  path = workdir / "metrics.jsonl"
  lines = []
  if path.exists():
    for text in path.read_text().splitlines():
      try:
        lines.append(json.loads(text))
      except json.JSONDecodeError:
        break
  return lines


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
    axes.plot(steps, values, label=name, linewidth=1)
  axes.set_xlabel("step")
  axes.set_ylabel("loss")
  axes.grid(alpha=0.3)
  if len(curves) <= 12:
    axes.legend()
  with atomic.replacing(workdir / "losses.png") as temporary:
    figure.savefig(temporary, dpi=120)
