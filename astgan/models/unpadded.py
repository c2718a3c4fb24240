"""Convolutions of stride 1 without padding, as CPUs run them fast.

One trilinear form joins inputs x [b h+n-1 w+n-1 c], a kernel k [n n c o] and
outputs y [b h w o]: T(x, k, y) = <valid_conv(x, k), y>. Its derivative in x is
a convolution too, of y padded by zeros, and its derivative in k does not change
when x and y exchange their roles. So both derivatives, and all of theirs, use
the two programs of this file.

XLA's CPU programs for them take other ways than accelerators. A convolution
with a row of padding, which is cut off afterwards, takes half the time of one
without any. One with few outputs, such as an image's three channels, takes a
third of the time as a few columns of the kernel at a time, and a large one two
thirds of it by `winograd`.
"""

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from astgan.models import winograd

Inputs = Float[Array, "b h w c"]
Kernel = Float[Array, "n n c o"]
Outputs = Float[Array, "b h2 w2 o"]

# Outputs that are few.
_FEW = 4


@jax.custom_vjp
def valid_conv(inputs: Inputs, kernel: Kernel) -> Outputs:
  """Convolution of stride 1 without padding: sides shrink by n - 1."""
  b, h, w, _ = inputs.shape
  if kernel.shape[-1] <= _FEW:
    on_cpu = valid_conv_by_columns
  elif winograd.suits(b * (h - 2) * (w - 2), kernel):
    on_cpu = winograd.valid_conv
  else:
    on_cpu = valid_conv_by_padding
  return lax.platform_dependent(
    inputs, kernel, cpu=on_cpu, default=valid_conv_by_xla
  )


@jax.custom_vjp
def kernel_gradient(inputs: Inputs, outputs: Outputs) -> Kernel:
  """The gradient of <valid_conv(inputs, kernel), outputs> in the kernel."""
  is_thin = outputs.shape[-1] <= _FEW
  return lax.platform_dependent(
    inputs,
    outputs,
    cpu=(
      kernel_gradient_by_exchange if is_thin else kernel_gradient_by_padding
    ),
    default=kernel_gradient_by_xla,
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


def replicated_conv(inputs: Inputs, kernel: Kernel) -> Float[Array, "b h w o"]:
  """Convolution of stride 1 that keeps sides; the border is replicated.

  Zeros around the inputs of a generator show as a frame of its images.
  """
  ends = (len(kernel) // 2, len(kernel) // 2)
  padded = jnp.pad(inputs, ((0, 0), ends, ends, (0, 0)), mode="edge")
  return valid_conv(padded, kernel)


def valid_conv_by_xla(inputs: Inputs, kernel: Kernel) -> Outputs:
  """`valid_conv` without further ado."""
  return _conv(inputs, kernel, rows=0)


def valid_conv_by_padding(inputs: Inputs, kernel: Kernel) -> Outputs:
  """`valid_conv` with a row of zeros below, and without the row it makes."""
  return _conv(inputs, kernel, rows=1)


def valid_conv_by_columns(inputs: Inputs, kernel: Kernel) -> Outputs:
  """`valid_conv` as n columns of the kernel at a time, shifted and added."""
  n, _, c, o = kernel.shape
  columns = kernel.transpose(0, 2, 1, 3).reshape(n, 1, c, n * o)
  sums = _conv(inputs, columns, rows=1)  # [b, h2, w, n o]
  # The barrier keeps XLA from computing the sums once for each shift.
  sums = lax.optimization_barrier(sums)
  width = inputs.shape[2] - n + 1
  return sum(sums[:, :, j : j + width, j * o : (j + 1) * o] for j in range(n))


def kernel_gradient_by_xla(inputs: Inputs, outputs: Outputs) -> Kernel:
  """`kernel_gradient` as JAX derives it from `valid_conv_by_xla`."""
  return _transpose(inputs, outputs, rows=0)


def kernel_gradient_by_padding(inputs: Inputs, outputs: Outputs) -> Kernel:
  """`kernel_gradient` as JAX derives it from `valid_conv_by_padding`."""
  return _transpose(inputs, outputs, rows=1)


def kernel_gradient_by_exchange(inputs: Inputs, outputs: Outputs) -> Kernel:
  """`kernel_gradient` with inputs and outputs exchanged."""
  size = inputs.shape[1] - outputs.shape[1] + 1
  kernel = _transpose(_surround(outputs, size), inputs, rows=1)
  return jnp.flip(kernel, (0, 1)).swapaxes(2, 3)


def _conv(
  inputs: Inputs, kernel: Float[Array, "i j c o"], *, rows: int
) -> Float[Array, "b h2 w2 o"]:
  """The convolution, with rows of zeros below that are cut off."""
  outputs = lax.conv_general_dilated(
    inputs,
    kernel,
    (1, 1),
    ((0, rows), (0, 0)),
    dimension_numbers=("NHWC", "HWIO", "NHWC"),
  )
  return outputs[:, : outputs.shape[1] - rows]


def _transpose(inputs: Inputs, outputs: Outputs, *, rows: int) -> Kernel:
  size = inputs.shape[1] - outputs.shape[1] + 1
  shape = (size, size, inputs.shape[-1], outputs.shape[-1])
  (kernel,) = jax.linear_transpose(
    lambda kernel: _conv(inputs, kernel, rows=rows),
    jax.ShapeDtypeStruct(shape, inputs.dtype),
  )(outputs)
  return kernel


def _surround(outputs: Outputs, size: int) -> Float[Array, "b h3 w3 o"]:
  """Zeros around the outputs, as many as a kernel reaches beyond them."""
  ends = (size - 1, size - 1)
  return jnp.pad(outputs, ((0, 0), ends, ends, (0, 0)))
