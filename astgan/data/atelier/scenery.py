"""What is wide in a landscape: sky, mountains, fields, roads, water.

Each motif lays its colours, and the way its strokes run, into a scene.
"""

import numpy as np

from astgan.data.atelier import canvas, palettes


def sky(scene: canvas.Scene) -> None:
  """A gradient, the glow about the sun, veils, and the turns of the brush."""
  rng, light = scene.rng, scene.light
  height = (canvas.y / scene.horizon).clip(0, 1) ** rng.uniform(0.7, 1.4)
  stops = palettes.unit([light.zenith, light.middle, light.horizon])
  channels = [np.interp(height, [0, 0.55, 1], stop) for stop in stops.T]
  scene.colour = np.stack(channels, -1).astype(np.float32)
  sun_x, sun_y = scene.sun
  distance = np.hypot(canvas.x - sun_x, (canvas.y - sun_y) * 1.3)
  glow = np.exp(-((distance / rng.uniform(0.12, 0.35)) ** 2))
  scene.colour = palettes.mix(scene.colour, light.sun, light.glow * glow)

  cover = rng.choice([0.0, 0.3, 0.5, 0.8], p=[0.3, 0.3, 0.25, 0.15])
  if cover:
    veil = canvas.noise(rng, rng.uniform(1, 2.5), rng.uniform(3, 7), octaves=4)
    body = canvas.smoothstep(0.9 - 1.6 * cover, 1.9 - 1.6 * cover, veil)
    # Lit from above, and from behind near the sun.
    tone = canvas.smoothstep(-0.5, 0.6, np.roll(veil, 5, 0) - veil + 1.2 * glow)
    cloud = palettes.mix(light.cloud_shade, light.cloud_lit, tone)
    scene.colour = palettes.mix(scene.colour, cloud, 0.85 * body)
  around = np.arctan2(canvas.y - sun_y, canvas.x - sun_x) + np.pi / 2
  drift = 0.8 * canvas.noise(rng, 2, 2, octaves=1)
  turn = np.where(distance < 0.3, around, drift)
  scene.angle = (scene.manner.swirl * turn).astype(np.float32)
  # What lies far below the horizon will not be seen.
  hidden = (canvas.y > scene.horizon + 0.06)[..., None]
  scene.covered = np.where(hidden, scene.colour, scene.covered)


def massif(rng, kind: str) -> np.ndarray:
  """The outline [g] of a range, in [0, 1] of its height."""
  line = canvas.skyline(rng, rng.uniform(1.5, 3.5), octaves=6)
  if kind == "alps":
    return (0.55 + 0.4 * line).clip(0.05, 1)
  if kind == "peak":
    off = np.abs(canvas.x[0] - rng.uniform(0.2, 0.8))
    cone = np.exp(-off / rng.uniform(0.1, 0.22)).clip(0, 0.88) / 0.88
    return (0.94 * cone + 0.06 * line).clip(0, 1)
  if kind == "headland":
    reach = rng.uniform(0.2, 0.55)
    end = np.sign(rng.uniform(-1, 1)) * (canvas.x[0] - 0.5) + 0.5
    return canvas.smoothstep(reach + 0.12, reach - 0.12, end) * (
      0.7 + 0.2 * line
    )
  if kind == "mesa":
    return canvas.smoothstep(-0.3, 0.4, line) * 0.6 + 0.15 * line + 0.2
  smooth = np.convolve(np.pad(line, 8, "edge"), np.ones(17) / 17, "valid")
  return (0.5 + 0.6 * smooth).clip(0.04, 1)


def ranges(scene: canvas.Scene, kind: str, count: int, height: float) -> None:
  """Ranges one before the other, each lower and less veiled by air."""
  rng, land = scene.rng, scene.land
  for layer in range(count):
    near = (layer + 1) / count
    tall = height * (1 if layer == 0 else 0.75 - 0.5 * near)
    outline = massif(rng, kind if layer == 0 else "hills")
    ridge = scene.horizon - tall * outline
    below = ((canvas.y - ridge) / (tall * outline + 1e-3)).clip(0, 1)
    folds = canvas.noise(rng, 7, 3, octaves=3)
    slope = np.gradient(outline) * canvas.GRID * 0.25
    sunny = canvas.smoothstep(-0.7, 0.7, 0.6 * folds - scene.side * slope)
    local = palettes.mix(land.hill, land.leaf_shade, 0.6 * near**2)
    local = palettes.mix(
      local, land.field, 0.35 * canvas.smoothstep(0, 1.5, folds)
    )
    if kind in ("alps", "peak") and layer == 0:
      local = palettes.mix(
        local, (247, 248, 250), canvas.smoothstep(0.5, 0.3, below + 0.1 * folds)
      )
    if kind == "headland":
      local = palettes.mix(
        local, land.earth, canvas.smoothstep(0.1, 0.3, below)
      )
    tone = scene.tinted(local, sunny)
    air = 0.62 - 0.5 * near + 0.3 * below**2
    mask = (
      (ridge < canvas.y) & (canvas.y < scene.horizon + 0.01) & (outline > 0.04)
    )
    lean = scene.side * np.where(sunny > 0.5, 0.8, -0.8)
    scene.lay(mask, scene.hazed(tone, air.clip(0, 0.8)), lean)


