"""What stands, floats or glitters in a landscape, each as strokes."""

import numpy as np

from astgan.data.atelier import brush, canvas, palettes


def sun(scene: canvas.Scene) -> brush.Strokes:
  """The disc of the sun or the moon, of strokes through one centre."""
  radius = scene.rng.uniform(0.025, 0.05)
  turn = np.linspace(0, np.pi, 9)
  return brush.strokes(
    *scene.sun, 2 * radius, 1.6 * radius, turn, scene.light.sun
  )


def stars(scene: canvas.Scene) -> brush.Strokes:
  """Dots of moonlight in the upper sky."""
  rng, count = scene.rng, scene.rng.integers(12, 40)
  at_x, at_y = rng.uniform(0, 1, (2, count))
  size = rng.uniform(0.006, 0.016, count)
  pale = palettes.mix(scene.light.sun, (255, 255, 255), 0.3)
  return brush.strokes(at_x, 0.85 * scene.horizon * at_y, size, size, 0, pale)


def cumuli(scene: canvas.Scene) -> brush.Strokes:
  """Heaped clouds, smaller and flatter toward the horizon."""
  rng, count, heaps = scene.rng, scene.rng.integers(2, 6), 5
  down = np.sort(rng.uniform(0.12, 0.8, (count, 1)), 0)[::-1]
  size = (1 - 0.75 * down) * rng.uniform(0.07, 0.18, (count, 1))
  spread = np.linspace(-1, 1, heaps) + rng.normal(0, 0.15, (count, heaps))
  across = (size * (1.15 - 0.7 * np.abs(spread))).ravel()
  x = (rng.uniform(-0.1, 1.1, (count, 1)) + 1.4 * size * spread).ravel()
  y = np.repeat(scene.horizon * down, heaps) - 0.35 * across
  lit = np.broadcast_to(scene.light.cloud_lit, (len(x), 3))
  dark = np.broadcast_to(scene.light.cloud_shade, (len(x), 3))
  return brush.dabs(
    rng, x, y, across, 0.5 * across, 16, lit, dark, (0.5 * scene.side, -0.9),
    size=0.75, angle=0.0,
  )  # fmt: skip


def glints(scene: canvas.Scene) -> brush.Strokes:
  """Level flecks of the sun in a column under it, wider toward the viewer."""
  rng, count = scene.rng, 70
  near = rng.uniform(0, 1, count) ** 1.3
  x = scene.sun[0] + rng.normal(0, 1, count) * (0.012 + 0.06 * near)
  length = (0.02 + 0.05 * near) * rng.uniform(0.6, 1.3, count)
  colour = palettes.mix(scene.light.sun, scene.light.horizon, 0.3)
  y = scene.foot(near)
  return brush.strokes(x, y, length, 0.005 + 0.008 * near, 0.0, colour)


def surf(scene: canvas.Scene) -> brush.Strokes:
  """White crests, in lines that close up toward the horizon."""
  rng, count = scene.rng, 50
  near = rng.choice(np.linspace(0.15, 1, rng.integers(4, 8)) ** 2, count)
  near = near * rng.uniform(0.9, 1.1, count)
  length = (0.02 + 0.11 * near) * rng.uniform(0.4, 1.2, count)
  foam = palettes.mix(scene.light.cloud_lit, (255, 255, 255), 0.4)
  x, tilt = rng.uniform(0, 1, count), rng.normal(0, 0.06, count)
  return brush.strokes(x, scene.foot(near), length, 0.14 * length, tilt, foam)


def reflected(scene: canvas.Scene, rows: brush.Strokes, at) -> brush.Strokes:
  """Strokes upside down in water whose edge is at the height `at`."""
  image = rows.copy()
  image[:, 1] = 2 * at - image[:, 1]
  image[:, 4] = -image[:, 4]
  deep = scene.tinted(scene.land.water, 0.3)
  image[:, 5:] = palettes.mix(image[:, 5:], deep, 0.4)
  return image[image[:, 1] > at]


def flowers(scene: canvas.Scene) -> brush.Strokes:
  """Dots of the land's accents in drifts, larger toward the viewer."""
  rng, count = scene.rng, scene.rng.integers(60, 200)
  near = rng.uniform(0.05, 1, count) ** 0.8
  x = rng.choice(rng.uniform(0, 1, 5), count) + rng.normal(0, 0.14, count)
  y = scene.foot(near)
  size = 0.005 + 0.014 * near
  hues = rng.choice(scene.tinted(scene.land.flowers, 1.0), count)
  return brush.strokes(x, y, size, 0.8 * size, 0.3, hues)


