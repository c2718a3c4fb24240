"""Built-in procedural landscapes, as if painted, drawn by number."""

import jaxtyping
import numpy as np
from PIL import Image

from astgan.data.landscapes import brush, compositions, palettes


def draw(
  index: int, *, size: int, seed: int = 0
) -> jaxtyping.UInt8[np.ndarray, "{size} {size} 3"]:
  """A landscape, RGB: the same for the same (seed, index), at any size.

  Args:
    index: the number of the landscape, 0 or more.
    size: side in pixels.
    seed: the number of the series of landscapes, 0 or more.
  """
  rng = np.random.default_rng([seed, index])
  style = palettes.STYLES[rng.choice([*palettes.STYLES])]
  light = palettes.choose(rng, palettes.LIGHTS, style.lights)
  land = palettes.choose(rng, palettes.LANDS, style.lands)
  scene = compositions.compose(rng, style, light, land)

  def graded(colour):
    """Colours in the contrast of the style, toned by the light."""
    grey = colour.mean(-1, keepdims=True)
    colour = grey + style.saturation * (colour - grey)
    colour = 0.47 + style.contrast * (colour - 0.47)
    return palettes.mix(colour, light.horizon, np.float32(0.05))

  rows = np.concatenate(scene.strokes)
  rows[:, 5:] = graded(rows[:, 5:])
  # All sizes up to 128 are one image, resized.
  side = max(256, 2 * size)
  image = Image.fromarray(brush.paint(rng, graded(scene.colour), rows, side))
  return np.asarray(image.resize((size, size), Image.Resampling.BOX))
