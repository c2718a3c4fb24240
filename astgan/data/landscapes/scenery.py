"""The colours and angles of the strokes of sky, mountains, ground and water."""

import numpy as np

from astgan.data.landscapes import palettes
from astgan.data.landscapes.scene import GRID, Scene, look_up, smoothstep, x, y


def sky(scene: Scene) -> None:
  """A gradient, the glow around the sun, and clouds."""
  rng, light = scene.rng, scene.light
  height = (y / scene.horizon).clip(0, 1) ** rng.uniform(0.7, 1.4)
  stops = zip(light.zenith, light.middle, light.horizon, strict=True)
  channels = [np.interp(height, [0, 0.55, 1], stop) for stop in stops]
  colour = np.stack(channels, -1).astype(np.float32)
  dx, dy = x - scene.sun[0], y - scene.sun[1]
  distance = np.hypot(dx, 1.3 * dy)
  glow = np.exp(-((distance / rng.uniform(0.12, 0.35)) ** 2))
  colour = palettes.mix(colour, light.sun, light.glow * glow)
  cover = rng.choice([0.0, 0.3, 0.5, 0.8], p=[0.3, 0.3, 0.25, 0.15])
  if cover:
    veil = scene.noise(rng.uniform(1, 2.5), rng.uniform(3, 7), octaves=4)
    body = smoothstep(0.9 - 1.6 * cover, 1.9 - 1.6 * cover, veil)
    # Lit from above, and from behind near the sun.
    tone = smoothstep(-0.5, 0.6, np.roll(veil, 5, 0) - veil + 1.2 * glow)
    cloud = palettes.mix(light.cloud_shade, light.cloud_lit, tone)
    colour = palettes.mix(colour, cloud, 0.85 * body)
  turn = 0.8 * scene.noise(2, 2, octaves=1)
  turn = np.where(distance < 0.3, np.arctan2(dy, dx) + np.pi / 2, turn)
  scene.lay(y < 1, colour, scene.style.swirl * turn)
  # The sky far below the horizon stays hidden.
  hidden = (y > scene.horizon + 0.06)[..., None]
  scene.covered = np.where(hidden, colour, scene.covered)
  scene.cover()


def outline(scene: Scene, kind: str) -> np.ndarray:
  """The outline [g] of mountains, in [0, 1] of their height."""
  rng = scene.rng
  line = scene.skyline(rng.uniform(1.5, 3.5), octaves=6)
  if kind == "alps":
    return (0.55 + 0.4 * line).clip(0.05, 1)
  if kind == "peak":
    off = np.abs(x[0] - rng.uniform(0.2, 0.8))
    cone = np.exp(-off / rng.uniform(0.1, 0.22)).clip(0, 0.88) / 0.88
    return (0.94 * cone + 0.06 * line).clip(0, 1)
  if kind == "headland":
    reach = rng.uniform(0.2, 0.55)
    away = x[0] if rng.random() < 0.5 else 1 - x[0]
    return smoothstep(reach + 0.12, reach - 0.12, away) * (0.7 + 0.2 * line)
  if kind == "mesa":
    return smoothstep(-0.3, 0.4, line) * 0.6 + 0.15 * line + 0.2
  smooth = np.convolve(np.pad(line, 8, "edge"), np.ones(17) / 17, "valid")
  return (0.5 + 0.6 * smooth).clip(0.04, 1)


def mountains(scene: Scene, kind: str, count, height: float) -> None:
  """Mountains in `count` rows, hills before them, the near ones less hazy."""
  land = scene.land
  for layer in range(count):
    near = (layer + 1) / count
    kind = kind if layer == 0 else "hills"
    tall = height * (1 if layer == 0 else 0.75 - 0.5 * near)
    top = tall * outline(scene, kind)
    below = 1 - ((scene.horizon - y) / (top + 1e-3)).clip(0, 1)
    folds = scene.noise(7, 3, octaves=3)
    slope = np.gradient(top / tall) * GRID * 0.25
    sunny = smoothstep(-0.7, 0.7, 0.6 * folds - scene.side * slope)
    colour = palettes.mix(land.hill, land.leaf_shade, 0.6 * near**2)
    if kind in ("alps", "peak"):
      snow = smoothstep(0.5, 0.3, below + 0.1 * folds)
      colour = palettes.mix(colour, palettes.rgb("f7f8fa")[0], snow)
    air = (0.62 - 0.5 * near + 0.3 * below**2).clip(0, 0.8)
    mask = (y > scene.horizon - top) & (y < scene.horizon + 0.01)
    angle = scene.side * np.where(sunny > 0.5, 0.8, -0.8)
    scene.lay(mask, scene.hazed(scene.lit(colour, sunny), air), angle)


