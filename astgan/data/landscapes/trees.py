"""Trees, with their shadows and reflections."""

import numpy as np

from astgan.data.landscapes import brush, palettes
from astgan.data.landscapes.scene import Scene, look_up

# The lobes of a crown: their number, their spread across and up, their half
# axes across and up, the height of their middle, the angle of their dabs.
# Lengths are in heights of the tree.
CROWNS = {
  "round": (9, 0.24, 0.27, 0.16, 0.15, 0.6, 0.5),
  "poplar": (6, 0.02, 0.34, 0.085, 0.16, 0.54, 1.4),
  "birch": (7, 0.13, 0.3, 0.11, 0.12, 0.62, 1.1),
  "willow": (7, 0.28, 0.1, 0.14, 0.3, 0.56, 1.57),
  "bush": (5, 0.45, 0.12, 0.3, 0.3, 0.35, 0.4),
  "pine": (6, 0.17, 0.15, 0.22, 0.05, 0.78, 0.0),
  "conifer": (12, 0.03, 0.52, 0.22, 0.1, 0.5, 0.4),
}
BARK, BIRCH, *FIR = palettes.rgb("60463a e2dcce 486854 263c34")


def plant(scene: Scene, x, near, tall, shore=2.0) -> None:
  """Trees of one kind at the places x, near [n], the farthest first.

  Their heights [n] are in heights of the eye above the ground. Water reflects
  them below the y coordinate of its shore; without water it is out of sight.
  """
  rng, land, n = scene.rng, scene.land, len(x)
  kind = rng.choice(land.trees.split())
  order = np.argsort(near)
  x, near, tall = (part[order, None] for part in (x, near, tall))  # [n, 1]
  y = scene.ground_y(near)
  tall = tall * (y - scene.horizon + 0.015) * (0.4 if kind == "bush" else 1)

  def colour(base, sunny):  # [n, 1, 3]
    vary = 1 + rng.normal(0, 0.06, (n, 1, 1)) + rng.normal(0, 0.03, (n, 1, 3))
    return scene.hazed(scene.lit(base, sunny) * vary, 0.5 * (1 - near) ** 6)

  across = x + tall * scene.side * np.linspace(0.1, -0.7, 6)
  down = y + tall * rng.normal(0.01, 0.014, (n, 6))
  length = tall * rng.uniform(0.1, 0.34, (n, 6))
  shade, tilt = scene.lit(land.meadow, 0.25), rng.normal(0, 0.08, (n, 6))
  scene.stroke(across, down, length, 0.026 * tall, tilt, shade, on=~scene.wet)
  bark = palettes.mix(land.leaf_shade, BARK, 0.6)
  bark = colour(BIRCH, 0.5) if kind == "birch" else colour(bark, 0.2)
  high = tall * (CROWNS[kind][5] if kind in CROWNS else 0.62)
  lean, width = rng.normal(-np.pi / 2, 0.05, (n, 1)), 0.03 * tall + 0.002
  trunk = brush.strokes(x, y - 0.49 * high, 1.05 * high, width, lean, bark)
  leaves = np.stack([land.leaf, land.leaf_shade])
  if kind == "conifer":
    leaves = palettes.mix(leaves, np.stack(FIR), 0.7)
  lit, dark = colour(leaves[0], 1.0), colour(leaves[1], 0.35)
  # The taller and the fewer the trees, the more strokes they get.
  count = int(np.clip(40 * tall.max() / n**0.4, 6, 26))
  if kind == "bare":
    crown = twigs(rng, x, y, tall, 4 * count, bark)
  else:
    crown = lobes(scene, kind, x, y, tall, count, lit, dark)
  scene.reflect(brush.together(n, trunk, crown), shore)


def lobes(scene, kind, x, y, tall, count, lit, dark) -> brush.Strokes:
  """Crowns of leaves: heaps of dabs around a middle."""
  many, wide, high, across, up, middle, angle = CROWNS[kind]
  dx, dy = scene.rng.uniform(-1, 1, (2, len(x), many))
  if kind in ("poplar", "birch", "conifer"):
    dy = np.linspace(1, -1, many) + 0.2 * dy * (kind != "conifer")
  taper = tall * (1 - 0.4 * np.abs(dy))
  if kind == "conifer":
    taper = tall * (0.64 + 0.44 * dy)
  sunny = 0.25 * (dx * scene.side - dy)[..., None]
  x, y = x + dx * wide * taper, y + (0.8 * dy * high - middle) * tall
  lit, dark = lit * (1 + 0.5 * sunny), dark * (1 + sunny)
  size = across * taper, up * taper
  return brush.dabs(scene.rng, x, y, *size, lit, dark, scene.side, count, angle)


def twigs(rng, x, y, tall, count, bark) -> brush.Strokes:
  """Bare crowns: strokes that fan out from the upper trunk."""
  shape = (len(x), count)
  lean = rng.normal(0, 0.6, shape).clip(-1.2, 1.2)
  reach = rng.uniform(0.1, 0.56, shape) * tall
  x, y = x + np.sin(lean) * reach, y - 0.42 * tall - np.cos(lean) * reach
  angle = lean - np.pi / 2 + rng.normal(0, 0.35, shape)
  colour = bark * rng.uniform(0.9, 1.5, (*shape, 1))
  return brush.strokes(x, y, 0.3 * tall, 0.011 * tall + 0.002, angle, colour)


def groups(scene: Scene, count: int, reach: float, shore: float) -> None:
  """Groups of trees up to the nearness `reach`, on land or along a shore."""
  rng = scene.rng
  for near in np.sort(reach * rng.uniform(0, 1, count) ** 2):
    n = rng.integers(1, 6)
    near = near + rng.uniform(0, 0.02, n)
    x = rng.uniform(0, 1) + rng.normal(0, 0.07, n)
    if shore < 1 or not look_up(scene.wet, x, scene.ground_y(near)).any():
      plant(scene, x, near, rng.uniform(2, 4, n), shore)


def foreground(scene: Scene) -> None:
  """A few tall trees in front, at one edge."""
  rng, n = scene.rng, scene.rng.integers(1, 4)
  x = rng.choice([0.1, 0.9]) + rng.normal(0, 0.08, n)
  near = rng.uniform(0.45, 0.95, n)
  # Trees whose place is in the water stand below the lower edge instead.
  near += 0.6 * look_up(scene.wet, x, scene.ground_y(near))
  # About half to all of the image tall.
  tall = rng.uniform(0.5, 0.95) / (1 - scene.horizon) / near.mean()
  plant(scene, x, near, tall * rng.uniform(0.8, 1.2, n))
