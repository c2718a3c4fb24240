"""Variational losses against integrals and numbers worked out by hand."""

import jax.numpy as jnp
import numpy as np
import pytest

from astgan.losses import variational


def test_the_prior_costs_nothing():
  zeros = jnp.zeros((2, 3))
  loss = variational.gaussian_prior(zeros, zeros)
  np.testing.assert_array_equal(loss, np.zeros(2, np.float32), strict=True)


def test_the_divergence_is_that_of_its_integral():
  # KL = E_q[log q - log p], one dimension at a time, by the trapezoid rule.
  means, log_variances = np.array([0.5, -1.0]), np.array([0.7, -2.0])
  expected = 0.0
  for mean, log_variance in zip(means, log_variances, strict=True):
    deviation = np.exp(log_variance / 2)
    x = mean + deviation * np.linspace(-12, 12, 20001)
    log_q = -0.5 * ((x - mean) / deviation) ** 2 - np.log(deviation)
    integrand = np.exp(log_q) / np.sqrt(2 * np.pi) * (log_q + 0.5 * x**2)
    expected += np.trapezoid(integrand, x)
  loss = variational.gaussian_prior(
    jnp.float32([means]), jnp.float32([log_variances])
  )
  np.testing.assert_allclose(loss, np.float32([expected]), rtol=1e-5)


def test_tiny_deviations_from_the_prior_do_not_cancel():
  # variance - log variance - 1 is half the square of a small log variance.
  loss = variational.gaussian_prior(
    jnp.zeros((1, 1)), jnp.full((1, 1), 1e-3, jnp.float32)
  )
  np.testing.assert_allclose(loss, [0.25e-6], rtol=1e-3)


def test_a_reconstruction_costs_half_its_squared_distance():
  one = jnp.array([[[1.0, 2.0]], [[0.0, 0.0]]])
  other = jnp.array([[[4.0, -2.0]], [[0.0, 1.0]]])
  loss = variational.gaussian_reconstruction(one, other)
  np.testing.assert_array_equal(loss, np.float32([12.5, 0.5]), strict=True)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_sums_over_many_features_do_not_overflow(dtype):
  features = jnp.full((1, 100_000), 2, dtype)
  loss = variational.gaussian_reconstruction(features, 0 * features)
  np.testing.assert_array_equal(loss, np.float32([200_000]), strict=True)
