"""What the landscapes are about: one recipe each, from far to near."""

import numpy as np

from astgan.data.atelier import canvas, scenery, staffage, trees


def heavens(scene: canvas.Scene) -> None:
  """The sky of every landscape, its sun or moon, its clouds."""
  scenery.sky(scene)
  scene.cover()
  if scene.light.body == "moon":
    scene.add(staffage.stars(scene))
    scene.add(staffage.sun(scene))
  elif scene.light.body == "sun" and scene.chance(0.7):
    scene.add(staffage.sun(scene))
  if scene.chance(0.35):
    scene.add(staffage.cumuli(scene))


def distance(scene: canvas.Scene, height: float, share: float) -> None:
  """Mountains for a share of the pictures, woods, mist."""
  if scene.chance(share):
    count = int(scene.rng.integers(1, 4))
    scenery.ranges(scene, scene.pick(scene.land.ranges), count, height)
  if scene.chance(0.6):
    scenery.woods(scene, scene.rng.uniform(0.03, 0.1))
  if scene.chance(0.3):
    scenery.mist(scene)


def dress(scene: canvas.Scene, dry) -> None:
  """Village, copses, haystacks, grass and flowers on the ground `dry`."""
  rng = scene.rng
  if scene.chance(0.45):
    near = rng.uniform(0.02, 0.2)
    at_x, at_y = rng.uniform(0.1, 0.9), scene.foot(near)
    if canvas.look_up(dry, at_x, at_y):
      scene.add(staffage.houses(scene, at_x, at_y, 0.035 + 0.35 * near))
  trees.copses(scene)
  if scene.chance(0.15) and not scene.wet.any():
    scene.add(staffage.stacks(scene))
  if scene.chance(0.5):
    scene.add(staffage.grass(scene), on=dry)
  if scene.chance(0.45):
    scene.add(staffage.flowers(scene), on=dry)


def sparkle(scene: canvas.Scene) -> None:
  """Glints under a low sun or the moon, seldom under a high one."""
  if scene.light.body or scene.chance(0.2):
    scene.add(staffage.glints(scene), on=scene.wet)


def sea(scene: canvas.Scene) -> None:
  rng = scene.rng
  if scene.chance(0.5):
    kind = scene.pick(("headland", "headland", "hills", "peak"))
    scenery.ranges(scene, kind, 1, rng.uniform(0.08, 0.3))
  waves = rng.uniform(0.4, 1)
  scenery.water(scene, canvas.y > scene.horizon, waves=waves)
  beach = scene.chance(0.4)
  if beach:
    line = rng.uniform(0.78, 0.95) + rng.uniform(-0.3, 0.3) * (
      canvas.x[0] - 0.5
    )
    scenery.ground(scene, line)
  scene.cover()
  if waves > 0.8:
    scene.add(staffage.surf(scene), on=scene.wet)
  sparkle(scene)
  if scene.chance(0.75):
    scene.add(staffage.boats(scene))
  if beach and scene.chance(0.3):
    trees.frame(scene)


def lake(scene: canvas.Scene) -> None:
  rng = scene.rng
  distance(scene, rng.uniform(0.15, 0.4), 0.85)
  scenery.water(scene, canvas.y > scene.horizon, waves=rng.uniform(0.1, 0.5))
  shore = rng.uniform(0.75, 1.1) + 0.07 * canvas.skyline(rng, 2, octaves=4)
  dry = scenery.ground(scene, shore)
  scene.cover()
  sparkle(scene)
  n = rng.integers(2, 9)
  place = rng.uniform(0, 1) + rng.normal(0, 0.2, n)
  near = np.full(n, 0.02)
  bank = scene.foot(0.02)
  trees.plant(scene, place, near, rng.uniform(2, 5, n), mirror=bank)
  if scene.chance(0.35):
    scene.add(staffage.boats(scene))
  scene.add(staffage.grass(scene), on=dry)
  if scene.chance(0.5):
    trees.frame(scene)


