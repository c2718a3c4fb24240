"""What stands, floats or glitters in a landscape, each as strokes."""

import numpy as np

from astgan.data import brush
from astgan.data.scenery import Scene, look_up, mix, smoothstep, unit


def sun(scene: Scene) -> brush.Strokes:
  """The disc of the sun or the moon, of strokes through one centre."""
  radius = scene.rng.uniform(0.025, 0.05)
  turn = scene.rng.uniform(0, np.pi, 6)
  return brush.strokes(
    *scene.sun, 2 * radius, 1.7 * radius, turn, unit(scene.light.sun)
  )


def stars(scene: Scene) -> brush.Strokes:
  """Dots of moonlight in the upper sky."""
  rng, count = scene.rng, scene.rng.integers(12, 40)
  at_x, at_y = rng.uniform(0, 1, (2, count))
  size = rng.uniform(0.006, 0.016, count)
  pale = mix(unit(scene.light.sun), 1.0, 0.3)
  return brush.strokes(at_x, 0.85 * scene.horizon * at_y, size, size, 0, pale)


def dabs(rng, x, y, across, up, count, lit, dark, toward, *, size, angle):
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
  colour = mix(dark[:, None], lit[:, None], smoothstep(-0.9, 1.0, tone))
  length = size * ((across + up) / 2)[:, None] * rng.uniform(0.6, 1.3, shape)
  heap = brush.strokes(
    x[:, None] + dx * across[:, None],
    y[:, None] + dy * up[:, None],
    length,
    0.5 * length,
    angle + rng.normal(0, 0.4, shape),
    colour + rng.normal(0, 0.025, (*shape, 1)),
  ).reshape(*shape, 8)
  body = brush.strokes(
    x, y, 1.5 * across, 1.5 * up, 0.0, mix(dark, lit, np.float32(0.25))
  ).reshape(-1, 1, 8)
  return np.concatenate([body, heap], 1).reshape(-1, 8)


def cumuli(scene: Scene) -> brush.Strokes:
  """Heaped clouds, smaller and flatter toward the horizon."""
  rng, count, heaps = scene.rng, scene.rng.integers(2, 6), 5
  down = np.sort(rng.uniform(0.12, 0.8, (count, 1)), 0)[::-1]
  size = (1 - 0.75 * down) * rng.uniform(0.07, 0.18, (count, 1))
  spread = np.linspace(-1, 1, heaps) + rng.normal(0, 0.15, (count, heaps))
  across = (size * (1.15 - 0.7 * np.abs(spread))).ravel()
  x = (rng.uniform(-0.1, 1.1, (count, 1)) + 1.4 * size * spread).ravel()
  y = np.repeat(scene.horizon * down, heaps) - 0.35 * across
  lit = np.broadcast_to(unit(scene.light.cloud_lit), (len(x), 3))
  dark = np.broadcast_to(unit(scene.light.cloud_shade), (len(x), 3))
  return dabs(
    rng, x, y, across, 0.5 * across, 16, lit, dark, (0.5 * scene.side, -0.9),
    size=0.75, angle=0.0,
  )  # fmt: skip


def glints(scene: Scene, wet) -> brush.Strokes:
  """Level flecks of the sun in a column under it, wider toward the viewer."""
  rng, count = scene.rng, 70
  near = rng.uniform(0, 1, count) ** 1.3
  x = scene.sun[0] + rng.normal(0, 1, count) * (0.012 + 0.06 * near)
  length = (0.02 + 0.05 * near) * rng.uniform(0.6, 1.3, count)
  colour = mix(unit(scene.light.sun), unit(scene.light.horizon), 0.3)
  y = scene.foot(near)
  rows = brush.strokes(x, y, length, 0.005 + 0.008 * near, 0.0, colour)
  return rows[look_up(wet, x, y) > 0]


