"""The charts of a sweep: curves, and the errors of paintings as bars."""

import math
import pathlib
import re
import textwrap
from collections.abc import Sequence

import matplotlib.figure
import matplotlib.lines

from astgan import atomic, writer
from astgan.sweep import outcome

# The losses of a painting that errors.png compares.
ERRORS = ("content/loss", "style/loss")

_LINES = ("-", "--", ":", "-.")
# Letters in the width of a panel, and inches of height for each line of them.
_LETTERS = 72
_LINE = 0.16
# Letters in a line beside a bar.
_BESIDE = 44


def label(setting: str, letters: int) -> str:
  """What a painting is called in drawings: in lines of at most that length."""
  text = (
    re.sub(r"paint\.|['\"]|,(?=\))", "", setting)
    .replace(",", ", ")
    .replace("=(", " (")
  )
  return textwrap.fill(" ".join(text.split()), letters)


def curves(
  path: pathlib.Path, results: Sequence[outcome.Result], names: Sequence[str]
) -> None:
  """A panel a scalar, a colour a setting, a line a seed and photograph."""
  if not names:
    return
  across = min(3, math.ceil(len(names) ** 0.5))
  rows = -(-len(names) // across)
  labels = {
    setting: writer.legible(label(setting, _LETTERS * across))
    for setting in outcome.by_setting(results)
  }
  looks = {setting: _look(number) for number, setting in enumerate(labels)}
  lines = sum(text.count("\n") + 1 for text in labels.values())
  figure = matplotlib.figure.Figure(
    figsize=(5 * across, 3 * rows + 0.4 + _LINE * lines), layout="constrained"
  )
  panels = figure.subplots(rows, across, squeeze=False).ravel()
  for panel in panels[len(names) :]:
    panel.set_axis_off()
  for panel, name in zip(panels, names, strict=False):
    found = [result for result in results if result.curves.get(name)]
    for result in found:
      points = zip(*result.curves[name], strict=True)
      panel.plot(*points, **looks[result.run.setting])
    # The content loss of a painting starts at 0, which has no logarithm.
    sizes = [y for r in found for _, y in r.curves[name] if y != 0]
    if "loss" in name and sizes and 0 < 100 * min(sizes) < max(sizes):
      panel.set_yscale("log", nonpositive="mask")
    panel.set_title(name, fontsize=9)
    panel.grid(alpha=0.3)
  figure.legend(
    handles=[
      matplotlib.lines.Line2D([], [], label=text, **looks[setting])
      for setting, text in labels.items()
    ],
    loc="outside lower left",
    fontsize=8,
  )
  with atomic.replacing(path) as temporary:
    figure.savefig(temporary, dpi=110)


def errors(path: pathlib.Path, results: Sequence[outcome.Result]) -> None:
  """The content and the style loss of each setting, as bars.

  Each is divided by the largest of its kind, because they have no common unit.
  """
  groups = outcome.by_setting(results)
  ends = {
    name: [outcome.mean(group, name) for group in groups.values()]
    for name in ERRORS
  }
  largest = {
    name: max(filter(math.isfinite, values), default=0.0)
    for name, values in ends.items()
  }
  if not all(largest.values()):
    return
  labels = [writer.legible(label(setting, _BESIDE)) for setting in groups]
  lines = len(labels) * max(2, *(text.count("\n") + 1 for text in labels))
  figure = matplotlib.figure.Figure(
    figsize=(9, 1.2 + _LINE * lines), layout="constrained"
  )
  axes = figure.subplots()
  for number, (name, values) in enumerate(ends.items()):
    axes.barh(
      [place + 0.4 * number for place in range(len(values))],
      [value / largest[name] for value in values],
      height=0.36,
      label=f"{name}, 1 is {largest[name]:.3g}",
    )
  axes.set_yticks([n + 0.2 for n in range(len(labels))], labels, fontsize=8)
  axes.invert_yaxis()
  axes.grid(alpha=0.3, axis="x")
  figure.legend(loc="outside upper right", ncols=2, fontsize=8)
  with atomic.replacing(path) as temporary:
    figure.savefig(temporary, dpi=110)


def _look(number):
  """How the curves of a setting look."""
  style = _LINES[number // 10 % len(_LINES)]
  return {"color": f"C{number % 10}", "linestyle": style, "linewidth": 1}
