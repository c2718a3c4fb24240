"""What a landscape is made of: sky, clouds, ranges, ground, water, trees.

A motif either lays colour and stroke direction into the fields of a `Scene`
(whatever is wide) or returns strokes (whatever stands up or glitters).
"""

import dataclasses

import numpy as np
from PIL import Image

from astgan.data import brush, palettes

# The wide motifs are laid in on a grid of this side; unit coordinates of its
# cells, x to the right and y down.
GRID = 128
Y, X = (np.mgrid[:GRID, :GRID].astype(np.float32) + 0.5) / GRID


@dataclasses.dataclass
class Scene:
  """A picture on its way: its chance, its colours, where things are."""

  rng: np.random.Generator
  manner: palettes.Manner
  light: palettes.Light
  land: palettes.Land
  # Height of the horizon, and of the sun or moon; y points down.
  horizon: float
  sun: tuple[float, float]
  # What a stroke at a place depicts, and which way it runs.
  colour: brush.Picture
  angle: brush.Field

  def lit(self, colour) -> np.ndarray:
    """A local colour in the sun."""
    return unit(colour) * np.float32(self.light.lit)

  def shaded(self, colour) -> np.ndarray:
    """A local colour out of the sun."""
    return unit(colour) * np.float32(self.light.shade)

  def hazed(self, colour, amount) -> np.ndarray:
    """A colour behind air, which has the colour of the sky at the horizon."""
    air = mix(unit(self.light.horizon), unit(self.light.middle), 0.35)
    return mix(colour, air, amount)

  def lay(self, mask, colour, angle) -> None:
    """Colour and direction into the fields where the mask is 1."""
    self.colour = mix(self.colour, colour, mask)
    self.angle = np.where(mask > 0.5, angle, self.angle).astype(np.float32)


def unit(colour) -> np.ndarray:
  return np.asarray(colour, np.float32) / 255


def mix(one, other, amount) -> np.ndarray:
  """`one` where the amount is 0, `other` where it is 1."""
  amount = np.asarray(amount, np.float32)
  if amount.ndim:
    amount = amount[..., None]
  return one + (other - one) * amount


def clouds_of_noise(rng, across, down, octaves=4) -> np.ndarray:
  """Smooth noise [g, g], mean 0, deviation 1, `across` x `down` bumps."""
  total = np.zeros((GRID, GRID), np.float32)
  for octave in range(octaves):
    shape = (int(down * 2**octave) + 2, int(across * 2**octave) + 2)
    bumps = Image.fromarray(rng.standard_normal(shape, np.float32))
    bumps = bumps.resize((GRID, GRID), Image.Resampling.BICUBIC)
    total += np.asarray(bumps) * 0.55**octave
  return (total - total.mean()) / (total.std() + 1e-6)


def profile(rng, bumps, octaves, roughness) -> np.ndarray:
  """A skyline [g] in about [-1, 1]."""
  x = (np.arange(GRID, dtype=np.float32) + 0.5) / GRID
  line = np.zeros(GRID, np.float32)
  for octave in range(octaves):
    count = int(bumps * 2**octave) + 2
    knots = rng.uniform(-1, 1, count)
    line += roughness**octave * np.interp(
      x, np.linspace(0, 1, count), knots
    ).astype(np.float32)
  return line


def smoothstep(low, high, value) -> np.ndarray:
  t = ((value - low) / (high - low)).clip(0, 1)
  return t * t * (3 - 2 * t)


def sky(scene: Scene) -> None:
  """A gradient, the glow around the sun, veils of cloud, the brush's turns."""
  rng, light = scene.rng, scene.light
  height = (Y / scene.horizon).clip(0, 1) ** rng.uniform(0.7, 1.4)
  stops = unit([light.zenith, light.middle, light.horizon])
  scene.colour = np.stack(
    [np.interp(height, [0, 0.55, 1], stops[:, c]) for c in range(3)], -1
  ).astype(np.float32)
  sun_x, sun_y = scene.sun
  distance = np.hypot(X - sun_x, Y - sun_y)
  glow = np.exp(-((distance / rng.uniform(0.15, 0.35)) ** 2)) * 0.75
  scene.colour = mix(scene.colour, unit(light.sun), glow)

  cover = rng.choice([0.0, 0.25, 0.5, 0.8], p=[0.25, 0.3, 0.3, 0.15])
  if cover:
    veil = clouds_of_noise(rng, rng.uniform(1, 2.5), rng.uniform(3, 7))
    body = smoothstep(0.9 - 1.6 * cover, 1.9 - 1.6 * cover, veil)
    toward = np.roll(veil, 5, 0) - veil  # lit from above
    tone = smoothstep(-0.5, 0.6, toward + 1.2 * glow)
    cloud = mix(unit(light.cloud_shade), unit(light.cloud_lit), tone)
    scene.colour = mix(scene.colour, cloud, 0.85 * body)
  turns = clouds_of_noise(rng, 2, 2, octaves=1)
  whirl = np.arctan2(Y - sun_y, X - sun_x) + np.pi / 2
  whirl = np.where(distance < 0.3, whirl, 0.8 * turns)
  scene.angle = (scene.manner.swirl * whirl).astype(np.float32)