def reflected(scene: Scene, rows: brush.Strokes, at) -> brush.Strokes:
  """Strokes upside down in water whose edge is at the height `at`."""
  image = rows.copy()
  image[:, 1] = 2 * at - image[:, 1]
  image[:, 4] = -image[:, 4]
  deep = scene.tinted(scene.land.water, 0.3)
  image[:, 5:] = mix(image[:, 5:], deep, 0.4)
  return image[image[:, 1] > at]


# Lobes of a crown: how many, spread across and up, their half axes across and
# up, the height of their middle, the angle of the dabs; lengths in heights.
CROWNS = {
  "round": (8, 0.24, 0.22, 0.16, 0.14, 0.66, 0.5),
  "poplar": (6, 0.02, 0.34, 0.085, 0.16, 0.54, 1.4),
  "birch": (6, 0.12, 0.24, 0.11, 0.13, 0.66, 1.1),
  "willow": (7, 0.28, 0.1, 0.14, 0.3, 0.56, 1.57),
  "bush": (4, 0.45, 0.12, 0.35, 0.35, 0.35, 0.4),
  "pine": (5, 0.26, 0.16, 0.2, 0.05, 0.78, 0.0),
}


def trees(scene: Scene, kind: str, x, y, tall, *, count: int) -> brush.Strokes:
  """Trees of a kind, the farthest first, of `count` dabs to a lobe.

  Args:
    x, y: their feet [n]; tall: their heights [n].
  """
  order = np.argsort(y)
  x, y, tall = (np.broadcast_arrays(x, y, tall)[i][order] for i in range(3))
  rng, land, n = scene.rng, scene.land, len(x)
  tall = tall * (0.4 if kind == "bush" else 1.0)
  near = scene.nearness(y)
  air = 0.5 * (1 - near) ** 6

  def toned(colour, sunny):
    vary = 1 + rng.normal(0, 0.07, (n, 3))
    return scene.hazed(scene.tinted(colour, sunny) * vary, air)

  bark = (226, 220, 206) if kind == "birch" else land.leaf_shade
  bark = toned(bark, 0.5 if kind == "birch" else 0.2)
  lean = -np.pi / 2 + rng.normal(0, 0.05, n)
  trunk = brush.strokes(
    x, y - 0.33 * tall, 0.68 * tall, 0.035 * tall + 0.003, lean, bark
  ).reshape(n, 1, 8)
  lit, dark = toned(land.leaf, 1.0), toned(land.leaf_shade, 0.35)
  if kind == "bare":
    crown = twigs(rng, x, y, tall, 4 * count, bark)
  elif kind == "conifer":
    crown = boughs(scene, x, y, tall, 9 * count, lit, dark)
  else:
    lobes, wide, high, across, up, middle, angle = CROWNS[kind]
    dx, dy = rng.uniform(-1, 1, (2, n, lobes))
    if kind in ("poplar", "birch"):
      dy = np.linspace(1, -1, lobes) + 0.2 * dy
    taper = 1 - 0.4 * np.abs(dy)
    at_x = x[:, None] + dx * wide * tall[:, None] * taper
    at_y = y[:, None] + (0.8 * dy * high - middle) * tall[:, None]
    sunny = 0.25 * (dx * scene.side - dy)[..., None]
    crown = dabs(
      rng,
      at_x.ravel(),
      at_y.ravel(),
      (across * tall[:, None] * taper).ravel(),
      (up * tall[:, None] * taper).ravel(),
      count,
      (lit[:, None] * (1 + 0.5 * sunny)).reshape(-1, 3),
      (dark[:, None] * (1 + sunny)).reshape(-1, 3),
      (0.7 * scene.side, -0.7),
      size=2.2 / np.sqrt(count + 3),
      angle=angle,
    )
  fall = np.linspace(0.1, -0.75, 7) * scene.side  # away from the light
  shadow = brush.strokes(
    x[:, None] + tall[:, None] * fall,
    (y + 0.01 * tall)[:, None] + tall[:, None] * rng.normal(0, 0.018, (n, 7)),
    0.3 * tall[:, None],
    0.035 * tall[:, None],
    rng.normal(0, 0.08, (n, 7)),
    toned(land.meadow, 0.1)[:, None],
  ).reshape(n, 7, 8)
  crown = crown.reshape(n, -1, 8)
  return np.concatenate([shadow, trunk, crown], 1).reshape(-1, 8)