def grass(scene: canvas.Scene) -> brush.Strokes:
  """Upright blades in the foreground."""
  rng, count = scene.rng, 110
  near = np.sort(1 - 0.55 * rng.uniform(0, 1, count) ** 1.5)
  kind, sunny = rng.uniform(0, 1, (2, count))
  tone = palettes.mix(scene.land.meadow, scene.land.field, kind)
  tone = scene.tinted(tone, sunny)
  tall = rng.uniform(0.04, 0.09, count) * near**2
  x, y = rng.uniform(0, 1, count), scene.foot(near)
  lean = rng.normal(-1.5, 0.25, count)
  return brush.strokes(x, y - tall / 2, tall, 0.008, lean, tone)


def houses(scene: canvas.Scene, x, y, size) -> brush.Strokes:
  """A row of gabled houses, now and then with a steeple."""
  rng, land, rows = scene.rng, scene.land, []
  upright, thirds = -np.pi / 2, np.array([-0.32, 0, 0.32])
  if scene.chance(0.4):
    stone = scene.tinted((214, 202, 184), 0.7)
    slate = scene.tinted(land.hill, 0.2)
    rows += [
      brush.strokes(x, y - 0.9 * size, 1.8 * size, 0.45 * size, upright, stone),
      brush.strokes(x, y - 2.2 * size, 1.3 * size, 0.3 * size, upright, slate),
    ]
  for place in np.sort(rng.normal(x, 1.6 * size, rng.integers(1, 6))):
    wide, tall = size * rng.uniform(0.8, 1.3), 0.6 * size
    tiles = palettes.mix((186, 96, 70), land.hill, rng.uniform(0, 0.8))
    slopes = np.array([-1, 1])
    sunny = 0.5 + 0.4 * slopes * scene.side
    # Three planks of wall, the one away from the light in shade.
    wall = scene.tinted((236, 226, 206), 0.6 + 1.3 * thirds * scene.side)
    middle, eaves = y - tall / 2, y - 1.1 * tall
    rows += [
      brush.strokes(
        place + thirds * wide, middle, 1.2 * tall, 0.42 * wide, upright, wall
      ),
      brush.strokes(
        place + 0.22 * wide * slopes, eaves, 0.75 * wide, 0.28 * wide,
        0.6 * slopes, scene.tinted(tiles, sunny),
      ),
    ]  # fmt: skip
  return np.concatenate(rows)


def bridge(scene: canvas.Scene, x, y, span) -> brush.Strokes:
  """An arched bridge over water, with its mirror image."""
  along = np.linspace(-1, 1, 11)
  rise = 0.22 * span * (1 - along**2)
  slope = np.arctan(0.44 * along)
  wood = scene.tinted(palettes.mix(scene.land.earth, (90, 60, 60), 0.5), 0.5)
  place, step = x + along * span / 2, 0.16 * span
  deck = brush.strokes(place, y - rise, step, 0.05 * span, slope, wood)
  rail = brush.strokes(
    place, y - rise - 0.1 * span, step, 0.018 * span, slope, 1.2 * wood
  )
  posts = brush.strokes(
    place, y - rise - 0.05 * span, 0.1 * span, 0.014 * span, np.pi / 2, wood
  )
  rows = np.concatenate([deck, posts, rail])
  return np.concatenate([reflected(scene, rows, y + 0.01), rows])


def stacks(scene: canvas.Scene) -> brush.Strokes:
  """Haystacks, with their shadows, the farthest first."""
  rng, count, rows = scene.rng, scene.rng.integers(1, 4), []
  lit = scene.tinted((226, 184, 104), 1.0)[None]
  dark = scene.tinted((190, 140, 110), 0.2)[None]
  shade = scene.tinted(scene.land.meadow, 0.1)
  for near in np.sort(rng.uniform(0.08, 0.5, count)):
    x, y = rng.uniform(0.1, 0.9, 1), scene.foot(near)
    size = np.full(1, 0.04 + 0.18 * near)
    rows.append(
      brush.strokes(
        x - 0.6 * scene.side * size, y, 1.8 * size, 0.3 * size, 0.0, shade
      )
    )
    for rise, half in ((0.3, 0.6), (0.75, 0.32)):
      rows.append(
        brush.dabs(
          rng, x, y - rise * size, half * size, 0.36 * size, 30, lit, dark,
          (0.8 * scene.side, -0.5), size=0.5, angle=1.2,
        )
      )  # fmt: skip
  return np.concatenate(rows)


def boats(scene: canvas.Scene) -> brush.Strokes:
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