def sun_and_stars(scene: Scene, night: bool) -> brush.Strokes:
  """A disc of short strokes round a centre, and stars at night."""
  rng, (x, y) = scene.rng, scene.sun
  radius = rng.uniform(0.025, 0.05)
  turn = rng.uniform(0, np.pi, 5)
  colour = unit(scene.light.sun)
  disc = brush.strokes(x, y, 2 * radius, 1.6 * radius, turn, colour)
  if not night:
    return disc
  at = rng.uniform(0, 1, (2, 26)) * [[1], [scene.horizon * 0.85]]
  size = rng.uniform(0.006, 0.016, 26)
  stars = brush.strokes(at[0], at[1], size, size, 0, mix(colour, 1.0, 0.3))
  return np.concatenate([disc, stars])


def clusters(
  rng, x, y, across, up, dabs, light, dark, toward, *, size, angle
) -> brush.Strokes:
  """Heaps of dabs [n * dabs] with a lit and a dark side: crowns, cumuli.

  Args:
    x, y: centres [n]. across, up: half axes [n]. dabs: how many in each.
    light, dark: colours [n, 3] on the side `toward` (dx, dy) and opposite.
    size: length of a dab, in `across` + `up`. angle: of the dabs.
  """
  n = len(x)
  turn = rng.uniform(0, 2 * np.pi, (n, dabs))
  radius = np.sqrt(rng.uniform(0, 1, (n, dabs)))
  dx, dy = radius * np.cos(turn), radius * np.sin(turn)
  tone = dx * toward[0] + dy * toward[1] + rng.normal(0, 0.3, (n, dabs))
  order = np.argsort(tone, 1)
  dx, dy, tone = (np.take_along_axis(a, order, 1) for a in (dx, dy, tone))
  colour = mix(dark[:, None], light[:, None], smoothstep(-0.7, 0.8, tone))
  length = (size * (across + up))[:, None] * rng.uniform(0.6, 1.2, (n, dabs))
  return brush.strokes(
    x[:, None] + dx * across[:, None],
    y[:, None] + dy * up[:, None],
    length,
    0.5 * length,
    angle + rng.normal(0, 0.3, (n, dabs)),
    colour + rng.normal(0, 0.02, (n, dabs, 1)),
  )


def cumuli(scene: Scene) -> brush.Strokes:
  """Heaped clouds, smaller and flatter toward the horizon."""
  rng, light = scene.rng, scene.light
  count = rng.integers(2, 6)
  depth = np.sort(rng.uniform(0.15, 0.8, count))[::-1]
  heaps = rng.integers(3, 6)
  size = (1 - 0.75 * depth) * rng.uniform(0.08, 0.2, count)
  x = rng.uniform(-0.1, 1.1, (count, 1))
  spread = np.linspace(-1, 1, heaps) + rng.normal(0, 0.15, (count, heaps))
  across = size[:, None] * (1.1 - 0.7 * np.abs(spread))
  y = (scene.horizon * depth)[:, None] - 0.4 * across
  lit = np.broadcast_to(unit(light.cloud_lit), (count * heaps, 3))
  dark = np.broadcast_to(unit(light.cloud_shade), (count * heaps, 3))
  side = np.sign(scene.sun[0] - 0.5) * 0.5
  return clusters(
    rng,
    (x + 1.3 * size[:, None] * spread).ravel(),
    y.ravel(),
    across.ravel(),
    0.5 * across.ravel(),
    16,
    lit,
    dark,
    (side, -0.9),
    size=0.45,
    angle=0.0,
  )


