"""The built-in data source: naive landscape paintings, drawn by number."""

import jaxtyping
import numpy as np
from PIL import Image

from astgan.data import brush, motifs, palettes

SUBJECTS = ("sea", "lake", "river", "meadow", "rows", "path", "wood", "alps")


def draw(
  index: int, *, size: int, seed: int = 0
) -> jaxtyping.UInt8[np.ndarray, "{size} {size} 3"]:
  """One painting, RGB: the same for the same (seed, index), at any size.

  A manner, a light and a land are chosen, the wide motifs are laid in, and
  strokes paint them over, from the sky to what stands in front.

  Args:
    index: which painting, 0 or more.
    size: side in pixels.
    seed: which endless series of paintings, 0 or more.
  """
  rng = np.random.default_rng([seed, index])
  ground, layers = compose(rng)
  # Drawn at one resolution up to 128, so that small pictures are the large
  # ones seen from farther away.
  side = 256 if size <= 128 else 2 * size
  picture = brush.paint(rng, ground, layers, side)
  picture = Image.fromarray(picture)
  return np.asarray(picture.resize((size, size), Image.Resampling.BOX))


def compose(
  rng: np.random.Generator,
) -> tuple[brush.Picture, list[brush.Strokes]]:
  """The ground of a painting and its strokes, back to front."""
  names = list(palettes.MANNERS)
  manner = palettes.MANNERS[names[rng.integers(len(names))]]
  light_name = rng.choice(manner.lights)
  light = palettes.LIGHTS[light_name]
  land = palettes.LANDS[rng.choice(manner.lands)]
  subject = rng.choice(SUBJECTS)
  low, high = {
    "sea": (0.3, 0.72), "lake": (0.35, 0.6), "river": (0.3, 0.55),
    "meadow": (0.35, 0.75), "rows": (0.25, 0.5), "path": (0.3, 0.6),
    "wood": (0.4, 0.65), "alps": (0.55, 0.75),
  }[subject]  # fmt: skip
  horizon = rng.uniform(low, high)
  sun_x = rng.choice([rng.uniform(0.1, 0.4), rng.uniform(0.6, 0.9)])
  sun = (float(sun_x), float(horizon * (1 - rng.uniform(*light.height))))
  blank = np.zeros((motifs.GRID, motifs.GRID), np.float32)
  scene = motifs.Scene(
    rng,
    manner,
    light,
    land,
    float(horizon),
    sun,
    np.repeat(blank[..., None], 3, -1),
    blank,
  )

  def cover():
    return brush.cover(
      rng, scene.colour, scene.angle, length=manner.length,
      width=manner.width, broken=manner.broken,
    )  # fmt: skip

  motifs.sky(scene)
  layers = [cover()]
  if light_name in (
    "port",
    "night",
    "bokashi",
    "gold",
    "dusk",
    "crimson",
    "rose",
  ):
    layers.append(motifs.sun_and_stars(scene, light_name == "night"))
  if rng.random() < 0.4:
    layers.append(motifs.cumuli(scene))
  sky = scene.colour

  count = rng.integers(2, 5) if subject == "alps" else rng.integers(0, 4)
  relief = (
    rng.uniform(0.3, 0.5) if subject == "alps" else rng.uniform(0.05, 0.2)
  )
  if count:
    motifs.ranges(scene, int(count), relief)
  wet = blank
  if subject in ("sea", "lake"):
    wet = (horizon < motifs.Y).astype(np.float32)
    motifs.water(scene, wet, 1.0 if subject == "sea" else 0.4)
    shore = rng.uniform(0.7, 1.1)
    line = shore + 0.08 * motifs.profile(rng, 2, 4, 0.5)
    if shore < 0.95:
      motifs.ground(scene, line, 0.0)
      wet = wet * (line > motifs.Y)
  else:
    motifs.ground(scene, horizon, 1.0 if subject == "rows" else 0.0)
    if subject == "river":
      wet = motifs.winding(scene, None, rng.uniform(0.25, 0.5))
      motifs.water(scene, wet, 0.4)
    elif subject == "path" or rng.random() < 0.25:
      motifs.winding(scene, scene.lit(land.earth), rng.uniform(0.08, 0.2))
  painted = cover()
  at = (painted[:, :2].clip(0, 0.999) * motifs.GRID).astype(int)
  changed = np.abs(scene.colour - sky).max(-1) > 1e-6
  layers.append(painted[changed[at[:, 1], at[:, 0]]])
  if wet.any():
    layers.append(motifs.glints(scene, wet))
  if rng.random() < 0.5 and subject in ("meadow", "path", "rows", "river"):
    layers.append(motifs.flowers(scene, wet))
  if rng.random() < 0.35 and subject != "sea":
    layers.append(
      motifs.houses(
        scene, rng.uniform(0.15, 0.85), horizon + 0.03, rng.uniform(0.04, 0.09)
      )
    )
  if subject == "sea" or (subject == "lake" and rng.random() < 0.3):
    layers.append(motifs.sails(scene))

  kinds = ("round", "poplar", "birch", "willow", "bush", "conifer")
  if subject != "sea":
    n = rng.integers(5, 16)
    kind = rng.choice(kinds)
    y = horizon + 0.01 + 0.03 * rng.random(n)
    row = motifs.trees(
      scene, kind, rng.uniform(0, 1, n), y, rng.uniform(0.05, 0.14, n), 10
    )
    if subject == "lake":
      layers.append(motifs.reflected(scene, row, horizon + 0.02))
    layers.append(row)
    if rng.random() < 0.6:
      n = rng.integers(1, 4)
      edge = rng.choice([rng.uniform(0, 0.3), rng.uniform(0.7, 1)])
      y = horizon + (1 - horizon) * rng.uniform(0.4, 0.9, n)
      layers.append(
        motifs.trees(
          scene,
          rng.choice(kinds),
          edge + rng.normal(0, 0.08, n),
          y,
          rng.uniform(0.35, 0.7, n),
          90,
        )
      )
  return scene.colour, layers
