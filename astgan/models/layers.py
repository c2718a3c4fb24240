"""Convolutions: of stride 1, and of stride 2 with its two adjoints.

One trilinear form joins inputs x [b 2h 2w c], a kernel k [n n c o] and outputs
y [b h w o]: T(x, k, y) = <strided_conv(x, k), y>. Its derivative in each
argument is one of three bilinear maps:

  strided_conv(x, k)             in y
  conv_transpose(y, k)           in x
  conv_kernel_gradient(x, y, n)  in k

The derivatives of each map are the two other maps, so gradients of any order
use these three programs only, and each of them is fast. JAX by itself computes
the kernel gradient of a transposed convolution by a dilated convolution, which
takes some forty times longer on CPUs.

Output i meets the inputs from 2 i - low to 2 i - low + n - 1, where low is
(n - 1) // 2: PyTorch's `padding=low`, and `output_padding=n % 2` in its
transposed convolution.
"""

import functools

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from astgan.models import winograd

Inputs = Float[Array, "b h2 w2 c"]
Kernel = Float[Array, "n n c o"]
Outputs = Float[Array, "b h w o"]

_DIMENSIONS = ("NHWC", "HWIO", "NHWC")


@jax.custom_vjp
def strided_conv(inputs: Inputs, kernel: Kernel) -> Outputs:
  """Convolution with stride 2: halves height and width, which are even."""
  return _strided_conv(inputs, kernel)


@jax.custom_vjp
def conv_transpose(outputs: Outputs, kernel: Kernel) -> Inputs:
  """Transposed convolution of stride 2: doubles height and width.

  The adjoint of `strided_conv` in its inputs. It maps o channels to c for a
  kernel [n n c o].
  """
  return lax.platform_dependent(
    outputs,
    kernel,
    cpu=conv_transpose_by_phases,
    default=conv_transpose_by_dilation,
  )


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def conv_kernel_gradient(inputs: Inputs, outputs: Outputs, size: int) -> Kernel:
  """The gradient of <strided_conv(inputs, kernel), outputs> in the kernel.

  Args:
    inputs, outputs: of the convolution.
    size: side of the kernel, n.
  """
  by_conv = functools.partial(kernel_gradient_by_conv, size=size)
  if inputs.shape[-1] > 4 or size > 4:
    return by_conv(inputs, outputs)
  return lax.platform_dependent(
    inputs,
    outputs,
    cpu=functools.partial(kernel_gradient_by_patches, size=size),
    default=by_conv,
  )


strided_conv.defvjp(
  lambda x, k: (strided_conv(x, k), (x, k)),
  lambda saved, g: (
    conv_transpose(g, saved[1]),
    conv_kernel_gradient(saved[0], g, len(saved[1])),
  ),
)
conv_transpose.defvjp(
  lambda y, k: (conv_transpose(y, k), (y, k)),
  lambda saved, g: (
    strided_conv(g, saved[1]),
    conv_kernel_gradient(g, saved[0], len(saved[1])),
  ),
)
conv_kernel_gradient.defvjp(
  lambda x, y, size: (conv_kernel_gradient(x, y, size), (x, y)),
  lambda size, saved, g: (
    conv_transpose(saved[1], g),
    strided_conv(saved[0], g),
  ),
)


def conv(
  inputs: Float[Array, "b h w c"], kernel: Kernel
) -> Float[Array, "b h w o"]:
  """Convolution of stride 1 that keeps height and width, for odd sizes n."""
  b, h, w, _ = inputs.shape
  if winograd.suits(b * h * w, kernel):
    return _large_conv(inputs, kernel)
  return _conv(inputs, kernel)


@jax.custom_vjp
def _large_conv(inputs, kernel):
  ends = ((0, 0), (1, 1), (1, 1), (0, 0))
  return lax.platform_dependent(
    inputs,
    kernel,
    cpu=lambda x, k: winograd.valid_conv(jnp.pad(x, ends), k),
    default=_conv,
  )


def _gradients_of_large_conv(saved, g):
  inputs, kernel = saved
  (of_kernel,) = jax.linear_transpose(functools.partial(_conv, inputs), kernel)(
    g
  )
  return conv(g, jnp.flip(kernel, (0, 1)).swapaxes(2, 3)), of_kernel