def ranges(scene: Scene, count: int, relief: float) -> None:
  """Ridges one before the other, each less veiled by air than the last."""
  rng, land = scene.rng, scene.land
  alpine = relief > 0.2
  side = np.sign(scene.sun[0] - 0.5)
  for layer in range(count):
    near = (layer + 1) / count
    line = profile(rng, rng.uniform(1, 3), 6 if alpine else 4, 0.5)
    peak = relief * (1.1 - 0.75 * near) * rng.uniform(0.7, 1.2)
    ridge = scene.horizon - peak * (0.55 + 0.6 * line).clip(0.04)
    mask = smoothstep(-0.004, 0.004, Y - ridge) * (scene.horizon + 0.02 > Y)
    below = ((Y - ridge) / (scene.horizon - ridge + 1e-3)).clip(0, 1)
    folds = clouds_of_noise(rng, 6, 3, octaves=3)
    slope = np.gradient(line) * GRID * 0.12
    sunny = smoothstep(-0.6, 0.6, side * slope + 0.7 * folds)
    local = mix(unit(land.hill), unit(land.leaf_shade), 0.5 * near)
    if alpine and near < 0.9:
      snow = smoothstep(0.35, 0.2, below + 0.12 * folds)
      local = mix(local, 0.95, snow)
    else:
      local = mix(local, unit(land.field), 0.3 * smoothstep(0, 1.5, folds))
    tone = local * mix(
      np.float32(scene.light.shade), np.float32(scene.light.lit), sunny
    )
    air = 0.75 - 0.55 * near + 0.25 * below
    lean = np.where(sunny > 0.5, side * -0.8, side * 0.8)
    scene.lay(mask, scene.hazed(tone, air.clip(0, 0.9)), lean)


def ground(scene: Scene, top: np.ndarray | float, furrows: float) -> None:
  """Fields and meadow from the horizon to the lower edge.

  Args:
    top: where the ground begins, a height or a shoreline [g].
    furrows: strength of rows that run to a vanishing point.
  """
  rng, land = scene.rng, scene.land
  depth = ((Y - scene.horizon) / (1 - scene.horizon)).clip(1e-3, 1)
  bands = clouds_of_noise(rng, 1.2, 9, octaves=3)
  patches = smoothstep(-0.3, 0.3, bands + 1.2 * (0.4 - depth))
  local = mix(unit(land.meadow), unit(land.field), patches)
  vanish = rng.uniform(0.1, 0.9)
  run = (X - vanish) / depth
  rows = smoothstep(-0.4, 0.4, np.sin(run * rng.uniform(12, 22)))
  local = mix(local, unit(land.earth), furrows * 0.6 * rows)
  sunny = smoothstep(-0.9, 0.5, clouds_of_noise(rng, 1, 4, octaves=2))
  # A dark foreground leads the eye inward.
  sunny = sunny * (1 - 0.5 * smoothstep(0.6, 1.0, depth))
  tone = local * mix(
    np.float32(scene.light.shade), np.float32(scene.light.lit), sunny
  )
  slant = np.arctan2(depth * (1 - scene.horizon), (X - vanish))
  swell = 0.25 * clouds_of_noise(rng, 2, 2, octaves=1)
  scene.lay(
    (top < Y).astype(np.float32),
    scene.hazed(tone, 0.4 * (1 - depth) ** 2),
    np.where(furrows > 0.3, slant, swell),
  )


def winding(scene: Scene, colour, wide: float) -> np.ndarray:
  """A path or river from the foreground to the horizon: its mask [g, g]."""
  rng = scene.rng
  depth = ((Y - scene.horizon) / (1 - scene.horizon)).clip(1e-3, 1)
  start, end = rng.uniform(0.2, 0.8, 2)
  bend = rng.uniform(0.1, 0.35) * rng.choice([-1, 1])
  middle = (
    end
    + (start - end) * depth
    + bend * np.sin(4.5 * np.sqrt(depth)) * np.sqrt(depth) * (1 - 0.4 * depth)
  )
  half = wide * (0.03 + depth**1.3)
  mask = smoothstep(1.0, 0.8, np.abs(X - middle) / half)
  mask = mask * (scene.horizon + 0.004 < Y)
  if colour is not None:
    scene.lay(mask, scene.hazed(colour, 0.4 * (1 - depth) ** 2), 0.3)
  return mask


