"""A landscape in progress: its palette, its fields of colour, its strokes."""

import numpy as np
from PIL import Image

from astgan.data.landscapes import brush, palettes

# The side of the grid of the fields, and the coordinates of its cells in sides
# of the image, x to the right and y down.
GRID = 128
y, x = (np.mgrid[:GRID, :GRID].astype(np.float32) + 0.5) / GRID


class Scene:
  """A landscape in progress: fields [g, g] and the strokes painted so far."""

  def __init__(self, rng, style, light, land, horizon: float):
    self.rng, self.style, self.light, self.land = rng, style, light, land
    self.horizon = horizon
    # The light comes from the left (-1) or from the right (1).
    self.side = rng.choice([-1.0, 1.0])
    above = rng.uniform(*light.height)
    self.sun = 0.5 + self.side * rng.uniform(0.08, 0.42), horizon * (1 - above)
    # 0 at the horizon, 1 at the lower edge.
    self.nearness = ((y - horizon) / (1 - horizon)).clip(1e-3, 1)
    # Of the strokes at a place; the colours painted so far, -1 for none.
    self.colour = self.covered = np.full((GRID, GRID, 3), np.float32(-1))
    self.angle = np.zeros((GRID, GRID), np.float32)
    self.wet = np.zeros((GRID, GRID), bool)
    self.strokes = []

  def ground_y(self, nearness):
    """The y coordinate of ground at a nearness."""
    return self.horizon + (1 - self.horizon) * nearness

  def lit(self, colour, amount) -> np.ndarray:
    """The colour of a thing in the shade (0) or in the light (1)."""
    shade, lit = np.float32(self.light.shade), np.float32(self.light.lit)
    return colour * palettes.mix(shade, lit, amount)

  def hazed(self, colour, amount) -> np.ndarray:
    """A colour behind air, which has the colour of the lower sky."""
    air = palettes.mix(self.light.horizon, self.light.middle, 0.4)
    return palettes.mix(colour, air, amount)

  def lay(self, mask, colour, angle) -> None:
    """Sets the colour and the angle of the strokes where the mask is True."""
    self.colour = palettes.mix(self.colour, colour, mask)
    self.angle = np.where(mask, angle, self.angle).astype(np.float32)

  def cover(self) -> None:
    """Covers what changed since the last time, first with coarse strokes.

    The strokes follow outlines; the finer ones go mostly to them. Hertzmann,
    Painterly Rendering with Curved Brush Strokes of Multiple Sizes, 1998.
    """
    rng, style = self.rng, self.style
    changed = np.abs(self.colour - self.covered).max(-1) > 0.004
    down, right = np.gradient(self.colour.mean(-1))
    detail = np.hypot(down, right) > 0.03
    angle = np.where(detail, np.arctan2(right, -down), self.angle)
    for scale, share in ((2, 1.0), (1, 0.25)):
      count = int(1.2 / (scale * style.width))
      at = (np.mgrid[:count, :count].reshape(2, -1) + 0.5) / count
      at = rng.permutation(at + rng.normal(0, 0.3 / count, at.shape), axis=1)
      keep = changed & (detail | (rng.random((GRID, GRID)) < share))
      at = at[:, look_up(keep, *at)]
      n = at.shape[1]
      reach = np.where(look_up(detail, *at), 0.6, scale)
      # The lightness and the hue vary independently.
      noise = rng.normal(0, 1, (n, 1)) + rng.normal(0, 0.5, (n, 3))
      length = style.length * reach * rng.uniform(0.7, 1.3, n)
      width = style.width * scale * rng.uniform(0.7, 1.2, n)
      turn = look_up(angle, *at) + rng.normal(0, 0.12, n)
      colour = look_up(self.colour, *at) + style.noise * noise
      self.stroke(*at, length, width, turn, colour)
    self.covered = self.colour

  def stroke(self, *stroke, on=None) -> None:
    """Adds strokes in front of all others, if their centre is on the mask."""
    rows = brush.strokes(*stroke)
    if on is not None:
      rows = rows[look_up(on, rows[:, 0], rows[:, 1])]
    self.strokes.append(rows)

  def reflect(self, rows: brush.Strokes, shore: float) -> None:
    """Adds strokes and, below the y coordinate `shore`, their reflection."""
    image = rows * np.float32([1, -1, 1, 1, -1, 1, 1, 1])
    image[:, 1] += 2 * shore
    image[:, 5:] *= 0.6
    image[:, 5:] += 0.4 * self.lit(self.land.water, 0.3)
    self.strokes += [image[(image[:, 1] > shore) & (image[:, 1] < 1.1)], rows]

  def noise(self, across, down, *, octaves) -> np.ndarray:
    """Noise [g, g] of `across` x `down` bumps: mean 0, deviation 1."""
    total = np.zeros((GRID, GRID), np.float32)
    for octave in range(octaves):
      shape = (int(down * 2**octave) + 2, int(across * 2**octave) + 2)
      bumps = Image.fromarray(self.rng.standard_normal(shape, np.float32))
      bumps = bumps.resize((GRID, GRID), Image.Resampling.BICUBIC)
      total += np.asarray(bumps) * 0.55**octave
    return (total - total.mean()) / total.std()

  def skyline(self, bumps: float, *, octaves: int) -> np.ndarray:
    """A jagged line [g] around 0, between about -1 and 1."""
    line = np.zeros(GRID, np.float32)
    for octave in range(octaves):
      knots = self.rng.uniform(-1, 1, int(bumps * 2**octave) + 2)
      places = np.linspace(0, 1, len(knots))
      line += 0.5**octave * np.interp(x[0], places, knots).astype(np.float32)
    return line


def smoothstep(low, high, value) -> np.ndarray:
  """0 below, 1 above, an S between."""
  t = ((value - low) / (high - low)).clip(0, 1)
  return t * t * (3 - 2 * t)


def look_up(field, at_x, at_y):
  """The values of a field at coordinates, those of the border outside."""
  row, column = (np.asarray(at * GRID, int) for at in (at_y, at_x))
  return field[row.clip(0, GRID - 1), column.clip(0, GRID - 1)]
