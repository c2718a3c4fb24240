"""Brush strokes: rows (x, y, length, width, angle, red, green, blue).

The centre and the size are in sides of the image, x to the right and y down;
the angle is in radians, clockwise from the x axis; the colour is in [0, 1].
"""

import jaxtyping
import numpy as np
from PIL import Image, ImageDraw

from astgan.data.landscapes import palettes

Strokes = jaxtyping.Float32[np.ndarray, "_ 8"]

# A blunt start and a thin end, in half lengths and half widths of the stroke.
OUTLINE = np.float32(
  [[-1, -0.6], [-0.4, -1], [0.5, -0.8], [1, -0.1]]
  + [[0.6, 0.75], [-0.4, 1], [-1, 0.5]]
)


def strokes(x, y, length, width, angle, colour) -> Strokes:
  """Rows of strokes; the arguments broadcast, the colour is [..., 3]."""
  channels = np.moveaxis(np.asarray(colour), -1, 0)
  parts = np.broadcast_arrays(x, y, length, width, angle, *channels)
  return np.stack(parts, -1, dtype=np.float32).reshape(-1, 8)


def dabs(rng, x, y, across, up, lit, dark, side, count, angle) -> Strokes:
  """Heaps of `count` dabs over a body, lit from the left (-1) or right (1)."""
  x, y, across, up = (part.reshape(-1, 1) for part in (x, y, across, up))
  shape = (len(x), count)
  turn = rng.uniform(0, 2 * np.pi, shape)
  radius = np.sqrt(rng.uniform(0, 1, shape))
  dx, dy = radius * np.cos(turn), radius * np.sin(turn)
  tone = 0.7 * (dx * side - dy) + rng.normal(0, 0.35, shape)
  # The brightest dabs come last.
  order = np.argsort(tone, 1)
  dx, dy, tone = (np.take_along_axis(a, order, 1) for a in (dx, dy, tone))
  lit, dark = lit.reshape(-1, 1, 3), dark.reshape(-1, 1, 3)
  colour = palettes.mix(dark, lit, (0.5 + 0.5 * tone).clip(0, 1))
  colour += rng.normal(0, 0.025, (*shape, 1))
  length = rng.uniform(0.7, 1.4, shape) * (across + up) / np.sqrt(count + 3)
  middle = palettes.mix(dark, lit, 0.25)
  body = strokes(x, y, 1.35 * across, 1.35 * up, 0.0, middle)
  x, y, angle = x + dx * across, y + dy * up, rng.normal(angle, 0.4, shape)
  heap = strokes(x, y, length, 0.5 * length, angle, colour)
  return together(len(x), body, heap)


def together(count: int, *parts) -> Strokes:
  """Strokes of `count` things: all parts of a thing before the next thing."""
  parts = [part.reshape(count, -1, 8) for part in parts]
  return np.concatenate(parts, 1).reshape(-1, 8)


def paint(rng, ground, rows: Strokes, side: int) -> np.ndarray:
  """Strokes on a ground [g, g, 3] in [0, 1], as uint8 [side, side, 3]."""
  half = rows[:, None, 2:4] / 2 * OUTLINE  # [n, 7, 2]
  bend = rng.normal(0, 0.25, (len(rows), 1)) / rows[:, 2:3].clip(1e-3)
  half[..., 1] += bend * half[..., 0] ** 2
  sine, cosine = np.sin(rows[:, 4:5]), np.cos(rows[:, 4:5])
  x = rows[:, 0:1] + half[..., 0] * cosine - half[..., 1] * sine
  y = rows[:, 1:2] + half[..., 0] * sine + half[..., 1] * cosine
  outlines = np.stack([x, y], -1).reshape(len(rows), -1) * side
  # The alpha channel holds the thickness of the paint.
  inks = (rows[:, 5:].clip(0, 1) * 255).astype(np.int64) @ [1, 1 << 8, 1 << 16]
  inks += rng.integers(90, 166, len(rows)) << 24
  image = Image.fromarray((ground.clip(0, 1) * 255).astype(np.uint8))
  image = image.resize((side, side), Image.Resampling.BILINEAR)
  image.putalpha(128)
  pen = ImageDraw.Draw(image)
  for outline, ink in zip(outlines.tolist(), inks.tolist(), strict=True):
    pen.polygon(outline, fill=ink)
  paint = np.asarray(image).astype(np.float32)
  thickness = paint[..., 3:]
  relief = 0.12 * (thickness - np.roll(thickness, (1, 1), (0, 1)))
  return (paint[..., :3] + relief).clip(0, 255).astype(np.uint8)