def water(scene: Scene, mask: np.ndarray, waves: float) -> None:
  """The mirrored picture above the horizon, tinted, broken by ripples."""
  rng = scene.rng
  depth = ((Y - scene.horizon) / (1 - scene.horizon)).clip(0, 1)
  ripple = clouds_of_noise(rng, 3, 24, octaves=2)
  mirror = 2 * scene.horizon - Y - 0.03 * waves * ripple * (0.3 + depth)
  row = (mirror.clip(0, scene.horizon - 0.01) * GRID).astype(int)
  column = ((X + 0.012 * ripple).clip(0, 0.999) * GRID).astype(int)
  seen = scene.colour[row, column]
  deep = unit(scene.land.water) * mix(
    np.float32(scene.light.shade), np.float32(scene.light.lit), 0.5
  )
  seen = mix(seen, deep, (0.2 + 0.45 * waves * depth).clip(0, 0.8))
  crest = smoothstep(0.8, 1.8, ripple) * (0.3 + 0.4 * waves)
  seen = mix(seen, unit(scene.light.middle), crest)
  trough = smoothstep(0.8, 1.8, -ripple) * (0.2 + 0.4 * waves)
  seen = mix(seen, 0.7 * deep, trough)
  scene.lay(mask, seen, 0.0)


def glints(scene: Scene, mask: np.ndarray) -> brush.Strokes:
  """Level flecks of the sun in a column under it, wider toward the viewer."""
  rng, n = scene.rng, 60
  depth = rng.uniform(0, 1, n) ** 1.3
  y = scene.horizon + (1 - scene.horizon) * depth
  x = scene.sun[0] + rng.normal(0, 1, n) * (0.015 + 0.07 * depth)
  inside = (x > 0) & (x < 1) & (y < 1)
  x, y, depth = x[inside], y[inside], depth[inside]
  wet = mask[(y * GRID).astype(int), (x * GRID).astype(int)] > 0.5
  x, y, depth = x[wet], y[wet], depth[wet]
  length = (0.02 + 0.05 * depth) * rng.uniform(0.6, 1.3, len(x))
  colour = mix(unit(scene.light.sun), unit(scene.light.horizon), 0.25)
  return brush.strokes(x, y, length, 0.006 + 0.008 * depth, 0.0, colour)


# Crown: half-axes and centre over the foot, in heights; angle of the dabs.
KINDS = {
  "round": (0.34, 0.34, 0.64, 0.6),
  "poplar": (0.1, 0.47, 0.52, 1.45),
  "birch": (0.18, 0.36, 0.62, 1.2),
  "willow": (0.4, 0.38, 0.56, 1.57),
  "bush": (0.6, 0.45, 0.4, 0.5),
  "conifer": (0.22, 0.5, 0.5, 0.0),
}


def trees(scene: Scene, kind: str, x, y, height, dabs: int) -> brush.Strokes:
  """Trees of one kind from the farthest to the nearest; x, y: their feet."""
  rng, land = scene.rng, scene.land
  order = np.argsort(y)
  x, y, height = x[order], y[order], height[order]
  n = len(x)
  half, up, centre, angle = KINDS[kind]
  depth = ((y - scene.horizon) / (1 - scene.horizon)).clip(0, 1)
  air = 0.5 * (1 - depth) ** 4
  lit = np.repeat(scene.lit(land.leaf)[None], n, 0)
  lit = lit * rng.uniform(0.85, 1.15, (n, 1))
  dark = np.repeat(scene.shaded(land.leaf_shade)[None], n, 0) * 1.25
  lit, dark = scene.hazed(lit, air), scene.hazed(dark, air)
  toward = (np.sign(scene.sun[0] - 0.5) * 0.7, -0.7)
  bark = scene.shaded(land.leaf_shade) * 0.8
  if kind == "birch":
    bark = mix(scene.lit((236, 230, 218)), scene.shaded((236, 230, 218)), 0.4)
  bark = scene.hazed(np.repeat(bark[None], n, 0), air)
  trunk = brush.strokes(
    x, y - 0.32 * height, 0.66 * height, 0.035 * height + 0.003,
    np.pi / 2 + rng.normal(0, 0.04, n), bark,
  )  # fmt: skip
  crown = clusters(
    rng, x, y - centre * height, half * height, up * height, dabs, lit, dark,
    toward, size=0.28, angle=angle,
  )  # fmt: skip
  if kind == "conifer":
    # Boughs droop to both sides of a point.
    rows = crown.reshape(n, dabs, 8)
    drop = (rows[..., 1] - (y - height)[:, None]) / height[:, None]
    off = (rows[..., 0] - x[:, None]) * (0.15 + 1.1 * drop)
    rows[..., 0] = x[:, None] + off
    rows[..., 4] = 0.5 * np.sign(off)
    crown = rows[:, np.argsort(-rng.random(dabs))].reshape(-1, 8)
  crown = crown.reshape(n, dabs, 8)
  return np.concatenate([trunk[:, None], crown], 1).reshape(-1, 8)


