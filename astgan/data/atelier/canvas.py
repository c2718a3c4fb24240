"""A landscape on its way: its choices, its fields, the strokes so far."""

import dataclasses
import functools

import numpy as np
from PIL import Image

from astgan.data.atelier import brush, palettes

# The side of the grid on which scenery is laid in, and the unit coordinates of
# its cells, x to the right and y down.
GRID = 128
y, x = (np.mgrid[:GRID, :GRID].astype(np.float32) + 0.5) / GRID

# Nothing is laid in yet: no colour is below 0.
bare = functools.partial(np.full, (GRID, GRID, 3), np.float32(-1))
level = functools.partial(np.zeros, (GRID, GRID), np.float32)
dry = functools.partial(np.zeros, (GRID, GRID), bool)


@dataclasses.dataclass
class Scene:
  """A picture on its way: its choices, its fields, the strokes so far."""

  rng: np.random.Generator
  manner: palettes.Manner
  light: palettes.Light
  land: palettes.Land
  horizon: float
  sun: tuple[float, float]
  # What a stroke at a place shows, and the way it runs there.
  colour: brush.Picture = dataclasses.field(default_factory=bare)
  angle: brush.Field = dataclasses.field(default_factory=level)
  # The colours that strokes have been made of already.
  covered: brush.Picture = dataclasses.field(default_factory=bare)
  # Where there is water: nothing casts a shadow there.
  wet: np.ndarray = dataclasses.field(default_factory=dry)
  layers: list[brush.Strokes] = dataclasses.field(default_factory=list)

  def chance(self, share: float) -> bool:
    """True for that share of the pictures."""
    return self.rng.random() < share

  def pick(self, options):
    """One of the options."""
    return options[self.rng.integers(len(options))]

  @property
  def depth(self) -> brush.Field:
    """How near the ground is: 0 at the horizon and above, 1 at the edge."""
    return self.nearness(y)

  @property
  def side(self) -> float:
    """Where the light comes from: -1 left, 1 right."""
    return 1.0 if self.sun[0] > 0.5 else -1.0

  def nearness(self, at):
    return ((at - self.horizon) / (1 - self.horizon)).clip(1e-3, 1)

  def foot(self, nearness):
    """The height in the picture of ground as near as that."""
    return self.horizon + (1 - self.horizon) * nearness

  def tinted(self, colour, sunny) -> np.ndarray:
    """A local colour out of the sun (0) or in it (1)."""
    lit, shade = np.float32(self.light.lit), np.float32(self.light.shade)
    return palettes.unit(colour) * palettes.mix(shade, lit, sunny)

  def hazed(self, colour, amount) -> np.ndarray:
    """A colour behind air, which has the colour of the lower sky."""
    air = palettes.mix(self.light.horizon, self.light.middle, 0.4)
    return palettes.mix(colour, air, amount)

  def lay(self, mask, colour, angle) -> None:
    """Colour and direction into the fields where the mask is 1."""
    self.colour = palettes.mix(self.colour, colour, mask)
    self.angle = np.where(mask > 0.5, angle, self.angle).astype(np.float32)

  def cover(self) -> None:
    """Paint over what has been laid in since the last time."""
    manner = self.manner
    fresh = np.abs(self.colour - self.covered).max(-1) > 0.004
    rows = brush.cover(
      self.rng,
      self.colour,
      self.angle,
      fresh,
      length=manner.length,
      width=manner.width,
      broken=manner.broken,
    )
    self.add(rows)
    self.covered = self.colour

  def add(self, rows: brush.Strokes, *, on=None) -> None:
    """Strokes before all others; only those that are centred `on` a mask."""
    if on is not None:
      rows = rows[look_up(on, rows[:, 0], rows[:, 1])]
    self.layers.append(rows)


def smoothstep(low, high, value) -> np.ndarray:
  """0 below, 1 above, an S between: how paint is faded."""
  t = ((value - low) / (high - low)).clip(0, 1)
  return t * t * (3 - 2 * t)


def look_up(field, at_x, at_y):
  """A field's values at unit coordinates, those of the border outside."""
  row, column = (
    np.asarray(at * GRID, int).clip(0, GRID - 1) for at in (at_y, at_x)
  )
  return field[row, column]


def noise(rng, across, down, *, octaves) -> brush.Field:
  """Smooth noise of `across` x `down` bumps: mean 0, deviation 1."""
  total = np.zeros((GRID, GRID), np.float32)
  for octave in range(octaves):
    shape = (int(down * 2**octave) + 2, int(across * 2**octave) + 2)
    bumps = Image.fromarray(rng.standard_normal(shape, np.float32))
    bumps = bumps.resize((GRID, GRID), Image.Resampling.BICUBIC)
    total += np.asarray(bumps) * 0.55**octave
  return (total - total.mean()) / total.std()


def skyline(rng, bumps, *, octaves) -> np.ndarray:
  """A jagged line [g] around 0, between about -1 and 1."""
  line = np.zeros(GRID, np.float32)
  for octave in range(octaves):
    knots = rng.uniform(-1, 1, int(bumps * 2**octave) + 2)
    places = np.linspace(0, 1, len(knots))
    line += 0.5**octave * np.interp(x[0], places, knots).astype(np.float32)
  return line
