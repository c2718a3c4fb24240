"""The 4x4 convolution of stride 2, its transpose, and its kernel gradient.

One trilinear form joins inputs x [b 2h 2w c], a kernel k [4 4 c o] and outputs
y [b h w o]: T(x, k, y) = <strided_conv(x, k), y>. Its derivative in each
argument is one of three bilinear maps:

  strided_conv(x, k)          in y
  conv_transpose(y, k)        in x
  conv_kernel_gradient(x, y)  in k

The derivatives of each map are the two other maps, so gradients of any order
use these three programs only, and each of them is fast. JAX by itself computes
the kernel gradient of a transposed convolution by a dilated convolution, which
takes some forty times longer on CPUs.
"""

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

Inputs = Float[Array, "b h2 w2 c"]
Kernel = Float[Array, "4 4 c o"]
Outputs = Float[Array, "b h w o"]

_DIMENSIONS = ("NHWC", "HWIO", "NHWC")


@jax.custom_vjp
def strided_conv(inputs: Inputs, kernel: Kernel) -> Outputs:
  """Convolution with stride 2 and padding 1: halves height and width."""
  return lax.conv_general_dilated(
    inputs, kernel, (2, 2), ((1, 1), (1, 1)), dimension_numbers=_DIMENSIONS
  )


@jax.custom_vjp
def conv_transpose(outputs: Outputs, kernel: Kernel) -> Inputs:
  """Transposed convolution of stride 2 and padding 1: doubles both sides.

  The adjoint of `strided_conv` in its inputs. It maps o channels to c for a
  kernel [4 4 c o].
  """
  return lax.platform_dependent(
    outputs,
    kernel,
    cpu=conv_transpose_by_phases,
    default=conv_transpose_by_dilation,
  )


@jax.custom_vjp
def conv_kernel_gradient(inputs: Inputs, outputs: Outputs) -> Kernel:
  """The gradient of <strided_conv(inputs, kernel), outputs> in the kernel."""
  if inputs.shape[-1] > 4:
    return kernel_gradient_by_conv(inputs, outputs)
  return lax.platform_dependent(
    inputs,
    outputs,
    cpu=kernel_gradient_by_patches,
    default=kernel_gradient_by_conv,
  )


strided_conv.defvjp(
  lambda x, k: (strided_conv(x, k), (x, k)),
  lambda saved, g: (
    conv_transpose(g, saved[1]),
    conv_kernel_gradient(saved[0], g),
  ),
)
conv_transpose.defvjp(
  lambda y, k: (conv_transpose(y, k), (y, k)),
  lambda saved, g: (
    strided_conv(g, saved[1]),
    conv_kernel_gradient(g, saved[0]),
  ),
)
conv_kernel_gradient.defvjp(
  lambda x, y: (conv_kernel_gradient(x, y), (x, y)),
  lambda saved, g: (conv_transpose(saved[1], g), strided_conv(saved[0], g)),
)


def conv_transpose_by_dilation(outputs: Outputs, kernel: Kernel) -> Inputs:
  """`conv_transpose` as a convolution of the dilated outputs."""
  return lax.conv_general_dilated(
    outputs,
    jnp.flip(kernel, (0, 1)),
    (1, 1),
    ((2, 2), (2, 2)),
    lhs_dilation=(2, 2),
    dimension_numbers=("NHWC", "HWOI", "NHWC"),
  )


def conv_transpose_by_phases(outputs: Outputs, kernel: Kernel) -> Inputs:
  """`conv_transpose` without the zeros of dilation, which are 3/4 of its work.

  The 2x2 blocks of the padded inputs are a 2x2 convolution of stride 1 of the
  outputs, with one group of channels per pixel of the block.
  """
  b, h, w, _ = outputs.shape
  _, _, c, o = kernel.shape
  # Tap 2 i + p of the kernel meets pixel p of block i.
  taps = kernel.reshape(2, 2, 2, 2, c, o).transpose(0, 2, 5, 1, 3, 4)
  taps = jnp.flip(taps.reshape(2, 2, o, 4 * c), (0, 1))
  blocks = lax.conv_general_dilated(
    outputs, taps, (1, 1), ((1, 1), (1, 1)), dimension_numbers=_DIMENSIONS
  )  # [b, h + 1, w + 1, 4 c]
  padded = blocks.reshape(b, h + 1, w + 1, 2, 2, c).transpose(0, 1, 3, 2, 4, 5)
  return padded.reshape(b, 2 * h + 2, 2 * w + 2, c)[:, 1:-1, 1:-1]


def kernel_gradient_by_conv(inputs: Inputs, outputs: Outputs) -> Kernel:
  """`conv_kernel_gradient` as JAX derives it: one convolution."""
  channels = (inputs.shape[-1], outputs.shape[-1])
  shape = jax.ShapeDtypeStruct((4, 4, *channels), inputs.dtype)
  (kernel,) = jax.linear_transpose(
    lambda kernel: lax.conv_general_dilated(
      inputs, kernel, (2, 2), ((1, 1), (1, 1)), dimension_numbers=_DIMENSIONS
    ),
    shape,
  )(outputs)
  return kernel


def kernel_gradient_by_patches(inputs: Inputs, outputs: Outputs) -> Kernel:
  """`conv_kernel_gradient` as one matrix product of 4x4 patches and outputs.

  It is faster on CPUs where the inputs have few channels, so that the patches
  are small.
  """
  _, h, w, o = outputs.shape
  c = inputs.shape[-1]
  padded = jnp.pad(inputs, ((0, 0), (1, 1), (1, 1), (0, 0)))
  taps = [
    padded[:, i : i + 2 * h : 2, j : j + 2 * w : 2]
    for i in range(4)
    for j in range(4)
  ]
  # The barrier keeps XLA from fusing the patches into the product, which would
  # then read them out of order.
  patches = lax.optimization_barrier(jnp.concatenate(taps, axis=-1))
  kernel = jnp.einsum("bhwk,bhwo->ko", patches, outputs)
  return kernel.reshape(4, 4, c, o)
