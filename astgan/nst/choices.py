"""The images of a style that look most like a photograph.

A group of paintings has every hue and every motif. A painting in the style of
all of them has them too, side by side in whatever is empty in the photograph.
Those of the group that show something like it, a town by a river or a meadow,
have the hues, the light and the touch that belong to it.
"""

from collections.abc import Sequence
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
import tqdm
from jaxtyping import Float, Float32

from astgan.data import formats, images
from astgan.features import vgg
from astgan.nst import styles

# Its statistics tell motifs and light apart, and do not see where things are.
_LAYER = "relu4_1"
# Images are seen as squares of this side, whatever their aspect.
_SIDE = 128

Look = Float32[np.ndarray, "_"]
Style = TypeVar("Style", styles.Files, styles.Generated, styles.Arrays)


class Nearest:
  """Those `count` images of each style that look most like a photograph.

  A look is the mean and the standard deviation of every channel of relu4_1 of
  VGG as it was trained. Two looks differ by the sum of the squares of what they
  differ in, each in units of its standard deviation among the images of the
  style.

  Args:
    params: parameters of VGG19 or VGG16.
    opened: the styles. Each image is read once here.
    count: of images of each style; all of a style that has no more.

  Attributes:
    contact_sheet: the first images of the styles.
  """

  def __init__(self, params: Any, opened: Sequence[Style], *, count: int):
    self._opened, self._count = opened, count
    self._looks, self._numbers, self._sides = [], [], []
    thumbnails = []
    for style in opened:
      looks, numbers, side = [], [], 1
      for number, image in tqdm.tqdm(
        style.numbered(), desc="looks", total=len(style), unit="image"
      ):
        looks.append(_look(params, images.resize(image, _SIDE, _SIDE)))
        numbers.append(number)
        side = max(side, *image.shape[:2])
        if len(thumbnails) < styles.MAX_SHOWN:
          thumbnails.append(style.thumbnail(image, alone=len(opened) == 1))
      self._looks.append(np.stack(jax.device_get(looks)))
      self._numbers.append(numbers)
      self._sides.append(min(side, _SIDE))
    self.contact_sheet = images.grid(np.stack(thumbnails), columns=8)

  def choose(self, params: Any, photograph: styles.Image) -> tuple[Style, ...]:
    """The styles with the images nearest to the photograph, nearest first.

    Args:
      params: as before, or a copy of them.
      photograph: in [0, 1].
    """
    photograph = formats.to_integers(np.asarray(photograph), bits=8)
    chosen = []
    for style, looks, numbers, side in zip(
      self._opened, self._looks, self._numbers, self._sides, strict=True
    ):
      # No more detail than the images have that it is compared with.
      seen = images.resize(photograph, side, side)
      own = _look(params, images.resize(seen, _SIDE, _SIDE))
      order = np.argsort(distances_to(np.asarray(own), looks), kind="stable")
      chosen.append(style.take([numbers[i] for i in order[: self._count]]))
    return tuple(chosen)


def distances_to(
  look: Look, looks: Float32[np.ndarray, "n _"]
) -> Float[np.ndarray, "n"]:
  """How far each of the looks is from one, in units of their own spread.

  What is the same in all of them says nothing.
  """
  spread = np.std(looks, axis=0, dtype=np.float64)
  differs = spread > 0
  scaled = (looks - look)[:, differs] / spread[differs]
  return np.sum(np.square(scaled), axis=1)


@jax.jit
def _look(params, image):
  image = image[None].astype(jnp.float32) / 255
  features = vgg.apply(params, image, (_LAYER,))[_LAYER][0].astype(jnp.float32)
  return jnp.concatenate(
    [jnp.mean(features, axis=(0, 1)), jnp.std(features, axis=(0, 1))]
  )