def boughs(scene: Scene, x, y, tall, count, lit, dark) -> brush.Strokes:
  """The tiers of firs: drooping strokes, shorter toward the top."""
  rng, shape = scene.rng, (len(x), count)
  down = -np.sort(-(rng.uniform(0, 1, shape) ** 0.7))
  off = rng.uniform(-1, 1, shape)
  tone = smoothstep(-1.2, 1.4, scene.side * off + rng.normal(0, 0.5, shape))
  high = tall[:, None]
  return brush.strokes(
    x[:, None] + 0.2 * off * down * high,
    y[:, None] - high * (1 - 0.88 * down) + 0.05 * np.abs(off) * high,
    (0.05 + 0.14 * down) * high,
    0.045 * high,
    0.5 * np.sign(off) + rng.normal(0, 0.15, shape),
    mix(dark[:, None], lit[:, None], 0.6 * tone),
  )


def twigs(rng, x, y, tall, count, bark) -> brush.Strokes:
  """A bare crown: strokes that fan out of the upper trunk."""
  shape = (len(x), count)
  lean = rng.normal(0, 0.6, shape)
  reach = rng.uniform(0.15, 0.6, shape) * tall[:, None]
  return brush.strokes(
    x[:, None] + np.sin(lean) * reach,
    y[:, None] - 0.42 * tall[:, None] - np.cos(lean) * reach,
    0.3 * tall[:, None],
    0.014 * tall[:, None] + 0.002,
    lean - np.pi / 2 + rng.normal(0, 0.25, shape),
    bark[:, None] * rng.uniform(0.9, 1.5, (*shape, 1)),
  )


def flowers(scene: Scene, dry) -> brush.Strokes:
  """Dots of the land's accents in drifts, larger toward the viewer."""
  rng, count = scene.rng, scene.rng.integers(60, 200)
  near = rng.uniform(0.05, 1, count) ** 0.8
  x = rng.choice(rng.uniform(0, 1, 5), count) + rng.normal(0, 0.14, count)
  y = scene.foot(near)
  hues = unit(scene.land.flowers)[
    rng.integers(len(scene.land.flowers), size=count)
  ]
  size = 0.005 + 0.014 * near
  hues = hues * np.float32(scene.light.lit)
  rows = brush.strokes(x, y, size, 0.8 * size, 0.3, hues)
  return rows[look_up(dry, x, y) > 0]


def grass(scene: Scene, dry) -> brush.Strokes:
  """Upright blades in the foreground."""
  rng, count = scene.rng, 110
  near = 1 - 0.55 * rng.uniform(0, 1, count) ** 1.5
  near = np.sort(near)
  x, y = rng.uniform(0, 1, count), scene.foot(near)
  local = mix(
    unit(scene.land.meadow), unit(scene.land.field), rng.uniform(0, 1, count)
  )
  tall = rng.uniform(0.04, 0.09, count) * near**2
  tone = scene.tinted(local, rng.uniform(0, 1, count))
  lean = rng.normal(-1.5, 0.25, count)
  rows = brush.strokes(x, y - tall / 2, tall, 0.008, lean, tone)
  return rows[look_up(dry, x, y) > 0]