def river(scene: canvas.Scene) -> None:
  rng = scene.rng
  distance(scene, rng.uniform(0.1, 0.3), 0.6)
  dry = scenery.ground(scene, scene.horizon)
  wet, middle = scenery.course(scene, rng.uniform(0.14, 0.42))
  scenery.water(scene, wet, waves=0.3)
  dry &= ~wet
  scene.cover()
  sparkle(scene)
  dress(scene, dry)
  if scene.chance(0.3):
    near = rng.uniform(0.1, 0.25)
    at = scene.foot(near)
    row = np.abs(canvas.y[:, 0] - at).argmin()
    scene.add(staffage.bridge(scene, middle[row], at, 1.5 * wet[row].mean()))
  if scene.chance(0.5):
    trees.frame(scene)


def meadow(scene: canvas.Scene) -> None:
  distance(scene, scene.rng.uniform(0.06, 0.25), 0.6)
  dry = scenery.ground(scene, scene.horizon)
  scene.cover()
  dress(scene, dry)
  if scene.chance(0.6):
    trees.frame(scene)


def field(scene: canvas.Scene) -> None:
  rng = scene.rng
  distance(scene, rng.uniform(0.06, 0.25), 0.6)
  dry = scenery.ground(scene, scene.horizon, furrows=rng.uniform(0.5, 1))
  scene.cover()
  dress(scene, dry)
  if scene.chance(0.35):
    trees.frame(scene)


def avenue(scene: canvas.Scene) -> None:
  rng = scene.rng
  distance(scene, rng.uniform(0.06, 0.2), 0.5)
  dry = scenery.ground(scene, scene.horizon)
  way, middle = scenery.course(scene, rng.uniform(0.07, 0.18))
  scenery.road(scene, way)
  scene.cover()
  dress(scene, dry & ~way)
  near = np.geomspace(0.04, rng.uniform(0.35, 0.7), rng.integers(4, 8))
  centre = np.interp(scene.foot(near), canvas.y[:, 0], middle)
  off = rng.uniform(0.25, 0.4) * (near + 0.04)
  sides = (-1, 1) if scene.chance(0.6) else (scene.side,)
  place = np.concatenate([centre + side * off for side in sides])
  near = np.tile(near, len(sides))
  tall = np.full(len(near), rng.uniform(1.4, 2.6))
  trees.plant(scene, place, near, tall, count=14)


def wood(scene: canvas.Scene) -> None:
  rng = scene.rng
  distance(scene, 0.15, 0.4)
  scenery.woods(scene, rng.uniform(0.1, 0.2))
  dry = scenery.ground(scene, scene.horizon)
  if scene.chance(0.5):
    way, _ = scenery.course(scene, rng.uniform(0.07, 0.15))
    scenery.road(scene, way)
    dry &= ~way
  scene.cover()
  n = rng.integers(8, 18)
  near = 0.05 + 0.6 * rng.uniform(0, 1, n) ** 1.6
  place = rng.uniform(-0.05, 1.05, n)
  # The trees stand back from a clearing.
  place += 0.18 * near * np.sign(place - rng.uniform(0.25, 0.75))
  trees.plant(scene, place, near, rng.uniform(2, 4, n), count=14)
  if scene.chance(0.5):
    scene.add(staffage.flowers(scene), on=dry)


def mountains(scene: canvas.Scene) -> None:
  rng = scene.rng
  high = [kind for kind in scene.land.ranges if kind != "hills"]
  height = scene.horizon * rng.uniform(0.5, 0.85)
  count = int(rng.integers(2, 5))
  scenery.ranges(scene, scene.pick(high or ["alps"]), count, height)
  scenery.woods(scene, rng.uniform(0.03, 0.09))
  if scene.chance(0.4):
    scenery.mist(scene)
  dry = scenery.ground(scene, scene.horizon)
  scene.cover()
  dress(scene, dry)
  if scene.chance(0.4):
    trees.frame(scene)


# Every subject, its share, and the range of its horizon, from the top down.
SUBJECTS = (
  (sea, 0.18, (0.28, 0.72)),
  (lake, 0.18, (0.35, 0.62)),
  (river, 0.13, (0.28, 0.55)),
  (meadow, 0.11, (0.35, 0.75)),
  (field, 0.1, (0.25, 0.5)),
  (avenue, 0.08, (0.35, 0.65)),
  (wood, 0.08, (0.4, 0.65)),
  (mountains, 0.14, (0.55, 0.75)),
)
