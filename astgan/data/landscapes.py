"""The built-in data source: naive landscape paintings, drawn by number."""

import jaxtyping
import numpy as np
from PIL import Image

from astgan.data import brush, palettes, scenery, staffage


def draw(
  index: int, *, size: int, seed: int = 0
) -> jaxtyping.UInt8[np.ndarray, "{size} {size} 3"]:
  """One painting, RGB: the same for the same (seed, index), at any size.

  A manner, a light, a land and a subject are chosen; scenery is laid in and
  painted over with strokes, from the sky to what stands in front.

  Args:
    index: which painting, 0 or more.
    size: side in pixels.
    seed: which endless series of paintings, 0 or more.
  """
  rng = np.random.default_rng([seed, index])
  scene = compose(rng)
  # One resolution for all sizes up to 128: a small picture is a large one seen
  # from farther away.
  side = 256 if size <= 128 else 2 * size
  rows = np.concatenate(scene.layers)
  rows[:, 5:] = graded(scene, rows[:, 5:])
  picture = brush.paint(rng, graded(scene, scene.colour), rows, side)
  picture = Image.fromarray(picture)
  return np.asarray(picture.resize((size, size), Image.Resampling.BOX))


def graded(scene: scenery.Scene, colour: np.ndarray) -> np.ndarray:
  """Colours as the manner has them, over a canvas toned by the light."""
  manner = scene.manner
  grey = colour.mean(-1, keepdims=True)
  colour = grey + manner.saturation * (colour - grey)
  colour = 0.47 + manner.contrast * (colour - 0.47)
  return scenery.mix(colour, scenery.unit(scene.light.horizon), 0.05)


def compose(rng: np.random.Generator) -> scenery.Scene:
  """A scene with all its strokes, back to front."""
  manner = list(palettes.MANNERS.values())[rng.integers(len(palettes.MANNERS))]
  light = varied(rng, palettes.LIGHTS[rng.choice(manner.lights)])
  land = varied(rng, palettes.LANDS[rng.choice(manner.lands)])
  subject = list(SUBJECTS)[rng.integers(len(SUBJECTS))]
  horizon = float(rng.uniform(*SUBJECTS[subject]))
  sun_x = 0.5 + rng.choice([-1, 1]) * rng.uniform(0.08, 0.42)
  sun_y = horizon * (1 - rng.uniform(*light.height))
  scene = scenery.Scene(
    rng,
    manner,
    light,
    land,
    horizon,
    (float(sun_x), float(sun_y)),
    np.zeros((scenery.GRID, scenery.GRID, 3), np.float32),
    np.zeros((scenery.GRID, scenery.GRID), np.float32),
    np.ones((scenery.GRID, scenery.GRID, 3), np.float32) * 2,
    [],
  )
  paint_sky(scene)
  subject(scene)
  return scene


def varied(rng: np.random.Generator, palette):
  """A palette mixed anew: its colours in [0, 1], a little off."""
  mixed = {
    name: scenery.unit(colour) + rng.normal(0, 0.04, 3).astype(np.float32)
    for name, colour in palette._asdict().items()
    if palette.__annotations__[name] is palettes.Colour
  }
  return palette._replace(**mixed)


def chance(scene: scenery.Scene, share: float) -> bool:
  return scene.rng.random() < share


def paint_sky(scene: scenery.Scene) -> None:
  """The sky, its sun or moon, its clouds."""
  scenery.sky(scene)
  scene.cover()
  if scene.light.body == "moon":
    scene.layers.append(staffage.stars(scene))
  if scene.light.body == "moon" or (scene.light.body and chance(scene, 0.7)):
    scene.layers.append(staffage.sun(scene))
  if chance(scene, 0.35):
    scene.layers.append(staffage.cumuli(scene))


def lay_distance(scene: scenery.Scene, height: float, share: float) -> None:
  """Mountains for a share of the pictures, woods, mist."""
  if chance(scene, share):
    kind = str(scene.rng.choice(scene.land.ranges))
    scenery.ranges(scene, kind, int(scene.rng.integers(1, 4)), height)
  if chance(scene, 0.6):
    scenery.woods(scene, scene.rng.uniform(0.03, 0.1))
  if chance(scene, 0.3):
    scenery.mist(scene)


