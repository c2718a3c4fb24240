"""Convolutions of stride 1 that are fast with few channels at either end.

One trilinear form joins inputs x [b h+n-1 w+n-1 c], a kernel k [n n c o] and
outputs y [b h w o]: T(x, k, y) = <valid_conv(x, k), y>. Its derivative in x is
a convolution too, of y padded by zeros, and its derivative in k does not change
when x and y exchange their roles. So both derivatives, and all of theirs, use
the two programs of this file. On CPUs each takes a faster way where there are
few outputs: an image of three channels takes some five times longer by XLA's
own convolution.
"""

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

Inputs = Float[Array, "b h w c"]
Kernel = Float[Array, "n n c o"]
Outputs = Float[Array, "b h2 w2 o"]

_DIMENSIONS = ("NHWC", "HWIO", "NHWC")
# Outputs that are few.
_FEW = 4


@jax.custom_vjp
def valid_conv(inputs: Inputs, kernel: Kernel) -> Outputs:
  """Convolution of stride 1 without padding: sides shrink by n - 1."""
  if kernel.shape[-1] > _FEW:
    return valid_conv_by_conv(inputs, kernel)
  return lax.platform_dependent(
    inputs, kernel, cpu=valid_conv_by_columns, default=valid_conv_by_conv
  )


@jax.custom_vjp
def kernel_gradient(inputs: Inputs, outputs: Outputs) -> Kernel:
  """The gradient of <valid_conv(inputs, kernel), outputs> in the kernel."""
  if outputs.shape[-1] > _FEW:
    return kernel_gradient_by_conv(inputs, outputs)
  return lax.platform_dependent(
    inputs,
    outputs,
    cpu=kernel_gradient_by_exchange,
    default=kernel_gradient_by_conv,
  )


def _input_gradient(outputs: Outputs, kernel: Kernel) -> Inputs:
  return valid_conv(
    _surround(outputs, len(kernel)), jnp.flip(kernel, (0, 1)).swapaxes(2, 3)
  )


valid_conv.defvjp(
  lambda x, k: (valid_conv(x, k), (x, k)),
  lambda saved, g: (
    _input_gradient(g, saved[1]),
    kernel_gradient(saved[0], g),
  ),
)
kernel_gradient.defvjp(
  lambda x, y: (kernel_gradient(x, y), (x, y)),
  lambda saved, g: (_input_gradient(saved[1], g), valid_conv(saved[0], g)),
)


def valid_conv_by_conv(inputs: Inputs, kernel: Kernel) -> Outputs:
  """`valid_conv` as XLA has it."""
  return _conv(inputs, kernel)


def valid_conv_by_columns(inputs: Inputs, kernel: Kernel) -> Outputs:
  """`valid_conv` as n columns of the kernel at a time, shifted and added."""
  n, _, c, o = kernel.shape
  columns = kernel.transpose(0, 2, 1, 3).reshape(n, 1, c, n * o)
  sums = _conv(inputs, columns)  # [b, h2, w, n o]
  # The barrier keeps XLA from computing the sums once for each shift.
  sums = lax.optimization_barrier(sums)
  width = inputs.shape[2] - n + 1
  return sum(sums[:, :, j : j + width, j * o : (j + 1) * o] for j in range(n))


def kernel_gradient_by_conv(inputs: Inputs, outputs: Outputs) -> Kernel:
  """`kernel_gradient` as JAX derives it."""
  size = inputs.shape[1] - outputs.shape[1] + 1
  shape = (size, size, inputs.shape[-1], outputs.shape[-1])
  (kernel,) = jax.linear_transpose(
    lambda kernel: _conv(inputs, kernel),
    jax.ShapeDtypeStruct(shape, inputs.dtype),
  )(outputs)
  return kernel


def kernel_gradient_by_exchange(inputs: Inputs, outputs: Outputs) -> Kernel:
  """`kernel_gradient` with inputs and outputs exchanged."""
  size = inputs.shape[1] - outputs.shape[1] + 1
  kernel = kernel_gradient_by_conv(_surround(outputs, size), inputs)
  return jnp.flip(kernel, (0, 1)).swapaxes(2, 3)


def _conv(
  inputs: Inputs, kernel: Float[Array, "i j c o"]
) -> Float[Array, "b h2 w2 o"]:
  return lax.conv_general_dilated(
    inputs, kernel, (1, 1), "VALID", dimension_numbers=_DIMENSIONS
  )


def _surround(outputs: Outputs, size: int) -> Float[Array, "b h3 w3 o"]:
  """Zeros around the outputs, as many as a kernel reaches beyond them."""
  ends = (size - 1, size - 1)
  return jnp.pad(outputs, ((0, 0), ends, ends, (0, 0)))
