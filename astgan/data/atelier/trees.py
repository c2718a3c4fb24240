"""Trees: one by one, in groups, and in front of everything."""

import numpy as np

from astgan.data.atelier import brush, canvas, palettes, staffage

# Lobes of a crown: how many, their spread across and up, their half axes across
# and up, the height of their middle, the angle of the dabs. Lengths in heights.
CROWNS = {
  "round": (9, 0.24, 0.27, 0.16, 0.15, 0.6, 0.5),
  "poplar": (6, 0.02, 0.34, 0.085, 0.16, 0.54, 1.4),
  "birch": (7, 0.13, 0.3, 0.11, 0.12, 0.62, 1.1),
  "willow": (7, 0.28, 0.1, 0.14, 0.3, 0.56, 1.57),
  "bush": (5, 0.45, 0.12, 0.3, 0.3, 0.35, 0.4),
  "pine": (6, 0.17, 0.15, 0.22, 0.05, 0.78, 0.0),
}


def trees(
  scene: canvas.Scene, kind: str, x, y, tall, *, count: int
) -> brush.Strokes:
  """Trees of a kind, the farthest first.

  Args:
    x, y: their feet [n]. tall: their heights [n].
    count: dabs to a lobe of the crown; the nearer, the more.
  """
  order = np.argsort(y)
  x, y, tall = x[order, None], y[order, None], tall[order, None]  # [n, 1]
  rng, land, n = scene.rng, scene.land, len(x)
  air = 0.5 * (1 - scene.nearness(y)) ** 6

  def toned(colour, sunny):  # [n, 1, 3]
    vary = 1 + rng.normal(0, 0.06, (n, 1, 1)) + rng.normal(0, 0.03, (n, 1, 3))
    return scene.hazed(scene.tinted(colour, sunny) * vary, air)

  bark = toned(palettes.mix(land.leaf_shade, (96, 70, 58), 0.6), 0.2)
  if kind == "birch":
    bark = toned((226, 220, 206), 0.5)
  lean = -np.pi / 2 + rng.normal(0, 0.05, (n, 1))
  reach = CROWNS[kind][5] * tall if kind in CROWNS else 0.62 * tall
  trunk = brush.strokes(
    x, y - 0.49 * reach, 1.05 * reach, 0.03 * tall + 0.002, lean, bark
  )
  leaf, shade = land.leaf, land.leaf_shade
  if kind == "conifer":  # evergreen
    leaf = palettes.mix(leaf, (72, 104, 84), 0.7)
    shade = palettes.mix(shade, (38, 60, 52), 0.7)
  lit, dark = toned(leaf, 1.0), toned(shade, 0.35)
  if kind == "bare":
    crown = twigs(rng, x, y, tall, 4 * count, bark)
  elif kind == "conifer":
    crown = boughs(scene, x, y, tall, 9 * count, lit, dark)
  else:
    crown = lobes(scene, kind, x, y, tall, count, lit, dark)
  # Each tree is finished before the next.
  parts = [part.reshape(n, -1, 8) for part in (trunk, crown)]
  return np.concatenate(parts, 1).reshape(-1, 8)


def shadows(scene: canvas.Scene, x, y, tall) -> brush.Strokes:
  """What trees at x, y [n] and as `tall` [n] cast away from the light."""
  shape = (len(x), 6)
  fall = np.linspace(0.1, -0.7, 6) * scene.side
  tall = tall[:, None]
  return brush.strokes(
    x[:, None] + tall * fall,
    y[:, None] + tall * (0.01 + scene.rng.normal(0, 0.014, shape)),
    tall * scene.rng.uniform(0.1, 0.34, shape),
    0.026 * tall,
    scene.rng.normal(0, 0.08, shape),
    scene.tinted(scene.land.meadow, 0.25),
  )


def lobes(
  scene: canvas.Scene, kind, x, y, tall, count, lit, dark
) -> brush.Strokes:
  """Crowns of leaves: heaps of dabs around a middle."""
  many, wide, high, across, up, middle, angle = CROWNS[kind]
  dx, dy = scene.rng.uniform(-1, 1, (2, len(x), many))
  if kind in ("poplar", "birch"):
    dy = np.linspace(1, -1, many) + 0.2 * dy
  taper = tall * (1 - 0.4 * np.abs(dy))
  sunny = 0.25 * (dx * scene.side - dy)[..., None]
  return brush.dabs(
    scene.rng,
    (x + dx * wide * taper).ravel(),
    (y + (0.8 * dy * high - middle) * tall).ravel(),
    (across * taper).ravel(),
    (up * taper).ravel(),
    count,
    (lit * (1 + 0.5 * sunny)).reshape(-1, 3),
    (dark * (1 + sunny)).reshape(-1, 3),
    (0.7 * scene.side, -0.7),
    size=2.2 / np.sqrt(count + 3),
    angle=angle,
  )


