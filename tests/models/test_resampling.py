"""Resizing joined with 3x3 convolutions, against one after the other."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from astgan.models import resampling
from tests.models.numbers import close, draw

# A matrix product makes the small, a transposed convolution the large.
SIDES = pytest.mark.parametrize("sides", [(4, 6), (10, 8)])


def conv(inputs, kernel, padding):
  return lax.conv_general_dilated(
    inputs, kernel, (1, 1), padding, dimension_numbers=("NHWC", "HWIO", "NHWC")
  )


@SIDES
@pytest.mark.parametrize("method", ["nearest", "bilinear"])
def test_upsample_conv_resizes_replicates_the_border_and_convolves(
  method, sides
):
  h, w = sides
  inputs, kernel = draw(2, h, w, 3), draw(3, 3, 3, 5, seed=1)
  resized = jax.image.resize(inputs, (2, 2 * h, 2 * w, 3), method)
  padded = jnp.pad(resized, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
  actual = resampling.upsample_conv(inputs, kernel, method=method)
  close(actual, conv(padded, kernel, "VALID"))


@SIDES
def test_conv_downsample_convolves_and_takes_means(sides):
  inputs, kernel = draw(2, *sides, 3), draw(3, 3, 3, 5, seed=1)
  expected = resampling.downsample(conv(inputs, kernel, "SAME"))
  close(resampling.conv_downsample(inputs, kernel), expected)


def test_upsample_repeats_pixels_and_downsample_takes_their_means():
  inputs = jnp.float32([[1, 2], [3, 4]])[None, :, :, None]
  repeated = np.kron(inputs[0, :, :, 0], np.ones((2, 2), "float32"))
  close(resampling.upsample(inputs)[0, :, :, 0], repeated)
  close(resampling.downsample(inputs), np.full((1, 1, 1, 1), 2.5, "float32"))
