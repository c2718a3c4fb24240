"""Trained upscalers, as every task uses them: images in, larger ones out."""

import functools
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from astgan.arrays import Images

# Pixels that come out of one call, so that memory bounds no count.
_PIXELS = 64 * 256**2


class Upscaler(NamedTuple):
  """Small images to large ones.

  Attributes:
    module: sharpens enlarged images, as `module.apply({"params": params},
      images)`.
    params: of the module.
    factor: of height and width.
  """

  module: nn.Module
  params: PyTree
  factor: int

  def enlarge(self, images: Images) -> Float[Array, "b h2 w2 3"]:
    """Images in [-1, 1] of images in [-1, 1], [b h w 3].

    Args:
      images: with sides that are multiples of 4.

    Returns: [b factor*h factor*w 3].
    """
    pixels = self.factor**2 * images.shape[1] * images.shape[2]
    count = max(1, _PIXELS // pixels)
    parts = [
      _apply(self.module, self.params, images[i : i + count], self.factor)
      for i in range(0, len(images), count)
    ]
    return jnp.concatenate(parts)


def reduce(images: Images, factor: int) -> Float[Array, "b h2 w2 c"]:
  """Images whose sides are divided by `factor`, by cubic interpolation."""
  b, h, w, c = images.shape
  return _resize(images, (b, h // factor, w // factor, c))


def enlarge(images: Images, factor: int) -> Float[Array, "b h2 w2 c"]:
  """Images whose sides are `factor` times as long, by cubic interpolation."""
  b, h, w, c = images.shape
  return _resize(images, (b, factor * h, factor * w, c))


def _resize(images, shape):
  # It widens the kernel where it reduces, so that nothing is aliased.
  return jax.image.resize(images, shape, "cubic", antialias=True)


@functools.partial(jax.jit, static_argnums=(0, 3))
def _apply(module, params, images, factor):
  sharp = module.apply({"params": params}, enlarge(images, factor))
  return jnp.clip(sharp, -1, 1)
