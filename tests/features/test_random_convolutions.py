"""The random networks are the same everywhere, and see what they should."""

import hashlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan.features import random_convolutions

PARAMS = random_convolutions.init()
apply = jax.jit(random_convolutions.apply)


def test_the_weights_are_these_bits():
  sha256 = hashlib.sha256()
  for kernel in jax.tree.leaves(PARAMS):
    sha256.update(np.asarray(kernel, "<f4").tobytes())
  assert sha256.hexdigest() == (
    "c194a65393f367700e45a2dace98c1bfef47ddea43735439c9a9903cdb63fedc"
  )


def test_the_variance_of_the_weights_is_hes():
  for kernel in jax.tree.leaves(PARAMS):
    inputs = np.prod(kernel.shape[:3])
    # The relative error of a variance estimated from n uniform numbers has the
    # standard deviation sqrt(0.8 / n).
    tolerance = 4 * (0.8 / kernel.size) ** 0.5
    np.testing.assert_allclose(kernel.var(), 2 / inputs, rtol=tolerance)


def test_the_first_features_are_mean_and_deviation_of_the_first_relu():
  images = jax.random.uniform(jax.random.key(1), (2, 8, 8, 3))
  kernel = np.asarray(PARAMS[0][0])
  padded = np.pad(2 * np.asarray(images) - 1, [(0, 0), (2, 2), (2, 2), (0, 0)])
  windows = np.lib.stride_tricks.sliding_window_view(padded, (5, 5), (1, 2))
  relu = np.maximum(np.einsum("bhwcij,ijcd->bhwd", windows, kernel), 0)
  expected = np.concatenate([relu.mean((1, 2)), relu.std((1, 2))], axis=1)
  features = apply(PARAMS, images)
  assert features.shape == (2, 3 * 2 * (16 + 32 + 64 + 64))
  np.testing.assert_allclose(features[:, :32], expected, rtol=1e-4, atol=1e-6)


def test_images_that_are_too_small_are_refused():
  with pytest.raises(ValueError, match="8 pixels a side; got 7 x 9"):
    random_convolutions.apply(PARAMS, jnp.zeros((1, 7, 9, 3)))
