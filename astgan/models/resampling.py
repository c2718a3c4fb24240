"""3x3 convolutions joined with a change of size by two.

Resizing and then convolving leaves no checkerboard, which a transposed
convolution does. A pixel of the resized images and its neighbours hold few
distinct values, so the sums of the taps that meet the same value are taken
once, in the kernel: that takes 16 products per channel where the two steps
take 36, and the sums are the same.

References: Odena, Dumoulin and Olah, Deconvolution and Checkerboard Artifacts,
  2016.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from astgan.models import layers

Kernel = Float[Array, "3 3 c o"]

METHODS = ("nearest", "bilinear")
# Rows: the taps of a row of two pixels with the same value, or of their mean.
_PAIRS = ((1, 0, 0), (1, 1, 0), (0, 1, 1), (0, 0, 1))
# Pixels up to which a matrix product of patches is faster on CPUs.
_SMALL = 64


def upsample_conv(
  inputs: Float[Array, "b h w c"], kernel: Kernel, *, method: str
) -> Float[Array, "b h2 w2 o"]:
  """3x3 convolution of the inputs resized to twice their sides.

  The border pixels of the resized images are replicated. Zeros instead would
  darken the rim of every image, and both take the same time.

  Args:
    inputs: [b h w c].
    kernel: [3 3 c o].
    method: `nearest` or `bilinear`, whose samples lie at the pixels' centres.

  Returns: [b 2h 2w o].

  Raises:
    ValueError: the method is unknown.
  """
  if method not in METHODS:
    raise ValueError(f"method must be one of {METHODS}, got {method!r}")
  padded = jnp.pad(inputs, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
  taps = _sum_pairs(kernel)
  if inputs.shape[1] * inputs.shape[2] <= _SMALL:
    outputs = _by_patches(padded, taps)
  else:
    taps = jnp.flip(taps, (0, 1)).swapaxes(2, 3)
    outputs = layers.conv_transpose(padded, taps)[:, 1:-1, 1:-1]
  # [b, 2h + 2, 2w + 2, o]: one pixel beyond each border.
  if method == "nearest":
    return outputs[:, 1:-1, 1:-1]
  # Bilinear resizing is nearest resizing followed by this blur, which commutes
  # with the convolution.
  rows = outputs[:, :-2] + 2 * outputs[:, 1:-1] + outputs[:, 2:]
  return (rows[:, :, :-2] + 2 * rows[:, :, 1:-1] + rows[:, :, 2:]) / 16


def conv_downsample(
  inputs: Float[Array, "b h2 w2 c"], kernel: Kernel
) -> Float[Array, "b h w o"]:
  """Means over 2x2 pixels of a 3x3 convolution with padding 1.

  Args:
    inputs: [b 2h 2w c].
    kernel: [3 3 c o].

  Returns: [b h w o].
  """
  return layers.strided_conv(inputs, _sum_pairs(kernel) / 4)


def upsample(inputs: Float[Array, "b h w c"]) -> Float[Array, "b h2 w2 c"]:
  """Every pixel twice in both directions: [b 2h 2w c]."""
  b, h, w, c = inputs.shape
  shape = (b, h, 2, w, 2, c)
  return jnp.broadcast_to(inputs[:, :, None, :, None], shape).reshape(
    b, 2 * h, 2 * w, c
  )


def downsample(inputs: Float[Array, "b h2 w2 c"]) -> Float[Array, "b h w c"]:
  """Means over 2x2 pixels."""
  b, h, w, c = inputs.shape
  return jnp.mean(inputs.reshape(b, h // 2, 2, w // 2, 2, c), (2, 4))


def _sum_pairs(kernel: Kernel) -> Float[Array, "4 4 c o"]:
  pairs = jnp.array(_PAIRS, kernel.dtype)
  return jnp.einsum("ik,jl,klco->ijco", pairs, pairs, kernel)


def _by_patches(padded, taps):
  """The transposed convolution inside the padding, by one matrix product."""
  b, h, w, c = padded.shape
  o = taps.shape[-1]
  patches = jnp.concatenate(
    [padded[:, i : h - 1 + i, j : w - 1 + j] for i in (0, 1) for j in (0, 1)],
    axis=-1,
  )  # [b, h - 1, w - 1, 4 c]
  # Tap 2 i + 1 - p meets pixel p of a block of the outputs.
  taps = jnp.flip(taps.reshape(2, 2, 2, 2, c, o), (1, 3))
  taps = taps.transpose(0, 2, 4, 1, 3, 5).reshape(4 * c, 4 * o)
  blocks = jnp.einsum("bhwk,ko->bhwo", patches, taps)
  blocks = blocks.reshape(b, h - 1, w - 1, 2, 2, o).transpose(0, 1, 3, 2, 4, 5)
  return blocks.reshape(b, 2 * h - 2, 2 * w - 2, o)
