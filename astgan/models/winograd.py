"""Convolutions by 3 x 3 kernels with half of their multiplications.

Four neighbouring outputs of three taps are twelve products of a tap with an
input, or six of a sum of the taps with a sum of six inputs. So along the height
a convolution becomes six by 1 x 3 kernels, of a quarter of the height each.
Along the width as well it would need a quarter of the multiplications, but more
memory, more time for the sums and to compile, and a digit of float32.

References: Winograd, Arithmetic Complexity of Computations, 1980; Lavin and
  Gray, Fast Algorithms for Convolutional Neural Networks, 2015, F(4, 3).
"""

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

# Lavin and Gray's matrices B^T, G and A^T.
OF_INPUTS = (
  (4, 0, -5, 0, 1, 0),
  (0, -4, -4, 1, 1, 0),
  (0, 4, -4, -1, 1, 0),
  (0, -2, -1, 2, 1, 0),
  (0, 2, -1, -2, 1, 0),
  (0, 4, 0, -5, 0, 1),
)
OF_TAPS = (
  (1 / 4, 0, 0),
  (-1 / 6, -1 / 6, -1 / 6),
  (-1 / 6, 1 / 6, -1 / 6),
  (1 / 24, 1 / 12, 1 / 6),
  (1 / 24, -1 / 12, 1 / 6),
  (0, 0, 1),
)
OF_PRODUCTS = (
  (1, 1, 1, 1, 1, 0),
  (0, 1, -1, 2, -2, 0),
  (0, 1, 1, 4, 4, 0),
  (0, 1, -1, 8, -8, 1),
)

# What makes it pay: channels on both sides, and multiplications for each tap,
# since each convolution compiles for a third of a second.
_CHANNELS = 64
_MULTIPLICATIONS = 2**25


def suits(pixels: int, kernel: Float[Array, "n n c o"]) -> bool:
  """Whether CPUs convolve to so many pixels faster like this, and as well."""
  n, _, c, o = kernel.shape
  return (
    n == 3
    and kernel.dtype == jnp.float32
    and min(c, o) >= _CHANNELS
    and pixels * c * o >= _MULTIPLICATIONS
  )


def valid_conv(
  inputs: Float[Array, "b h w c"], kernel: Float[Array, "3 3 c o"]
) -> Float[Array, "b h-2 w-2 o"]:
  """Convolution of stride 1 without padding.

  In float32 rounding errors are three times those of the plain sum: less than a
  millionth of what comes out.
  """
  height = inputs.shape[1] - 2
  fours = -(-height // 4)
  ends = (0, 4 * fours - height)
  inputs = jnp.pad(inputs, ((0, 0), ends, (0, 0), (0, 0)))
  rows = [
    lax.slice_in_dim(inputs, i, i + 4 * fours - 3, stride=4, axis=1)
    for i in range(6)
  ]
  # As a product, which XLA does not fuse with a transposition of the kernel.
  sums_of_taps = jnp.tensordot(jnp.array(OF_TAPS, kernel.dtype), kernel, 1)
  products = [
    lax.conv_general_dilated(
      sums,
      taps[None],
      (1, 1),
      ((0, 1), (0, 0)),  # A row too many, see `unpadded`.
      dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )[:, :fours]
    for sums, taps in zip(_sums(OF_INPUTS, rows), sums_of_taps, strict=True)
  ]
  outputs = jnp.stack(_sums(OF_PRODUCTS, products), axis=2)
  b, _, _, w, o = outputs.shape
  return outputs.reshape(b, 4 * fours, w, o)[:, :height]


def _sums(weights, terms):
  """For each row of weights the weighted sum of the terms."""
  return [
    sum(w * x for w, x in zip(row, terms, strict=True) if w) for row in weights
  ]
