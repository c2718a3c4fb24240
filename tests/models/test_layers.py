"""The strided convolutions against JAX's own, and its gradients."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from astgan.models import layers
from tests.models.numbers import close, draw

# Side of the kernel, channels in and out; few take other paths than many.
SHAPES = pytest.mark.parametrize(
  "shape", [(4, 3, 8), (4, 6, 10), (3, 6, 10), (5, 3, 8), (5, 6, 10)]
)
# PyTorch's padding of these kernels; beyond the end where that is of use.
PADDINGS = {3: (1, 0), 4: (1, 1), 5: (2, 1)}


def draw_arguments(shape):
  """Inputs [2 8 12 c], a kernel [n n c o] and outputs [2 4 6 o]."""
  n, c, o = shape
  shapes = (2, 8, 12, c), (n, n, c, o), (2, 4, 6, o)
  return [draw(*shape, seed=seed) for seed, shape in enumerate(shapes)]


def plain_conv(inputs, kernel):
  numbers, ends = ("NHWC", "HWIO", "NHWC"), PADDINGS[len(kernel)]
  return lax.conv_general_dilated(
    inputs, kernel, (2, 2), (ends, ends), dimension_numbers=numbers
  )


def plain_form(inputs, kernel, outputs):
  """<strided_conv(inputs, kernel), outputs>, all of it JAX's own."""
  return jnp.vdot(plain_conv(inputs, kernel), outputs)


def plain_transpose(outputs, kernel):
  inputs = jnp.zeros((2, 8, 12, kernel.shape[2]))
  return jax.grad(plain_form, 0)(inputs, kernel, outputs)


def plain_kernel_gradient(inputs, outputs, size):
  kernel = jnp.zeros((size, size, inputs.shape[3], outputs.shape[3]))
  return jax.grad(plain_form, 1)(inputs, kernel, outputs)


# Each map as this package has it and as JAX derives it, and its arguments
# among (inputs, kernel, outputs).
MAPS = {
  "strided_conv": (layers.strided_conv, plain_conv, (0, 1)),
  "conv_transpose": (layers.conv_transpose, plain_transpose, (2, 1)),
  "conv_kernel_gradient": (
    layers.conv_kernel_gradient,
    plain_kernel_gradient,
    (0, 2),
  ),
}
# What accelerators and CPUs run in place of them, too.
PATHS = MAPS | {
  name: (getattr(layers, name), *MAPS[of][1:])
  for name, of in {
    "conv_transpose_by_dilation": "conv_transpose",
    "conv_transpose_by_phases": "conv_transpose",
    "kernel_gradient_by_conv": "conv_kernel_gradient",
    "kernel_gradient_by_patches": "conv_kernel_gradient",
  }.items()
}


def test_strided_conv_sums_the_pixels_of_each_4x4_window():
  # Ones: a window inside meets 16 pixels, at an edge 12, at a corner 9.
  outputs = layers.strided_conv(jnp.ones((1, 6, 6, 1)), jnp.ones((4, 4, 1, 1)))
  expected = np.float32([[9, 12, 9], [12, 16, 12], [9, 12, 9]])
  close(outputs[0, :, :, 0], expected)


def test_conv_transpose_spreads_one_value_over_its_4x4_window():
  outputs = jnp.zeros((1, 3, 3, 1)).at[0, 1, 1, 0].set(1.0)
  kernel = jnp.arange(16.0).reshape(4, 4, 1, 1)
  expected = np.zeros((6, 6), np.float32)
  expected[1:5, 1:5] = np.arange(16).reshape(4, 4)
  close(layers.conv_transpose(outputs, kernel)[0, :, :, 0], expected)


def look_up(maps, name, shape):
  """Ours, what JAX derives, and arguments."""
  ours, plain, places = maps[name]
  if "gradient" in name:
    ours, plain = (functools.partial(f, size=shape[0]) for f in (ours, plain))
  arguments = draw_arguments(shape)
  return ours, plain, [arguments[place] for place in places]


@SHAPES
@pytest.mark.parametrize("name", PATHS)
def test_each_map_is_what_jax_derives(name, shape):
  ours, plain, arguments = look_up(PATHS, name, shape)
  close(ours(*arguments), plain(*arguments))


def penalty(f, *x):
  gradient = jax.grad(lambda *x: jnp.sum(f(*x) ** 3))(*x)
  return jnp.sqrt(jnp.sum(gradient**2))


@SHAPES
@pytest.mark.parametrize("name", MAPS)
@pytest.mark.parametrize(
  "loss", [lambda f, *x: jnp.sum(jnp.sin(f(*x))), penalty]
)
def test_first_and_second_gradients_are_those_that_jax_derives(
  loss, name, shape
):
  ours, plain, arguments = look_up(MAPS, name, shape)
  gradients = [
    jax.jit(jax.grad(functools.partial(loss, f), (0, 1)))(*arguments)
    for f in (ours, plain)
  ]
  for actual, expected in zip(*gradients, strict=True):
    close(actual, expected, rtol=1e-4)
