"""What the runs of a sweep came to: a table, curves and a contact sheet."""

import collections
import json
import math
import pathlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import matplotlib.figure
import matplotlib.lines
import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

from astgan import atomic, history, writer
from astgan.data import images
from astgan.sweep import plan

# Scalars of a run that say how fast it was and not how well.
_SPEEDS = ("images_per_second", "seconds_per_step")
# Rows of a contact sheet that stand for a run, and the lines' height.
_ROWS = 2
_CAPTION = 18


class Result(NamedTuple):
  """One run.

  Attributes:
    run: as it was planned.
    ended: done, failed, stopped, or waiting.
    seconds: that it took in all.
    curves: points (step, value) by scalar.
  """

  run: plan.Run
  ended: str
  seconds: float
  curves: dict[str, list[tuple[int, float]]]

  def end(self, name: str) -> float:
    """The mean of the last tenth of a curve; NaN where there is none."""
    values = [value for _, value in self.curves.get(name, [])]
    last = values[-max(1, len(values) // 10) :]
    return float(np.mean(last)) if last else math.nan


def collect(
  planned: Sequence[plan.Run], outcomes: Mapping[str, Mapping]
) -> list[Result]:
  """What the folders of the runs hold, in the order of the plan."""
  results = []
  for run in planned:
    curves = collections.defaultdict(list)
    for line in writer.read(run.workdir):
      for name, value in line.items():
        if name != "step" and isinstance(value, int | float):
          curves[name].append((line["step"], value))
    outcome = outcomes.get(run.workdir.name, {"ended": "waiting", "seconds": 0})
    results.append(
      Result(run, outcome["ended"], outcome["seconds"], dict(curves))
    )
  return results


def table(
  results: Sequence[Result], *, scalars: Sequence[str], rank_by: str
) -> str:
  """A row a setting, in Markdown: mean and standard deviation over its seeds.

  Args:
    results: from `collect`.
    scalars: the columns, by their names or first words; () is all.
    rank_by: the scalar by which rows ascend; "" leaves the plan's order.
  """
  names = columns(results, scalars)
  groups = _by_setting(results)
  order = list(groups)
  if ranking := rank_by and columns(results, (rank_by,)):
    order.sort(key=lambda s: _rank([r.end(ranking[0]) for r in groups[s]]))
  lines = [
    ["setting", "runs", "minutes", *names],
    ["---"] * (3 + len(names)),
  ]
  for setting in order:
    group = groups[setting]
    ended = collections.Counter(result.ended for result in group)
    counts = ", ".join(f"{n} {word}" for word, n in ended.items())
    minutes = np.mean([result.seconds for result in group]) / 60
    values = [_spread([result.end(name) for result in group]) for name in names]
    lines.append([setting, counts, f"{minutes:.1f}", *values])
  return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def write(
  workdir: pathlib.Path,
  results: Sequence[Result],
  *,
  scalars: Sequence[str],
  rank_by: str,
) -> None:
  """Writes results.json, table.md, curves.png and sheet.png.

  Args:
    workdir: the run folder of the sweep.
    results, scalars, rank_by: as for `table`; the curves have the same scalars,
      results.json has all.
  """
  names = columns(results, ())
  facts = [
    {
      "setting": result.run.setting,
      "seed": result.run.seed,
      "ended": result.ended,
      "seconds": result.seconds,
      "end": {
        name: result.end(name) for name in names if result.curves.get(name)
      },
    }
    for result in results
  ]
  text = json.dumps(facts, indent=2) + "\n"
  atomic.write(workdir / "results.json", text.encode())
  text = table(results, scalars=scalars, rank_by=rank_by) + "\n"
  atomic.write(workdir / "table.md", text.encode())
  _plot(workdir / "curves.png", results, columns(results, scalars))
  _draw(workdir / "sheet.png", results)


def columns(results: Sequence[Result], scalars: Sequence[str]) -> list[str]:
  """The names of the scalars that some run wrote and that are asked for.

  Args:
    results: from `collect`.
    scalars: names or first words, in the order of the columns; () is all.
  """
  written = {name for result in results for name in result.curves}
  names = sorted(written - set(_SPEEDS))
  if not scalars:
    return names
  return [
    name
    for asked in scalars
    for name in names
    if history.is_metric(name, asked)
  ]


def _by_setting(results: Sequence[Result]) -> dict[str, list[Result]]:
  groups = collections.defaultdict(list)
  for result in results:
    groups[result.run.setting].append(result)
  return groups


def _rank(values: Sequence[float]) -> float:
  """The mean; what has no number comes last."""
  found = [value for value in values if math.isfinite(value)]
  return float(np.mean(found)) if found else math.inf


def _spread(values: Sequence[float]) -> str:
  found = [value for value in values if math.isfinite(value)]
  if not found:
    return "-"
  text = f"{np.mean(found):.4g}"
  return text if len(found) == 1 else f"{text} ± {np.std(found, ddof=1):.2g}"


def _plot(
  path: pathlib.Path, results: Sequence[Result], names: Sequence[str]
) -> None:
  """A panel a scalar, a colour a setting, a line a seed."""
  if not names:
    return
  across = min(3, len(names))
  rows = -(-len(names) // across)
  settings = list(_by_setting(results))
  # With a fifth of an inch for each line of the legend below.
  figure = matplotlib.figure.Figure(
    figsize=(5 * across, 3 * rows + 0.2 * len(settings)), layout="constrained"
  )
  panels = figure.subplots(rows, across, squeeze=False).ravel()
  for panel in panels[len(names) :]:
    panel.set_axis_off()
  for panel, name in zip(panels, names, strict=False):
    for result in results:
      if points := result.curves.get(name):
        panel.plot(
          *zip(*points, strict=True),
          **_line(settings.index(result.run.setting)),
        )
    panel.set_title(name, fontsize=9)
    panel.grid(alpha=0.3)
  figure.legend(
    handles=[
      matplotlib.lines.Line2D([], [], label=setting, **_line(number))
      for number, setting in enumerate(settings)
    ],
    loc="outside lower left",
    fontsize=8,
  )
  with atomic.replacing(path) as temporary:
    figure.savefig(temporary, dpi=110)


def _line(number: int) -> dict[str, object]:
  """How the curves of a setting look."""
  style = "-" if number < 10 else "--"
  return {"color": f"C{number % 10}", "linestyle": style, "linewidth": 1}


def _draw(path: pathlib.Path, results: Sequence[Result]) -> None:
  """The first rows of each run's newest contact sheet, under its name."""
  strips = []
  for result in results:
    sheets = sorted((result.run.workdir / "samples").glob("step_????????.png"))
    if sheets:
      sheet = images.read(sheets[-1])
      side = result.run.config.data.size
      strip = sheet[: _ROWS * (side + 2) - 2]
      caption = f"{result.run.setting}, seed {result.run.seed}"
      strips.append(_captioned(strip, caption))
  if strips:
    width = max(strip.shape[1] for strip in strips)
    padded = [
      np.pad(
        strip,
        ((0, 6), (0, width - strip.shape[1]), (0, 0)),
        constant_values=255,
      )
      for strip in strips
    ]
    images.write(path, np.concatenate(padded))


def _captioned(
  strip: images.Pixels, caption: str
) -> UInt8[np.ndarray, "height width 3"]:
  font = ImageFont.load_default(12)
  width = max(strip.shape[1], math.ceil(font.getlength(caption)) + 4)
  height = strip.shape[0] + _CAPTION
  canvas = Image.new("RGB", (width, height), "white")
  canvas.paste(Image.fromarray(strip), (0, _CAPTION))
  ImageDraw.Draw(canvas).text((2, 1), caption, fill="black", font=font)
  return np.asarray(canvas)