def plant(scene, near, x, tall, *, count=7, mirror=None) -> None:
  """Trees of one kind at the nearness and x given, `tall` times eye height."""
  y = scene.foot(near)
  kind = str(scene.rng.choice(scene.land.trees))
  eye = y - scene.horizon + 0.015
  rows = staffage.trees(scene, kind, x, y, tall * eye, count=count)
  if mirror is not None:
    scene.layers.append(staffage.reflected(scene, rows, mirror))
  scene.layers.append(rows)


def copses(scene: scenery.Scene) -> None:
  """Groups of trees over the middle distance."""
  rng = scene.rng
  for near in np.sort(rng.uniform(0, 1, rng.integers(1, 5)) ** 2)[::1] * 0.25:
    n = rng.integers(1, 6)
    x = rng.uniform(0, 1) + rng.normal(0, 0.07, n)
    plant(scene, near + 0.02 * rng.random(n), x, rng.uniform(2, 4, n))


def frame(scene: scenery.Scene, share: float) -> None:
  """A tree or two in front, at one side, for a share of the pictures."""
  rng = scene.rng
  if not chance(scene, share):
    return
  n = rng.integers(1, 4)
  edge = rng.uniform(0.0, 0.22)
  x = (edge if chance(scene, 0.5) else 1 - edge) + rng.normal(0, 0.06, n)
  near = rng.uniform(0.45, 0.95, n)
  tall = rng.uniform(0.5, 0.95) / (1 - scene.horizon)
  plant(scene, near, x, tall * rng.uniform(0.8, 1.2, n) / near.mean(), count=30)


def dress(scene: scenery.Scene, dry) -> None:
  """Village, flowers, grass, haystacks on the ground `dry`."""
  rng = scene.rng
  if chance(scene, 0.4):
    near = rng.uniform(0.02, 0.15)
    size = 0.03 + 0.3 * near
    x, y = rng.uniform(0.1, 0.9), scene.foot(near)
    scene.layers.append(staffage.houses(scene, x, y, size))
  copses(scene)
  if chance(scene, 0.15):
    scene.layers.append(staffage.stacks(scene, dry))
  if chance(scene, 0.5):
    scene.layers.append(staffage.grass(scene, dry))
  if chance(scene, 0.45):
    scene.layers.append(staffage.flowers(scene, dry))


def sea(scene: scenery.Scene) -> None:
  rng = scene.rng
  if chance(scene, 0.5):
    kind = str(rng.choice(["headland", "headland", "hills", "peak"]))
    scenery.ranges(scene, kind, 1, rng.uniform(0.08, 0.3))
  wet = scenery.y > scene.horizon
  scenery.water(scene, wet, waves=rng.uniform(0.5, 1))
  beach = chance(scene, 0.4)
  if beach:
    slope = rng.uniform(-0.3, 0.3) * (scenery.x[0] - 0.5)
    line = rng.uniform(0.78, 0.95) + slope
    wet &= ~scenery.ground(scene, line)
  scene.cover()
  if scene.light.body or chance(scene, 0.2):
    scene.layers.append(staffage.glints(scene, wet))
  if chance(scene, 0.7):
    scene.layers.append(staffage.boats(scene))
  if beach:
    frame(scene, 0.3)


def lake(scene: scenery.Scene) -> None:
  rng = scene.rng
  lay_distance(scene, rng.uniform(0.15, 0.4), 0.85)
  wet = scenery.y > scene.horizon
  scenery.water(scene, wet, waves=rng.uniform(0.1, 0.5))
  line = rng.uniform(0.75, 1.1) + 0.07 * scenery.skyline(rng, 2, octaves=4)
  dry = scenery.ground(scene, line)
  wet &= ~dry
  scene.cover()
  if scene.light.body or chance(scene, 0.2):
    scene.layers.append(staffage.glints(scene, wet))
  n = rng.integers(2, 9)
  x = rng.uniform(0, 1) + rng.normal(0, 0.2, n)
  y = scene.horizon + 0.012
  plant(scene, scene.nearness(np.full(n, y)), x, rng.uniform(2, 5, n), mirror=y)
  if chance(scene, 0.35):
    scene.layers.append(staffage.boats(scene))
  scene.layers.append(staffage.grass(scene, dry))
  frame(scene, 0.5)


