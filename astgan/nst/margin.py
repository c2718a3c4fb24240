"""A margin that is painted around a painting, and cut off.

What its style has and the photograph has no place for, a painting puts along
the border of whatever is empty, as dark bands and patches of other hues:
presumably since a patch has the shortest outline there. With a margin, in which
the photograph goes on as its mirror image, they lie where they are cut off.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from astgan.nst import regions


def extend(
  image: Float[Array, "1 h w c"], width: int
) -> Float[Array, "1 new_h new_w c"]:
  """The image and its mirror image, `width` pixels wide on every side."""
  sides = ((0, 0), (width, width), (width, width), (0, 0))
  return jnp.pad(image, sides, mode="symmetric")


def extend_mask(
  mask: regions.Mask, shape: tuple[int, int], width: int
) -> regions.Mask:
  """A mask of any size, for an image of that shape that was extended."""
  return np.pad(regions.fit(mask, shape), width, mode="symmetric")


def cut(
  image: Float[Array, "1 h w c"], width: int
) -> Float[Array, "1 new_h new_w c"]:
  """What `extend` was given."""
  _, height, columns, _ = image.shape
  return image[:, width : height - width, width : columns - width]
