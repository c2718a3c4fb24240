"""The images of a style that look most like a photograph.

A group of paintings has every hue and every motif. A painting in the style of
all of them has them too, side by side in whatever is empty in the photograph.
Those of the group that show something like it, a town by a river or a meadow,
have the hues, the light and the touch that belong to it.
"""

import functools
from collections.abc import Sequence
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Float32

from astgan.data import images
from astgan.nst import network, styles

# Its statistics tell motifs and light apart, and do not see where things are.
_LAYER = "relu4_1"
# Images are seen as squares of this side, whatever their aspect.
_SIDE = 128

Look = Float32[np.ndarray, "_"]
Style = TypeVar("Style", styles.Files, styles.Generated, styles.Arrays)


class Nearest:
  """Those `count` images of each style that look most like a photograph.

  A look is the mean and the standard deviation of every channel of relu4_1. Two
  looks differ by the sum of the squares of what they differ in, each in units
  of its standard deviation among the images of the style.

  Args:
    extract: the feature network.
    params: its parameters.
    opened: the styles. Each image is read once here.
    count: of images of each style; all of a style that has no more.

  Attributes:
    contact_sheet: the first images of the styles.
  """

  def __init__(
    self,
    extract: network.Network,
    params: Any,
    opened: Sequence[Style],
    *,
    count: int,
  ):
    self._look = functools.partial(_look, params, extract=extract)
    self._opened, self._count = opened, count
    self._looks, self._numbers, self._sides = [], [], []
    thumbnails = []
    for style in opened:
      looks, numbers, side = [], [], 1
      for number, image in style.numbered():
        looks.append(self._look(images.resize(image, _SIDE, _SIDE)))
        numbers.append(number)
        side = max(side, *image.shape[:2])
        if len(thumbnails) < styles.MAX_SHOWN:
          thumbnails.append(style.thumbnail(image, alone=len(opened) == 1))
      self._looks.append(np.stack(jax.device_get(looks)))
      self._numbers.append(numbers)
      self._sides.append(min(side, _SIDE))
    self.contact_sheet = images.grid(np.stack(thumbnails), columns=8)

  def styles(self, photograph: styles.Image) -> tuple[Style, ...]:
    """The styles with the images nearest to the photograph, nearest first.

    Args:
      photograph: in [0, 1].
    """
    photograph = np.uint8(np.round(np.clip(photograph, 0, 1) * 255))
    return tuple(
      style.take([self._numbers[number][i] for i in chosen])
      for number, style in enumerate(self._opened)
      for chosen in [self._choose(photograph, number)]
    )

  def _choose(self, photograph, number):
    # A photograph has no more detail than the images that it is compared with.
    side = self._sides[number]
    photograph = images.resize(photograph, side, side)
    own = self._look(images.resize(photograph, _SIDE, _SIDE))
    distances = distances_to(np.asarray(own), self._looks[number])
    return np.argsort(distances, kind="stable")[: self._count]


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


@functools.partial(jax.jit, static_argnames="extract")
def _look(params, image, *, extract):
  image = image[None].astype(jnp.float32) / 255
  features = extract(params, image, (_LAYER,))[_LAYER][0].astype(jnp.float32)
  return jnp.concatenate(
    [jnp.mean(features, axis=(0, 1)), jnp.std(features, axis=(0, 1))]
  )
