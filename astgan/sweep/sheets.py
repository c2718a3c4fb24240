"""The contact sheets of a sweep: every run under its name."""

import collections
import functools
import itertools
import pathlib
from collections.abc import Sequence
from typing import NamedTuple

import matplotlib
import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

from astgan.data import images
from astgan.sweep import charts, outcome, paintings, plan

# Rows of a training's contact sheet that stand for it.
_ROWS = 2
# Paintings in a row, at most.
_COLUMNS = 8
# Pixels between images, of a line of text, and of the narrowest caption.
_GAP = 6
_LINE = 16
_NARROWEST = 160


class Cell(NamedTuple):
  """An image, and what stands above it."""

  caption: str
  pixels: images.Pixels


def of_trainings(
  workdir: pathlib.Path, results: Sequence[outcome.Result]
) -> None:
  """Writes sheet.png: the first rows of the newest sheet of each training."""
  rows = []
  for result in results:
    sheets = sorted((result.run.workdir / "samples").glob("step_????????.png"))
    if sheets:
      side = result.run.config.data.size
      strip = images.read(sheets[-1])[: _ROWS * (side + 2) - 2]
      caption = f"{result.run.setting}, seed {result.run.seed}"
      rows.append(_row("", [Cell(caption, strip)]))
  if rows:
    images.write(workdir / "sheet.png", _sheet(rows))


def of_paintings(
  workdir: pathlib.Path, results: Sequence[outcome.Result]
) -> None:
  """Writes sheet.png, or of several photographs a sheet_STEM.png for each.

  The last field of a grid goes from left to right. What the others say stands
  above the row.
  """
  runs = {result.run.workdir: result.run for result in results}.values()
  files = [(run, paintings.files(run.workdir, run.config)) for run in runs]
  stems = list(dict.fromkeys(itertools.chain(*(found for _, found in files))))
  for stem in stems:
    rows = collections.defaultdict(list)
    for run, found in files:
      if stem in found and found[stem].exists():
        *others, last = run.choices or (plan.AS_IT_STANDS,)
        if len({run.seed for run in runs}) > 1:
          last += f", seed {run.seed}"
        pixels = images.read(found[stem])
        rows[", ".join(others)].append(Cell(last, pixels))
    shown = [
      _row(title if not number else "", part)
      for title, cells in rows.items()
      for number, part in enumerate(_parts(cells))
    ]
    name = "sheet.png" if len(stems) == 1 else f"sheet_{stem}.png"
    if shown:
      images.write(workdir / name, _sheet(shown))


def _parts(cells):
  return [
    cells[start : start + _COLUMNS] for start in range(0, len(cells), _COLUMNS)
  ]


def _row(
  title: str, cells: Sequence[Cell]
) -> UInt8[np.ndarray, "height width 3"]:
  """Cells side by side, with their captions in lines of equal number."""
  widths = [max(_NARROWEST, cell.pixels.shape[1]) for cell in cells]
  captions = [
    _text(cell.caption, width)
    for cell, width in zip(cells, widths, strict=True)
  ]
  above = max(caption.shape[0] for caption in captions)
  below = max(cell.pixels.shape[0] for cell in cells)
  columns = [
    np.concatenate(
      [_pad(caption, above, width), _pad(cell.pixels, below, width)]
    )
    for caption, cell, width in zip(captions, cells, widths, strict=True)
  ]
  row = np.concatenate(
    [_pad(c, above + below, c.shape[1] + _GAP) for c in columns], axis=1
  )
  return _stack([_text(title, row.shape[1]), row]) if title else row


def _sheet(rows):
  return np.pad(
    _stack(rows), ((_GAP, 0), (_GAP, 0), (0, 0)), constant_values=255
  )


def _stack(
  rows: Sequence[UInt8[np.ndarray, "_ _ 3"]],
) -> UInt8[np.ndarray, "height width 3"]:
  """Rows under each other, on white."""
  width = max(row.shape[1] for row in rows)
  return np.concatenate([_pad(r, r.shape[0] + _GAP, width) for r in rows])


def _pad(image, height, width):
  missing = [(0, height - image.shape[0]), (0, width - image.shape[1]), (0, 0)]
  return np.pad(image, missing, constant_values=255)


def _text(text: str, width: int) -> UInt8[np.ndarray, "_ {width} 3"]:
  """The text in as many lines as it needs in that width."""
  font = _font()
  wrapped = charts.label(text, int(width / font.getlength("m")))
  lines = wrapped.splitlines()
  canvas = Image.new("RGB", (width, _LINE * len(lines)), "white")
  for number, line in enumerate(lines):
    place = (0, _LINE * number)
    ImageDraw.Draw(canvas).text(place, line, fill="black", font=font)
  return np.asarray(canvas)


@functools.cache
def _font():
  """All letters are of one width, so that lines break where they are full."""
  folder = pathlib.Path(matplotlib.get_data_path(), "fonts", "ttf")
  return ImageFont.truetype(str(folder / "DejaVuSansMono.ttf"), 12)