def forest(scene: Scene, height: float) -> None:
  """The rounded, dark edge of a distant forest."""
  crowns = np.abs(scene.skyline(9, octaves=3))
  stands = smoothstep(-0.5, 0.4, scene.skyline(2.5, octaves=2))
  top = scene.horizon - height * stands * (0.45 + 0.6 * crowns)
  colour = palettes.mix(scene.land.leaf_shade, scene.land.leaf, 0.35)
  patches = scene.noise(14, 14, octaves=2) + 1.5 * scene.side * (x - 0.5)
  colour = scene.lit(colour, smoothstep(-1.5, 2.5, patches))
  mask = (top < y) & (y < scene.horizon + 0.012)
  scene.lay(mask, scene.hazed(colour, 0.5 - 1.6 * height), np.pi / 2)


def mist(scene: Scene) -> None:
  """Level bands of mist around the horizon."""
  bands = smoothstep(-0.3, 1.2, scene.noise(1, 10, octaves=2))
  amount = 0.75 * np.exp(-(((y - scene.horizon) / 0.08) ** 2)) * bands
  scene.colour = palettes.mix(scene.colour, scene.light.horizon, amount)


def ground(scene: Scene, top, *, furrows: bool = False) -> None:
  """Meadows, or furrows of a crop, below the y coordinates `top`."""
  rng, land, near = scene.rng, scene.land, scene.nearness
  patches = scene.noise(1.2, 9, octaves=3) + 1.2 * (0.4 - near)
  colour = palettes.mix(land.meadow, land.field, smoothstep(-0.3, 0.3, patches))
  vanish = rng.uniform(0, 1)
  rows = np.sin((x - vanish) / (near + 0.03) * rng.uniform(12, 22))
  crop = rng.choice(land.flowers) if rng.random() < 0.4 else land.earth
  rows = 0.45 * furrows * smoothstep(-0.4, 0.4, rows)
  colour = palettes.mix(colour, crop, rows)
  # Shadows of clouds, and a dark foreground that leads the eye inward.
  sunny = smoothstep(-1.2, 0.4, scene.noise(1, 4, octaves=2))
  sunny *= 1 - rng.uniform(0, 0.7) * smoothstep(0.55, 1.0, near)
  angle = 0.25 * scene.noise(2, 2, octaves=1)
  if furrows:
    angle = np.arctan2(y - scene.horizon + 0.03, x - vanish)
  colour = scene.hazed(scene.lit(colour, sunny), 0.45 * (1 - near) ** 3)
  scene.lay(y > top, colour, angle)
  scene.wet &= y <= top


def course(scene: Scene, width: float) -> tuple[np.ndarray, np.ndarray]:
  """How a path or river winds to the horizon: its mask, its middle [g]."""
  rng, near = scene.rng, scene.nearness
  start, end = rng.uniform(0.2, 0.8, 2)
  bend = rng.choice([-1, 1]) * rng.uniform(0.1, 0.5) * np.sqrt(near)
  sway = bend * np.sin(4.5 * np.sqrt(near)) * (1 - 0.4 * near)
  middle = end + (start - end) * near + sway
  inside = np.abs(x - middle) < width * (0.02 + near**1.3)
  return inside & (y > scene.horizon + 0.004), middle[:, 0]


def water(scene: Scene, mask, waves: float) -> None:
  """The reflection of what lies above the horizon, broken by waves."""
  near, ripple = scene.nearness, scene.noise(3, 24, octaves=2)
  mirror = 2 * scene.horizon - y - 0.03 * waves * ripple * (0.3 + near)
  mirror = mirror.clip(0, scene.horizon - 0.01)
  colour = look_up(scene.colour, x + 0.012 * ripple, mirror)
  deep = scene.lit(scene.land.water, 0.5)
  colour = palettes.mix(colour, deep, 0.18 + 0.45 * waves * near)
  crest = smoothstep(0.8, 1.8, ripple) * (0.3 + 0.4 * waves)
  colour = palettes.mix(colour, scene.light.middle, crest)
  trough = smoothstep(0.8, 1.8, -ripple) * (0.2 + 0.4 * waves)
  scene.lay(mask, palettes.mix(colour, 0.7 * deep, trough), 0.0)
  scene.wet = mask