def reflected(scene: Scene, strokes: brush.Strokes, at) -> brush.Strokes:
  """Strokes upside down in the water below the height `at`, a little deeper."""
  image = strokes.copy()
  image[:, 1] = 2 * at - image[:, 1]
  image[:, 4] = -image[:, 4]
  deep = scene.shaded(scene.land.water) * 1.2
  image[:, 5:] = mix(image[:, 5:], deep, 0.4)
  return image[image[:, 1] > at]


def flowers(scene: Scene, mask: np.ndarray) -> brush.Strokes:
  """Dots of the land's accents in drifts, larger toward the viewer."""
  rng, n = scene.rng, 150
  depth = rng.uniform(0.05, 1, n) ** 0.8
  y = scene.horizon + (1 - scene.horizon) * depth
  drift = rng.uniform(0, 1, 5)
  x = rng.choice(drift, n) + rng.normal(0, 0.14, n)
  y, x, depth = (a[(x > 0) & (x < 1) & (y < 1)] for a in (y, x, depth))
  dry = mask[(y * GRID).astype(int), (x * GRID).astype(int)] < 0.5
  x, y, depth = x[dry], y[dry], depth[dry]
  local = unit(scene.land.flowers)[
    rng.integers(len(scene.land.flowers), size=len(x))
  ]
  size = 0.005 + 0.014 * depth
  light = np.float32(scene.light.lit)
  return brush.strokes(x, y, size, 0.8 * size, 0.3, local * light)


def houses(scene: Scene, x: float, y: float, size: float) -> brush.Strokes:
  """A few gabled houses, one with a tower now and then."""
  rng, land = scene.rng, scene.land
  rows = []
  for place in np.sort(rng.normal(x, 1.6 * size, rng.integers(1, 5))):
    wide = size * rng.uniform(0.8, 1.3)
    tall = 0.6 * size
    wall = scene.lit((232, 222, 200)) * rng.uniform(0.8, 1.05)
    roof = mix(
      scene.lit((176, 92, 70)), scene.shaded(land.hill), rng.uniform(0, 0.7)
    )
    side = np.sign(scene.sun[0] - place)
    dark = mix(wall, scene.shaded((200, 190, 190)), 0.8)
    rows += [
      brush.strokes(place, y - tall / 2, wide, tall, 0, wall),
      brush.strokes(
        place - side * wide * 0.3, y - tall / 2, 0.4 * wide, tall, 0, dark
      ),
      brush.strokes(
        place - 0.2 * wide, y - 1.1 * tall, 0.7 * wide, 0.25 * wide, -0.6, roof
      ),
      brush.strokes(
        place + 0.2 * wide,
        y - 1.1 * tall,
        0.7 * wide,
        0.25 * wide,
        0.6,
        roof * 0.9,
      ),
    ]
  return np.concatenate(rows)


def sails(scene: Scene) -> brush.Strokes:
  """Boats with a sail, smaller toward the horizon, with their mirror images."""
  rng = scene.rng
  rows = []
  for depth in np.sort(rng.uniform(0.03, 0.5, rng.integers(1, 5))):
    x = rng.uniform(0.1, 0.9)
    y = scene.horizon + (1 - scene.horizon) * depth
    size = 0.05 + 0.22 * depth
    canvas = scene.lit(
      ((242, 232, 208), (206, 120, 72), (240, 236, 226))[rng.integers(3)]
    )
    lean = rng.choice([-1, 1])
    steps = np.linspace(0, 1, 7)
    sail = brush.strokes(
      x + lean * 0.2 * size * (1 - steps), y - size * (0.15 + 0.8 * steps),
      size * (0.55 - 0.5 * steps), size * 0.2, -0.1 * lean, canvas,
    )  # fmt: skip
    hull = brush.strokes(
      x, y - 0.05 * size, 0.8 * size, 0.14 * size, 0, scene.shaded((90, 70, 60))
    )
    boat = np.concatenate([sail, hull])
    rows += [reflected(scene, boat, y), boat]
  return np.concatenate(rows)
