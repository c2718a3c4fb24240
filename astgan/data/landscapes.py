"""The built-in data source: naive landscape paintings, drawn by number."""

import typing

import jaxtyping
import numpy as np
from PIL import Image

from astgan.data.atelier import brush, canvas, palettes, subjects


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
  rows = np.concatenate(scene.layers)
  rows[:, 5:] = graded(scene, rows[:, 5:])
  # One resolution for all sizes up to 128: a small picture is a large one seen
  # from farther away.
  side = max(256, 2 * size)
  picture = brush.paint(rng, graded(scene, scene.colour), rows, side)
  picture = Image.fromarray(picture)
  return np.asarray(picture.resize((size, size), Image.Resampling.BOX))


def compose(rng: np.random.Generator) -> canvas.Scene:
  """A scene with all its strokes, back to front."""
  manners = list(palettes.MANNERS.values())
  manner = manners[rng.integers(len(manners))]
  light = varied(rng, palettes.LIGHTS[rng.choice(manner.lights)])
  land = varied(rng, palettes.LANDS[rng.choice(manner.lands)])
  choices, shares, heights = zip(*subjects.SUBJECTS, strict=True)
  choice = rng.choice(len(choices), p=shares)
  horizon = float(rng.uniform(*heights[choice]))
  sun_x = 0.5 + rng.choice([-1, 1]) * rng.uniform(0.08, 0.42)
  sun_y = horizon * (1 - rng.uniform(*light.height))
  scene = canvas.Scene(
    rng, manner, light, land, horizon, (float(sun_x), float(sun_y))
  )
  subjects.heavens(scene)
  choices[choice](scene)
  return scene


def varied(rng: np.random.Generator, palette):
  """A palette mixed anew: its colours, in [0, 1], a little off."""
  colours = {
    name: palettes.unit(getattr(palette, name))
    + rng.normal(0, 0.03, 3).astype(np.float32)
    for name, kind in typing.get_type_hints(type(palette)).items()
    if kind == palettes.Colour
  }
  return palette._replace(**colours)


def graded(scene: canvas.Scene, colour: np.ndarray) -> np.ndarray:
  """Colours as the manner has them, over a canvas toned by the light."""
  manner = scene.manner
  grey = colour.mean(-1, keepdims=True)
  colour = grey + manner.saturation * (colour - grey)
  colour = 0.47 + manner.contrast * (colour - 0.47)
  return palettes.mix(colour, scene.light.horizon, 0.05)
