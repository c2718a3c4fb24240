"""Style swap: every patch of features exchanged for the nearest of a style.

References: Chen and Schmidt, Fast Patch-based Style Transfer of Arbitrary
  Style, 2016, section 3.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from astgan.arrays import Features

# Side of a patch, and patches that are compared at a time, so that memory does
# not grow with the style.
SIDE = 3
_CHUNK = 1024

Patches = Float[Array, "n 3 3 c"]


def patches(features: Features) -> Patches:
  """All patches of 3x3 pixels of all images; none of smaller images."""
  b, height, width, c = features.shape
  rows, columns = max(height - SIDE + 1, 0), max(width - SIDE + 1, 0)
  taps = [
    features[:, i : i + rows, j : j + columns]
    for i in range(SIDE)
    for j in range(SIDE)
  ]
  stacked = jnp.stack(taps, axis=3)  # [b, rows, columns, 9, c]
  return stacked.reshape(b * rows * columns, SIDE, SIDE, c)


def swap(features: Features, style: Patches) -> Features:
  """The features, each patch replaced by the most similar one of the style.

  Patches are similar by their normalised correlation. Where they overlap, their
  mean counts.

  Args:
    features: [1 h w c], at least 3 by 3 pixels.
    style: at least one.
  """
  _, height, width, c = features.shape
  nearest = _nearest(features, style)
  rows, columns = nearest.shape
  total = jnp.zeros((height, width, c), features.dtype)
  count = jnp.zeros((height, width, 1), features.dtype)
  for i in range(SIDE):
    for j in range(SIDE):
      place = slice(i, i + rows), slice(j, j + columns)
      total = total.at[place].add(style[nearest, i, j])
      count = count.at[place].add(1.0)
  return (total / count)[None]


def _nearest(features: Features, style: Patches) -> Int[Array, "rows columns"]:
  """The number of the most similar patch, by convolutions with all of them.

  A loop, since XLA keeps the scores of all chunks of an unrolled one.
  """
  _, height, width, _ = features.shape
  chunks = -(-len(style) // _CHUNK)
  size = -(-len(style) // chunks)

  def compare(chunk, best):
    # The last chunk begins earlier where it would be shorter.
    start = jnp.minimum(chunk * size, len(style) - size)
    kernel = jax.lax.dynamic_slice_in_dim(style, start, size)
    kernel = kernel.transpose(1, 2, 3, 0)
    lengths = jnp.sqrt(jnp.sum(kernel**2, axis=(0, 1, 2), keepdims=True))
    scores = jax.lax.conv_general_dilated(
      features,
      kernel / jnp.maximum(lengths, 1e-8),
      (1, 1),
      "VALID",
      dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )[0]
    highest, number = best
    found, places = jnp.max(scores, axis=-1), jnp.argmax(scores, axis=-1)
    better = jnp.where(found > highest, start + places, number)
    return jnp.maximum(highest, found), better.astype(jnp.int32)

  shape = height - SIDE + 1, width - SIDE + 1
  first = jnp.full(shape, -jnp.inf, features.dtype), jnp.zeros(shape, jnp.int32)
  _, number = jax.lax.fori_loop(0, chunks, compare, first)
  return number
