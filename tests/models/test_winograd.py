"""Convolutions by Winograd's sums against the definition, and their places."""

import functools
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from astgan.features import vgg
from astgan.models import layers, unpadded, winograd
from tests.models.numbers import close, draw


def plain_conv(inputs, kernel, ends=(0, 0)):
  return lax.conv_general_dilated(
    inputs,
    kernel,
    (1, 1),
    (ends, ends),
    dimension_numbers=("NHWC", "HWIO", "NHWC"),
  )


@pytest.fixture
def small(monkeypatch):
  """Every 3 x 3 convolution is large enough."""
  monkeypatch.setattr(winograd, "_CHANNELS", 1)
  monkeypatch.setattr(winograd, "_MULTIPLICATIONS", 1)


def test_sums_are_exactly_four_outputs_of_three_taps():
  def exact(matrix):
    return np.array(
      [[Fraction(x).limit_denominator(24) for x in row] for row in matrix]
    )

  of_inputs, of_taps, of_products = map(
    exact, (winograd.OF_INPUTS, winograd.OF_TAPS, winograd.OF_PRODUCTS)
  )
  for tap in range(3):
    for place in range(6):
      taps, inputs = np.eye(3, dtype=int)[tap], np.eye(6, dtype=int)[place]
      outputs = of_products @ ((of_taps @ taps) * (of_inputs @ inputs))
      # Output i is the sum over t of taps[t] inputs[i + t].
      assert outputs.tolist() == [i + tap == place for i in range(4)]


@pytest.mark.parametrize("sides", [(3, 3), (4, 7), (6, 6), (7, 4), (10, 5)])
def test_any_number_of_rows_is_convolved(sides):
  inputs, kernel = draw(2, *sides, 5), draw(3, 3, 5, 7, seed=1)
  close(winograd.valid_conv(inputs, kernel), plain_conv(inputs, kernel))


def test_rounding_is_below_a_millionth():
  inputs = jax.nn.relu(draw(1, 34, 34, 256))
  kernel = 0.05 * draw(3, 3, 256, 64, seed=1)
  rows = np.lib.stride_tricks.sliding_window_view(
    np.float64(inputs[0]), (3, 3), axis=(0, 1)
  )
  exact = np.einsum("hwcij,ijco->hwo", rows, np.float64(kernel), optimize=True)
  error = np.float64(winograd.valid_conv(inputs, kernel)[0]) - exact
  assert np.sqrt(np.mean(error**2) / np.mean(exact**2)) < 1e-6


@pytest.mark.parametrize(
  ("size", "channels", "pixels", "dtype", "suits"),
  [
    (3, (64, 128), 2**12, "float32", True),
    (3, (64, 128), 2**12 - 1, "float32", False),
    (3, (3, 64), 2**20, "float32", False),
    (3, (64, 3), 2**20, "float32", False),
    (5, (64, 128), 2**12, "float32", False),
    (3, (64, 128), 2**12, "bfloat16", False),
  ],
)
def test_it_is_for_large_convolutions_in_float32(
  size, channels, pixels, dtype, suits
):
  kernel = jnp.zeros((size, size, *channels), dtype)
  assert winograd.suits(pixels, kernel) == suits


def count_convolutions(f, *arguments):
  return jax.jit(f).lower(*arguments).as_text().count("stablehlo.convolution")


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
  ("conv", "plain"),
  [
    (unpadded.valid_conv, plain_conv),
    (layers.conv, functools.partial(plain_conv, ends=(1, 1))),
  ],
  ids=["valid", "same"],
)
def test_gradients_of_first_and_second_order_are_jaxs(conv, plain):
  arguments = draw(2, 7, 9, 6), draw(3, 3, 6, 5, seed=1)

  def loss(f, *x):
    return jnp.sum(jnp.sin(f(*x)))

  def penalty(f, *x):
    gradient = jax.grad(lambda *x: jnp.sum(f(*x) ** 3))(*x)
    return jnp.sqrt(jnp.sum(gradient**2))

  if jax.default_backend() == "cpu":
    assert count_convolutions(conv, *arguments) == 6
  for scalar in (loss, penalty):
    one, other = (
      jax.jit(jax.grad(functools.partial(scalar, f), (0, 1)))(*arguments)
      for f in (conv, plain)
    )
    jax.tree.map(functools.partial(close, rtol=1e-4), one, other)


@pytest.mark.parametrize("padding", vgg.PADDINGS)
def test_features_are_the_same(padding, monkeypatch, small):
  del small
  params = {
    "mean": jnp.zeros(3),
    "scale": jnp.ones(3),
    **{
      name: {"kernel": 0.1 * draw(*shape), "bias": jnp.ones(shape[-1])}
      for name, shape in vgg.kernel_shapes("vgg19").items()
      if name < "conv3_2" or name == "conv3_4"
    },
  }

  def extract(images):
    taps = ("relu1_2", "relu2_2", "relu3_1")
    return vgg.apply(params, images, taps, padding=padding)

  images = jax.nn.sigmoid(draw(1, 12, 16, 3))
  ours = jax.jit(extract)(images)
  monkeypatch.setattr(winograd, "suits", lambda pixels, kernel: False)
  jax.tree.map(close, ours, jax.jit(lambda x: extract(x))(images))