def river(scene: scenery.Scene) -> None:
  rng = scene.rng
  lay_distance(scene, rng.uniform(0.1, 0.3), 0.6)
  dry = scenery.ground(scene, scene.horizon)
  wet, _ = scenery.course(scene, rng.uniform(0.2, 0.5))
  scenery.water(scene, wet, waves=0.3)
  dry &= ~wet
  scene.cover()
  if scene.light.body or chance(scene, 0.2):
    scene.layers.append(staffage.glints(scene, wet))
  dress(scene, dry)
  frame(scene, 0.5)


def meadow(scene: scenery.Scene) -> None:
  rng = scene.rng
  lay_distance(scene, rng.uniform(0.06, 0.25), 0.6)
  dry = scenery.ground(scene, scene.horizon)
  scene.cover()
  dress(scene, dry)
  frame(scene, 0.6)


def field(scene: scenery.Scene) -> None:
  rng = scene.rng
  lay_distance(scene, rng.uniform(0.06, 0.25), 0.6)
  dry = scenery.ground(scene, scene.horizon, furrows=rng.uniform(0.5, 1))
  scene.cover()
  dress(scene, dry)
  frame(scene, 0.35)


def avenue(scene: scenery.Scene) -> None:
  rng = scene.rng
  lay_distance(scene, rng.uniform(0.06, 0.2), 0.5)
  dry = scenery.ground(scene, scene.horizon)
  way, middle = scenery.course(scene, rng.uniform(0.07, 0.18))
  scenery.road(scene, way)
  scene.cover()
  dress(scene, dry & ~way)
  if chance(scene, 0.6):
    near = np.geomspace(0.04, rng.uniform(0.35, 0.7), rng.integers(4, 8))
    centre = np.interp(scene.foot(near), scenery.y[:, 0], middle)
    off = rng.uniform(0.25, 0.4) * (near + 0.04)
    sides = [-1, 1] if chance(scene, 0.6) else [scene.side]
    x = np.concatenate([centre + side * off for side in sides])
    near = np.tile(near, len(sides))
    plant(scene, near, x, rng.uniform(1.4, 2.6), count=14)
  else:
    frame(scene, 0.6)


def wood(scene: scenery.Scene) -> None:
  rng = scene.rng
  lay_distance(scene, 0.15, 0.4)
  scenery.woods(scene, rng.uniform(0.1, 0.2))
  dry = scenery.ground(scene, scene.horizon)
  if chance(scene, 0.5):
    way, _ = scenery.course(scene, rng.uniform(0.07, 0.15))
    scenery.road(scene, way)
  scene.cover()
  n = rng.integers(8, 18)
  near = rng.uniform(0, 1, n) ** 1.6 * 0.6 + 0.05
  x = rng.uniform(-0.05, 1.05, n)
  # A clearing.
  gap = rng.uniform(0.25, 0.75)
  x = x + 0.18 * np.sign(x - gap) * near
  plant(scene, near, x, rng.uniform(2, 4, n), count=14)
  if chance(scene, 0.5):
    scene.layers.append(staffage.flowers(scene, dry))


def alps(scene: scenery.Scene) -> None:
  rng = scene.rng
  kinds = [kind for kind in scene.land.ranges if kind != "hills"]
  kind = str(rng.choice(kinds or ["alps"]))
  height = scene.horizon * rng.uniform(0.5, 0.85)
  scenery.ranges(scene, kind, int(rng.integers(2, 5)), height)
  scenery.woods(scene, rng.uniform(0.03, 0.09))
  if chance(scene, 0.4):
    scenery.mist(scene)
  dry = scenery.ground(scene, scene.horizon)
  scene.cover()
  dress(scene, dry)
  frame(scene, 0.4)


# The range of the horizon's height in each.
SUBJECTS = {
  sea: (0.28, 0.72),
  lake: (0.35, 0.62),
  river: (0.28, 0.55),
  meadow: (0.35, 0.75),
  field: (0.25, 0.5),
  avenue: (0.35, 0.65),
  wood: (0.4, 0.65),
  alps: (0.55, 0.75),
}