def houses(scene: Scene, x, y, size) -> brush.Strokes:
  """A row of gabled houses, now and then with a steeple."""
  rng, land, rows = scene.rng, scene.land, []
  for place in np.sort(rng.normal(x, 1.6 * size, rng.integers(1, 5))):
    wide, tall = size * rng.uniform(0.8, 1.3), 0.6 * size
    wall = scene.tinted((232, 222, 200), rng.uniform(0.7, 1))
    tiles = mix(unit((176, 92, 70)), unit(land.hill), rng.uniform(0, 0.8))
    gable = place - 0.3 * scene.side * wide
    roof = y - 1.1 * tall
    rows += [
      brush.strokes(place, y - tall / 2, wide, tall, 0, wall),
      brush.strokes(
        gable,
        y - tall / 2,
        0.4 * wide,
        tall,
        0,
        scene.tinted((220, 210, 200), 0.1),
      ),
      brush.strokes(
        place + wide * np.array([-0.2, 0.2]),
        roof,
        0.7 * wide,
        0.25 * wide,
        np.array([-0.6, 0.6]),
        scene.tinted(tiles, np.array([0.5, 0.8]) + 0.2 * scene.side),
      ),
    ]
  if rng.random() < 0.4:
    stone, slate = (
      scene.tinted((200, 190, 176), 0.7),
      scene.tinted(land.hill, 0.2),
    )
    rows += [
      brush.strokes(x, y - size, 2 * size, 0.45 * size, np.pi / 2, stone),
      brush.strokes(
        x, y - 2.2 * size, 1.3 * size, 0.3 * size, np.pi / 2, slate
      ),
    ]
  return np.concatenate(rows)


def stacks(scene: Scene, dry) -> brush.Strokes:
  """Haystacks, with their shadows."""
  rng, count = scene.rng, scene.rng.integers(1, 5)
  near = np.sort(rng.uniform(0.08, 0.6, count))
  x, y = rng.uniform(0.1, 0.9, count), scene.foot(near)
  size = 0.04 + 0.16 * near
  lit = np.repeat(scene.tinted((226, 184, 104), 1.0)[None], count, 0)
  dark = np.repeat(scene.tinted((190, 140, 110), 0.2)[None], count, 0)
  shadow = brush.strokes(
    x - 0.8 * scene.side * size, y, 2 * size, 0.3 * size, 0.0,
    scene.tinted(scene.land.meadow, 0.0),
  )  # fmt: skip
  heaps = [shadow] + [
    dabs(
      rng, x, y - rise * size, half * size, 0.35 * size, 26, lit, dark,
      (0.8 * scene.side, -0.5), size=0.6, angle=1.2,
    )
    for rise, half in ((0.35, 0.6), (0.75, 0.35))
  ]  # fmt: skip
  rows = np.concatenate(heaps)
  return rows[
    look_up(dry, rows[:, 0], np.maximum(rows[:, 1], scene.horizon + 0.02)) > 0
  ]


def boats(scene: Scene) -> brush.Strokes:
  """Sailing boats, smaller toward the horizon, with their mirror images."""
  rng, rows = scene.rng, []
  cloths = ((242, 232, 208), (206, 120, 72), (240, 236, 226), (214, 176, 120))
  for near in np.sort(rng.uniform(0.03, 0.5, rng.integers(1, 5))):
    x, y, size = rng.uniform(0.1, 0.9), scene.foot(near), 0.05 + 0.22 * near
    lean, up = rng.choice([-1, 1]), np.linspace(0, 1, 7)
    cloth = scene.tinted(cloths[rng.integers(len(cloths))], 0.95)
    sail = brush.strokes(
      x + 0.2 * lean * size * (1 - up), y - size * (0.15 + 0.8 * up),
      size * (0.55 - 0.5 * up), 0.2 * size, -0.1 * lean, cloth,
    )  # fmt: skip
    wood = scene.tinted((90, 70, 60), 0.3)
    hull = brush.strokes(x, y - 0.05 * size, 0.8 * size, 0.14 * size, 0, wood)
    boat = np.concatenate([sail, hull])
    rows += [reflected(scene, boat, y), boat]
  return np.concatenate(rows)