def woods(scene: canvas.Scene, height: float) -> None:
  """The rounded, dark edge of a far forest on the horizon."""
  rng = scene.rng
  crowns = np.abs(canvas.skyline(rng, 9, octaves=3))
  stands = canvas.smoothstep(-0.5, 0.4, canvas.skyline(rng, 2.5, octaves=2))
  top = scene.horizon - height * stands * (0.45 + 0.6 * crowns)
  patches = canvas.noise(rng, 14, 14, octaves=2)
  local = palettes.mix(scene.land.leaf_shade, scene.land.leaf, 0.35)
  sunny = canvas.smoothstep(
    -1.5, 2.5, patches + 1.5 * scene.side * (canvas.x - 0.5)
  )
  air = 0.5 - 1.6 * height
  mask = (top < canvas.y) & (canvas.y < scene.horizon + 0.012)
  scene.lay(mask, scene.hazed(scene.tinted(local, sunny), air), np.pi / 2)


def ground(scene: canvas.Scene, top, *, furrows: float = 0.0) -> np.ndarray:
  """Fields and meadows below the line `top` ([g] or a height): their mask.

  Args:
    furrows: strength of the rows that run to a vanishing point, in [0, 1].
  """
  rng, land, depth = scene.rng, scene.land, scene.depth
  bands = canvas.noise(rng, 1.2, 9, octaves=3)
  patches = canvas.smoothstep(-0.3, 0.3, bands + 1.2 * (0.4 - depth))
  local = palettes.mix(land.meadow, land.field, patches)
  vanish = rng.uniform(0, 1)
  run = (canvas.x - vanish) / (depth + 0.03)
  rows = canvas.smoothstep(-0.4, 0.4, np.sin(run * rng.uniform(12, 22)))
  crop = land.flowers[rng.integers(len(land.flowers))]
  crop = crop if rng.random() < 0.4 else land.earth
  local = palettes.mix(local, crop, 0.6 * furrows * rows)
  # Shadows of clouds, and a dark foreground that leads the eye inward.
  sunny = canvas.smoothstep(-1.2, 0.4, canvas.noise(rng, 1, 4, octaves=2))
  sunny = sunny * (
    1 - rng.uniform(0, 0.7) * canvas.smoothstep(0.55, 1.0, depth)
  )
  toward = np.arctan2(canvas.y - scene.horizon + 0.03, canvas.x - vanish)
  swell = 0.25 * canvas.noise(rng, 2, 2, octaves=1)
  mask = top < canvas.y
  scene.wet = scene.wet & ~mask
  scene.lay(
    mask,
    scene.hazed(scene.tinted(local, sunny), 0.45 * (1 - depth) ** 3),
    toward if furrows > 0.3 else swell,
  )
  return mask


def course(scene: canvas.Scene, wide: float) -> tuple[np.ndarray, np.ndarray]:
  """Where a road or river winds to the horizon: its mask, its middle [g]."""
  rng, depth = scene.rng, scene.depth
  start, end = rng.uniform(0.2, 0.8, 2)
  bend = rng.uniform(0.1, 0.5) * rng.choice([-1, 1])
  near = np.sqrt(depth)
  sway = bend * np.sin(4.5 * near) * near * (1 - 0.4 * depth)
  middle = end + (start - end) * depth + sway
  inside = np.abs(canvas.x - middle) < wide * (0.02 + depth**1.3)
  return inside & (canvas.y > scene.horizon + 0.004), middle[:, 0]


def road(scene: canvas.Scene, mask) -> None:
  """A trodden way."""
  ruts = canvas.smoothstep(-1, 1, canvas.noise(scene.rng, 8, 8, octaves=2))
  tone = scene.tinted(scene.land.earth, 0.4 + 0.6 * ruts)
  scene.lay(mask, scene.hazed(tone, 0.4 * (1 - scene.depth) ** 3), 0.2)


def water(scene: canvas.Scene, mask, *, waves: float) -> None:
  """What lies above the horizon, upside down, tinted, broken by ripples.

  Args:
    waves: 0 for a pond, 1 for the sea.
  """
  rng, depth = scene.rng, scene.depth
  ripple = canvas.noise(rng, 3, 24, octaves=2)
  mirror = 2 * scene.horizon - canvas.y - 0.03 * waves * ripple * (0.3 + depth)
  mirror = mirror.clip(0, scene.horizon - 0.01)
  seen = canvas.look_up(scene.colour, canvas.x + 0.012 * ripple, mirror)
  deep = scene.tinted(scene.land.water, 0.5)
  seen = palettes.mix(seen, deep, (0.18 + 0.45 * waves * depth).clip(0, 0.8))
  crest = canvas.smoothstep(0.8, 1.8, ripple) * (0.3 + 0.4 * waves)
  seen = palettes.mix(seen, scene.light.middle, crest)
  trough = canvas.smoothstep(0.8, 1.8, -ripple) * (0.2 + 0.4 * waves)
  scene.lay(mask, palettes.mix(seen, 0.7 * deep, trough), 0.0)
  scene.wet = mask


def mist(scene: canvas.Scene) -> None:
  """Level bands of vapour about the horizon."""
  rng = scene.rng
  bands = canvas.smoothstep(-0.3, 1.2, canvas.noise(rng, 1, 10, octaves=2))
  low = np.exp(-(((canvas.y - scene.horizon) / rng.uniform(0.05, 0.12)) ** 2))
  scene.colour = palettes.mix(
    scene.colour, scene.light.horizon, 0.75 * low * bands
  )
