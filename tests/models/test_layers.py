"""The 4x4 convolutions against JAX's own convolution and its gradients."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from astgan.models import layers

# Few channels take other paths than many.
CHANNELS = pytest.mark.parametrize("channels", [(3, 8), (6, 10)])


def close(actual, expected, rtol=1e-5):
  # A sum of hundreds of products: errors are relative to the largest.
  np.testing.assert_allclose(
    actual, expected, rtol=rtol, atol=rtol * np.max(np.abs(expected)),
    strict=True,
  )  # fmt: skip


def draw(*shape, seed=0):
  return jnp.asarray(np.random.default_rng(seed).normal(size=shape), "float32")


def draw_arguments(channels):
  """An image [2 8 12 c], a kernel [4 4 c o] and a response [2 4 6 o]."""
  c, o = channels
  return (
    draw(2, 8, 12, c),
    draw(4, 4, c, o, seed=1),
    draw(2, 4, 6, o, seed=2),
  )


def plain_convolve(image, kernel):
  return lax.conv_general_dilated(
    image,
    kernel,
    (2, 2),
    ((1, 1), (1, 1)),
    dimension_numbers=("NHWC", "HWIO", "NHWC"),
  )


def plain_form(image, kernel, response):
  """<convolve(image, kernel), response>, all of it JAX's own."""
  return jnp.vdot(plain_convolve(image, kernel), response)


def test_convolve_sums_the_pixels_of_each_4x4_window():
  # Ones: a window inside meets 16 pixels, at an edge 12, at a corner 9.
  response = layers.convolve(jnp.ones((1, 6, 6, 1)), jnp.ones((4, 4, 1, 1)))
  expected = np.float32([[9, 12, 9], [12, 16, 12], [9, 12, 9]])
  close(response[0, :, :, 0], expected)


def test_transpose_spreads_one_response_over_its_4x4_window():
  response = jnp.zeros((1, 3, 3, 1)).at[0, 1, 1, 0].set(1.0)
  kernel = jnp.arange(16.0).reshape(4, 4, 1, 1)
  expected = np.zeros((6, 6), np.float32)
  expected[1:5, 1:5] = np.arange(16).reshape(4, 4)
  close(layers.transpose(response, kernel)[0, :, :, 0], expected)


@CHANNELS
def test_convolve_is_jax_s_convolution(channels):
  image, kernel, _ = draw_arguments(channels)
  close(layers.convolve(image, kernel), plain_convolve(image, kernel))


@CHANNELS
def test_transpose_is_the_gradient_of_jax_s_convolution_in_the_image(channels):
  image, kernel, response = draw_arguments(channels)
  expected = jax.grad(plain_form, 0)(image, kernel, response)
  close(layers.transpose(response, kernel), expected)


@CHANNELS
def test_correlate_is_the_gradient_of_jax_s_convolution_in_the_kernel(channels):
  image, kernel, response = draw_arguments(channels)
  expected = jax.grad(plain_form, 1)(image, kernel, response)
  close(layers.correlate(image, response), expected)


@CHANNELS
def test_the_three_maps_are_one_trilinear_form(channels):
  image, kernel, response = draw_arguments(channels)
  form = jnp.vdot(layers.convolve(image, kernel), response)
  close(jnp.vdot(image, layers.transpose(response, kernel)), form)
  close(jnp.vdot(kernel, layers.correlate(image, response)), form)


# Each map as this package has it and as JAX derives it, and its arguments
# among (image, kernel, response).
MAPS = {
  "convolve": (layers.convolve, plain_convolve, (0, 1)),
  "transpose": (
    layers.transpose,
    lambda response, kernel: jax.grad(plain_form, 0)(
      jnp.zeros((2, 8, 12, kernel.shape[2])), kernel, response
    ),
    (2, 1),
  ),
  "correlate": (
    layers.correlate,
    lambda image, response: jax.grad(plain_form, 1)(
      image, jnp.zeros((4, 4, image.shape[3], response.shape[3])), response
    ),
    (0, 2),
  ),
}


@CHANNELS
@pytest.mark.parametrize("name", MAPS)
def test_gradients_are_those_that_jax_derives(name, channels):
  ours, plain, places = MAPS[name]
  arguments = [draw_arguments(channels)[place] for place in places]
  gradients = [
    jax.jit(jax.grad(lambda *x, f=f: jnp.sum(jnp.sin(f(*x))), (0, 1)))
    for f in (ours, plain)
  ]
  for actual, expected in zip(*(g(*arguments) for g in gradients), strict=True):
    close(actual, expected, rtol=1e-4)


@CHANNELS
@pytest.mark.parametrize("name", MAPS)
def test_gradients_of_a_gradient_s_norm_are_those_that_jax_derives(
  name, channels
):
  ours, plain, places = MAPS[name]
  arguments = [draw_arguments(channels)[place] for place in places]

  def penalty(f, *x):
    gradient = jax.grad(lambda *x: jnp.sum(f(*x) ** 3))(*x)
    return jnp.sqrt(jnp.sum(gradient**2))

  gradients = [
    jax.jit(jax.grad(functools.partial(penalty, f), (0, 1)))
    for f in (ours, plain)
  ]
  for actual, expected in zip(*(g(*arguments) for g in gradients), strict=True):
    close(actual, expected, rtol=1e-4)


@CHANNELS
@pytest.mark.parametrize("name", MAPS)
def test_bfloat16_stays_bfloat16_and_near(name, channels):
  ours, _, places = MAPS[name]
  arguments = [draw_arguments(channels)[place] for place in places]
  rounded = [argument.astype(jnp.bfloat16) for argument in arguments]
  actual = ours(*rounded)
  assert actual.dtype == jnp.bfloat16
  # Eight bits of mantissa.
  close(actual.astype("float32"), ours(*arguments), rtol=2e-2)


@CHANNELS
@pytest.mark.parametrize("name", MAPS)
def test_gradients_in_bfloat16_stay_bfloat16(name, channels):
  ours, _, places = MAPS[name]
  arguments = [
    draw_arguments(channels)[place].astype(jnp.bfloat16) for place in places
  ]
  gradients = jax.grad(lambda *x: jnp.sum(ours(*x)), (0, 1))(*arguments)
  assert {gradient.dtype for gradient in gradients} == {jnp.bfloat16.dtype}


@CHANNELS
def test_the_transposed_convolution_for_accelerators_is_the_same(channels):
  _, kernel, response = draw_arguments(channels)
  close(
    layers._transpose(response, kernel),
    layers._transpose_by_phases(response, kernel),
  )


@CHANNELS
def test_the_kernel_s_gradient_for_accelerators_is_the_same(channels):
  image, _, response = draw_arguments(channels)
  close(
    layers._correlate(image, response),
    layers._correlate_patches(image, response),
  )