_large_conv.defvjp(
  lambda x, k: (_large_conv(x, k), (x, k)), _gradients_of_large_conv
)


def conv_transpose_by_dilation(outputs: Outputs, kernel: Kernel) -> Inputs:
  """`conv_transpose` as a convolution of the dilated outputs."""
  low, high = _padding(len(kernel))
  ends = (len(kernel) - 1 - low, len(kernel) - 1 - high)
  return lax.conv_general_dilated(
    outputs,
    jnp.flip(kernel, (0, 1)),
    (1, 1),
    (ends, ends),
    lhs_dilation=(2, 2),
    dimension_numbers=("NHWC", "HWOI", "NHWC"),
  )


def conv_transpose_by_phases(outputs: Outputs, kernel: Kernel) -> Inputs:
  """`conv_transpose` without the zeros of dilation, which are 3/4 of its work.

  The pixels of even and of odd rows and columns are four convolutions of stride
  1 of the outputs, each with the taps that meet them.
  """
  b, h, w, _ = outputs.shape
  n, _, c, _ = kernel.shape
  low, _ = _padding(n)

  def taps_and_ends(phase):
    # Pixel 2 i + phase meets tap 2 j + first at output i + after - j.
    after, first = divmod(phase + low, 2)
    count = len(range(first, n, 2))
    return slice(first, None, 2), (count - 1 - after, after)

  rows = []
  for row_taps, row_ends in map(taps_and_ends, (0, 1)):
    pixels = [
      lax.conv_general_dilated(
        outputs,
        jnp.flip(kernel[row_taps, column_taps], (0, 1)),
        (1, 1),
        (row_ends, column_ends),
        dimension_numbers=("NHWC", "HWOI", "NHWC"),
      )
      for column_taps, column_ends in map(taps_and_ends, (0, 1))
    ]
    rows.append(jnp.stack(pixels, axis=3))  # [b, h, w, 2, c]
  return jnp.stack(rows, axis=2).reshape(b, 2 * h, 2 * w, c)


def kernel_gradient_by_conv(
  inputs: Inputs, outputs: Outputs, size: int
) -> Kernel:
  """`conv_kernel_gradient` as JAX derives it: one convolution."""
  shape = (size, size, inputs.shape[-1], outputs.shape[-1])
  (kernel,) = jax.linear_transpose(
    functools.partial(_strided_conv, inputs),
    jax.ShapeDtypeStruct(shape, inputs.dtype),
  )(outputs)
  return kernel


def kernel_gradient_by_patches(
  inputs: Inputs, outputs: Outputs, size: int
) -> Kernel:
  """`conv_kernel_gradient` as one matrix product of patches and outputs.

  It is faster on CPUs where the inputs have few channels and the kernel is
  small, so that the patches are.
  """
  _, h, w, o = outputs.shape
  c = inputs.shape[-1]
  ends = _padding(size)
  padded = jnp.pad(inputs, ((0, 0), ends, ends, (0, 0)))
  taps = [
    padded[:, i : i + 2 * h - 1 : 2, j : j + 2 * w - 1 : 2]
    for i in range(size)
    for j in range(size)
  ]
  # The barrier keeps XLA from fusing the patches into the product, which would
  # then read them out of order.
  patches = lax.optimization_barrier(jnp.concatenate(taps, axis=-1))
  kernel = jnp.einsum("bhwk,bhwo->ko", patches, outputs)
  return kernel.reshape(size, size, c, o)


def _strided_conv(inputs: Inputs, kernel: Kernel) -> Outputs:
  ends = _padding(len(kernel))
  return lax.conv_general_dilated(
    inputs, kernel, (2, 2), (ends, ends), dimension_numbers=_DIMENSIONS
  )


def _conv(inputs, kernel):
  return lax.conv_general_dilated(
    inputs, kernel, (1, 1), "SAME", dimension_numbers=_DIMENSIONS
  )


def _padding(size: int) -> tuple[int, int]:
  """Before and after: as little as halves a side that is even."""
  low = (size - 1) // 2
  return low, size - 2 - low
