"""Brush strokes: what they are, how they cover a picture, how they dry.

A stroke is a row (x, y, length, width, angle, red, green, blue): its centre and
size in picture sides, x to the right, y down, the angle clockwise from the x
axis in radians, the colour in [0, 1].
"""

import jaxtyping
import numpy as np
from PIL import Image, ImageDraw

from astgan.data.atelier import palettes

Strokes = jaxtyping.Float32[np.ndarray, "_ 8"]
Field = jaxtyping.Float32[np.ndarray, "g g"]
Picture = jaxtyping.Float32[np.ndarray, "g g 3"]

# A loaded brush leaves a blunt start and a thin end: half-length, half-width.
OUTLINE = np.float32(
  [[-1, -0.6], [-0.4, -1], [0.5, -0.8], [1, -0.1]]
  + [[0.6, 0.75], [-0.4, 1], [-1, 0.5]]
)


def strokes(x, y, length, width, angle, colour) -> Strokes:
  """Rows of strokes; numbers and arrays broadcast, the colour is [..., 3]."""
  colour = palettes.unit(colour)
  parts = np.broadcast_arrays(
    x, y, length, width, angle, colour[..., 0], colour[..., 1], colour[..., 2]
  )
  return np.stack(parts, -1, dtype=np.float32).reshape(-1, 8)


def cover(
  rng: np.random.Generator,
  picture: Picture,
  angle: Field,
  where: jaxtyping.Bool[np.ndarray, "g g"],
  *,
  length: float,
  width: float,
  broken: float,
) -> Strokes:
  """Strokes that paint over a part of a picture, first coarse, then finer ones.

  Strokes keep to `angle`, but along an outline they follow it; the finer ones
  go where the picture has detail and to a quarter of the rest. A. Hertzmann,
  Painterly Rendering with Curved Brush Strokes of Multiple Sizes, 1998.
  """
  side = len(picture)
  grey = picture.mean(-1)
  down, right = np.gradient(grey)
  edge = np.hypot(down, right)
  layers = []
  for scale, every in ((2.0, 1.0), (1.0, 0.25)):
    count = int(1.2 / (scale * width))
    at = (np.mgrid[:count, :count].reshape(2, -1) + 0.5) / count
    at += rng.normal(0, 0.3 / count, at.shape)
    at = at[:, rng.permutation(at.shape[1])]
    row, column = (at.clip(0, 0.999) * side).astype(int)
    detail = edge[row, column] > 0.03
    keep = detail | (rng.random(len(row)) < every)
    keep &= where[row, column]
    row, column, detail, at = row[keep], column[keep], detail[keep], at[:, keep]
    along = np.arctan2(right[row, column], -down[row, column])
    turn = np.where(detail, along, angle[row, column])
    reach = np.where(detail, 0.6, scale) * rng.uniform(0.7, 1.3, len(row))
    colour = picture[row, column]
    # Broken colour: lightness and hue stray by themselves.
    colour = colour + rng.normal(0, broken, (len(row), 1))
    colour = colour + rng.normal(0, 0.5 * broken, (len(row), 3))
    layers.append(
      strokes(
        at[1],
        at[0],
        length * reach,
        scale * width * rng.uniform(0.7, 1.2, len(row)),
        turn + rng.normal(0, 0.12, len(row)),
        colour,
      )
    )
  return np.concatenate(layers)


def dabs(
  rng, x, y, across, up, count, lit, dark, toward, *, size, angle
) -> Strokes:
  """Heaps of dabs with a lit and a dark side, over a body of the middle tone.

  Args:
    x, y: centres of the heaps [heaps]; across, up: their half axes [heaps].
    lit, dark: colours [heaps, 3] on the side `toward` (dx, dy) and away.
    size: length of a dab, in mean half axes; angle: of the dabs.
  """
  shape = (len(x), count)
  turn = rng.uniform(0, 2 * np.pi, shape)
  radius = np.sqrt(rng.uniform(0, 1, shape))
  dx, dy = radius * np.cos(turn), radius * np.sin(turn)
  tone = dx * toward[0] + dy * toward[1] + rng.normal(0, 0.35, shape)
  # The light is put on last.
  order = np.argsort(tone, 1)
  dx, dy, tone = (np.take_along_axis(a, order, 1) for a in (dx, dy, tone))
  sunny = (0.5 + 0.5 * tone).clip(0, 1)
  colour = palettes.mix(dark[:, None], lit[:, None], sunny)
  length = size * ((across + up) / 2)[:, None] * rng.uniform(0.6, 1.3, shape)
  heap = strokes(
    x[:, None] + dx * across[:, None],
    y[:, None] + dy * up[:, None],
    length,
    0.5 * length,
    angle + rng.normal(0, 0.4, shape),
    colour + rng.normal(0, 0.025, (*shape, 1)),
  ).reshape(*shape, 8)
  body = strokes(
    x, y, 1.35 * across, 1.35 * up, 0.0, palettes.mix(dark, lit, 0.25)
  ).reshape(-1, 1, 8)
  return np.concatenate([body, heap], 1).reshape(-1, 8)


def paint(
  rng: np.random.Generator, ground: Picture, rows: Strokes, side: int
) -> jaxtyping.UInt8[np.ndarray, "{side} {side} 3"]:
  """Paint strokes in their order on a ground, with relief and canvas grain."""
  half = rows[:, None, 2:4] / 2 * OUTLINE  # [n, 7, 2]
  half[..., 1] += rng.normal(0, 0.25, (len(rows), 1)) * (
    half[..., 0] ** 2 / np.maximum(rows[:, 2:3], 1e-3)
  )
  sine, cosine = np.sin(rows[:, 4:5]), np.cos(rows[:, 4:5])
  x = rows[:, 0:1] + half[..., 0] * cosine - half[..., 1] * sine
  y = rows[:, 1:2] + half[..., 0] * sine + half[..., 1] * cosine
  outlines = np.stack([x, y], -1).reshape(len(rows), -1) * side
  inks = (rows[:, 5:].clip(0, 1) * 255).astype(np.int64)
  # The alpha channel keeps how thick the paint lies.
  thick = rng.integers(90, 166, len(rows))
  inks = inks @ [1, 1 << 8, 1 << 16] + (thick << 24)

  base = Image.fromarray((ground.clip(0, 1) * 255).astype(np.uint8))
  base = base.resize((side, side), Image.Resampling.BILINEAR)
  base.putalpha(128)
  pen = ImageDraw.Draw(base)
  for outline, ink in zip(outlines.tolist(), inks.tolist(), strict=True):
    pen.polygon(outline, fill=ink)

  wet = np.asarray(base).astype(np.float32)
  height = wet[..., 3]
  relief = np.zeros_like(height)
  relief[1:, 1:] = height[1:, 1:] - height[:-1, :-1]
  tooth = Image.fromarray(rng.normal(0, 2.5, (128, 128)).astype(np.float32))
  tooth = np.asarray(tooth.resize((side, side), Image.Resampling.BILINEAR))
  relief = (0.12 * relief + tooth)[..., None]
  return (wet[..., :3] + relief).clip(0, 255).astype(np.uint8)
