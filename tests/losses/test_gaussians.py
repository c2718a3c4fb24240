"""Distances between Gaussians, against formulas in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg

from astgan.losses import gaussians


def draw(*shape, seed):
  values = np.random.default_rng(seed).normal(size=shape)
  return jnp.asarray(values @ np.diag([1.0, 2.0, 0.5]) + seed, jnp.float32)


def test_moments_are_those_of_the_pixels_of_all_examples():
  features = draw(2, 5, 4, 3, seed=1)
  mean, second = gaussians.moments(features)
  pixels = np.float64(features).reshape(-1, 3)
  np.testing.assert_allclose(mean, pixels.mean(0), rtol=1e-6)
  np.testing.assert_allclose(second, pixels.T @ pixels / 40, rtol=1e-6)
  np.testing.assert_allclose(
    gaussians.covariance(mean, second), np.cov(pixels.T, bias=True), atol=1e-5
  )


def test_second_moments_are_of_whole_float32_on_every_device():
  program = jax.make_jaxpr(gaussians.moments)(draw(1, 2, 2, 3, seed=1))
  assert "Precision.HIGHEST" in str(program)


def test_the_distance_is_that_of_the_formula():
  one, other = (draw(1, 9, 9, 3, seed=seed) for seed in (1, 2))
  found = gaussians.wasserstein(
    *gaussians.moments(one), gaussians.target(*gaussians.moments(other))
  )
  x, y = (np.float64(features).reshape(-1, 3) for features in (one, other))
  a, b = (np.cov(pixels.T, bias=True) for pixels in (x, y))
  root = scipy.linalg.sqrtm(b)
  cross = scipy.linalg.sqrtm(root @ a @ root)
  squared = np.sum((x.mean(0) - y.mean(0)) ** 2)
  squared += np.trace(a + b - 2 * cross)
  assert found == pytest.approx(squared / 3, rel=1e-4)


def test_the_root_of_a_matrix_with_equal_eigenvalues_has_a_gradient():
  # d tr M^(1/2) = tr (M^(-1/2) dM) / 2; of 4 I that is 1/4 on the diagonal.
  gradient = jax.grad(gaussians.trace_of_root)(4 * jnp.eye(3), jnp.float32(0))
  np.testing.assert_allclose(gradient, np.eye(3, dtype="f") / 4, atol=1e-6)
