"""Moments by hand, against numpy, and in parts."""

import jax
import numpy as np
import pytest

from astgan.metrics import moments


def draw(n, d, seed=0):
  return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def test_moments_of_three_points_by_hand():
  found = moments.of(np.array([[0.0, 0.0], [2.0, 0.0], [4.0, 6.0]]))
  assert found.count == 3
  np.testing.assert_array_equal(found.mean, [2, 2])
  np.testing.assert_array_equal(found.scatter, [[8, 12], [12, 24]])


def test_the_covariance_is_that_of_numpy_far_from_zero_too():
  features = draw(50, 4) + 1000
  expected = np.cov(features.astype(np.float64), rowvar=False)
  found = moments.covariance(moments.of(features))
  np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("cuts", [(1, 2), (20, 21), (3, 30)])
def test_moments_of_parts_are_those_of_the_whole(cuts):
  features = draw(40, 3) + 100
  found = moments.of_parts(np.split(features, cuts))
  for part, whole in zip(found, moments.of(features), strict=True):
    np.testing.assert_allclose(part, whole, rtol=1e-12, atol=1e-9)


def test_moments_are_a_pytree_of_float64():
  leaves = jax.tree.leaves(moments.of(draw(5, 2)))
  assert [np.asarray(leaf).dtype for leaf in leaves] == ["float64"] * 3


def test_too_few_features_are_refused():
  with pytest.raises(ValueError, match="no features"):
    moments.of(draw(0, 2))
  with pytest.raises(ValueError, match="two or more"):
    moments.covariance(moments.of(draw(1, 2)))
