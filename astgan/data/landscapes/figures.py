"""The strokes of the sun, clouds, grass, flowers, houses and boats."""

import numpy as np

from astgan.data.landscapes import brush, palettes
from astgan.data.landscapes.scene import Scene

TILES, WALL, WOOD = palettes.rgb("ba6046 ece2ce 5a463c")
SAILS = palettes.rgb("f2e8d0 ce7848 f0ece2 d6b078")


def sun(scene: Scene) -> None:
  """The disc of the sun, or of the moon among stars."""
  rng, colour = scene.rng, scene.light.sun
  if scene.light.body == "moon":
    x, y = rng.uniform(0, 1, (2, rng.integers(12, 40)))
    size = rng.uniform(0.006, 0.016, len(x))
    scene.stroke(x, 0.85 * scene.horizon * y, size, size, 0, 1.1 * colour)
  size = rng.uniform(0.05, 0.1)
  scene.stroke(*scene.sun, size, 0.8 * size, np.linspace(0, np.pi, 9), colour)


def clouds(scene: Scene) -> None:
  """Heaped clouds, smaller and flatter toward the horizon."""
  rng, light, n = scene.rng, scene.light, scene.rng.integers(2, 6)
  down = -np.sort(-rng.uniform(0.12, 0.8, (n, 1)), 0)
  size = (1 - 0.75 * down) * rng.uniform(0.07, 0.18, (n, 1))
  spread = np.linspace(-1, 1, 5) + rng.normal(0, 0.15, (n, 5))
  across = size * (1.15 - 0.7 * np.abs(spread))
  x = rng.uniform(-0.1, 1.1, (n, 1)) + 1.4 * size * spread
  y, colours = scene.horizon * down - 0.35 * across, light[4:6]
  heap = brush.dabs(rng, x, y, across, across / 2, *colours, scene.side, 11, 0)
  scene.strokes.append(heap)


def glints(scene: Scene) -> None:
  """Reflections of the sun in a column below it, wider toward the viewer."""
  rng, n = scene.rng, 70
  near = rng.uniform(0, 1, n) ** 1.3
  x = scene.sun[0] + rng.normal(0, 1, n) * (0.012 + 0.06 * near)
  length = (0.02 + 0.05 * near) * rng.uniform(0.6, 1.3, n)
  colour = palettes.mix(scene.light.sun, scene.light.horizon, 0.3)
  y, width = scene.ground_y(near), 0.005 + 0.008 * near
  scene.stroke(x, y, length, width, 0.0, colour, on=scene.wet)


def meadow(scene: Scene, dry) -> None:
  """Blades of grass in the foreground, flowers in drifts, both or neither."""
  rng, land, n = scene.rng, scene.land, 110
  x, amount, sunny = rng.uniform(0, 1, (3, n))
  if rng.random() < 0.6:
    near = np.sort(1 - 0.55 * rng.uniform(0, 1, n) ** 1.5)
    colour = scene.lit(palettes.mix(land.meadow, land.field, amount), sunny)
    tall = rng.uniform(0.04, 0.09, n) * near**2
    y, lean = scene.ground_y(near) - tall / 2, rng.normal(-1.5, 0.25, n)
    scene.stroke(x, y, tall, 0.008, lean, colour, on=dry)
  if rng.random() < 0.5:
    x, near = rng.choice(x[:5], n) + rng.normal(0, 0.14, n), amount**0.8
    size, y = 0.005 + 0.014 * near, scene.ground_y(near)
    colour = rng.choice(scene.lit(land.flowers, 1.0), n)
    scene.stroke(x, y, size, 0.8 * size, 0.3, colour, on=dry)


def houses(scene: Scene, x, y, size) -> None:
  """A row of gabled houses."""
  rng, land, side = scene.rng, scene.land, scene.side
  sides, thirds, upright = np.array([-1, 1]), np.linspace(-1, 1, 3), np.pi / 2
  for place in np.sort(rng.normal(x, 1.6 * size, rng.integers(1, 6))):
    wide, tall = size * rng.uniform(0.8, 1.3), 0.6 * size
    roof = palettes.mix(TILES, land.hill, rng.uniform(0, 0.8))
    # The side away from the light lies in the shade.
    wall = scene.lit(WALL, 0.6 + 0.42 * thirds * side)
    roof = scene.lit(roof, 0.5 + 0.4 * sides * side)
    at, middle = place + 0.32 * wide * thirds, y - tall / 2
    scene.stroke(at, middle, 1.2 * tall, 0.42 * wide, upright, wall)
    at, length, width = place + 0.22 * wide * sides, 0.75 * wide, 0.28 * wide
    scene.stroke(at, y - 1.1 * tall, length, width, 0.6 * sides, roof)


def boats(scene: Scene) -> None:
  """Sailing boats, smaller toward the horizon."""
  rng, up = scene.rng, np.linspace(0, 1, 7)
  for near in np.sort(rng.uniform(0.03, 0.5, rng.integers(1, 5))):
    x, y, size = rng.uniform(0.1, 0.9), scene.ground_y(near), 0.05 + 0.22 * near
    lean, cloth = rng.choice([-1, 1]), scene.lit(rng.choice(SAILS), 0.95)
    at, high = x + 0.2 * lean * size * (1 - up), y - size * (0.15 + 0.8 * up)
    length, width = size * (0.55 - 0.5 * up), 0.2 * size
    sail = brush.strokes(at, high, length, width, -0.1 * lean, cloth)
    wood, at = scene.lit(WOOD, 0.3), y - 0.05 * size
    hull = brush.strokes(x, at, 0.8 * size, 0.14 * size, 0, wood)
    scene.reflect(np.concatenate([sail, hull]), y)