def boughs(scene: canvas.Scene, x, y, tall, count, lit, dark) -> brush.Strokes:
  """The tiers of firs: drooping strokes, wider and earlier below."""
  rng, shape = scene.rng, (len(x), count)
  down = -np.sort(-(rng.uniform(0, 1, shape) ** 0.7))
  off = rng.uniform(-1, 1, shape)
  tone = canvas.smoothstep(
    -1.2, 1.4, scene.side * off + rng.normal(0, 0.5, shape)
  )
  return brush.strokes(
    x + 0.2 * off * down * tall,
    y - tall * (1 - 0.88 * down - 0.05 * np.abs(off)),
    (0.05 + 0.14 * down) * tall,
    0.045 * tall,
    0.5 * np.sign(off) + rng.normal(0, 0.15, shape),
    palettes.mix(dark, lit, 0.6 * tone),
  )


def twigs(rng, x, y, tall, count, bark) -> brush.Strokes:
  """Bare crowns: strokes that fan out of the upper trunk."""
  shape = (len(x), count)
  lean = rng.normal(0, 0.6, shape).clip(-1.2, 1.2)
  reach = rng.uniform(0.1, 0.56, shape) * tall
  return brush.strokes(
    x + np.sin(lean) * reach,
    y - 0.42 * tall - np.cos(lean) * reach,
    0.3 * tall,
    0.011 * tall + 0.002,
    lean - np.pi / 2 + rng.normal(0, 0.35, shape),
    bark * rng.uniform(0.9, 1.5, (*shape, 1)),
  )


def plant(
  scene: canvas.Scene, x, near, tall, *, count=7, kinds=None, mirror=None
) -> None:
  """Trees of one kind, in perspective.

  Args:
    x, near: their places [n]; 0 is at the horizon, 1 at the lower edge.
    tall: their heights, in heights of the viewer's eye above the ground.
    mirror: height in the picture of the shore that they are reflected below.
  """
  y = scene.foot(near)
  kind = scene.pick(kinds or scene.land.trees)
  tall = tall * (y - scene.horizon + 0.015) * (0.4 if kind == "bush" else 1)
  scene.add(shadows(scene, x, y, tall), on=~scene.wet)
  rows = trees(scene, kind, x, y, tall, count=count)
  if mirror is not None:
    scene.add(staffage.reflected(scene, rows, mirror))
  scene.add(rows)


def copses(scene: canvas.Scene) -> None:
  """Groups of trees over the middle distance."""
  rng = scene.rng
  for near in np.sort(0.25 * rng.uniform(0, 1, rng.integers(1, 5)) ** 2):
    n = rng.integers(1, 6)
    x = rng.uniform(0, 1) + rng.normal(0, 0.07, n)
    near = near + rng.uniform(0, 0.02, n)
    dry = ~canvas.look_up(scene.wet, x, scene.foot(near))
    if dry.any():
      plant(scene, x[dry], near[dry], rng.uniform(2, 4, dry.sum()))


def frame(scene: canvas.Scene) -> None:
  """A few trees in front, at one side."""
  rng, n = scene.rng, scene.rng.integers(1, 4)
  edge = rng.uniform(0, 0.22)
  x = scene.pick((edge, 1 - edge)) + rng.normal(0, 0.06, n)
  near = rng.uniform(0.45, 0.95, n)
  # Where that is water they stand on our shore, below the edge.
  near += 0.6 * canvas.look_up(scene.wet, x, scene.foot(near))
  # As tall as half to all of the picture.
  tall = rng.uniform(0.5, 0.95) / (1 - scene.horizon) / near.mean()
  kinds = [kind for kind in scene.land.trees if kind != "bush"]
  tall = tall * rng.uniform(0.8, 1.2, n)
  plant(scene, x, near, tall, count=30, kinds=kinds)
