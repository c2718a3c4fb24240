"""Frechet distance: closed forms, scipy, and sets below the dimension."""

import numpy as np
import pytest
import scipy.linalg

from astgan.metrics import frechet, moments


def draw(n, d, seed):
  """Correlated features far from zero."""
  draws = np.random.default_rng(seed)
  return draws.normal(size=(n, d)) @ draws.normal(size=(d, d)) + 3


def gaussian(mean, covariance):
  return moments.Moments(11.0, np.array(mean), 10 * np.array(covariance))


def test_gaussians_of_one_dimension():
  a, b = gaussian([1.0], [[4.0]]), gaussian([4.0], [[25.0]])
  np.testing.assert_allclose(frechet.distance(a, b), 3**2 + (2 - 5) ** 2)


def test_gaussians_with_the_same_axes():
  a = gaussian([0.0, 0.0], np.diag([1.0, 9.0]))
  b = gaussian([0.0, 2.0], np.diag([16.0, 0.0]))
  np.testing.assert_allclose(frechet.distance(a, b), 4 + 3**2 + 3**2)


def test_it_agrees_with_the_matrix_square_root_of_scipy():
  a, b = draw(60, 8, 0), draw(50, 8, 1)
  covariances = [np.cov(x, rowvar=False) for x in (a, b)]
  root = scipy.linalg.sqrtm(covariances[0] @ covariances[1])
  expected = np.sum((a.mean(0) - b.mean(0)) ** 2)
  expected += np.trace(covariances[0] + covariances[1] - 2 * root.real)
  found = frechet.distance(moments.of(a), moments.of(b))
  np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_below_the_dimension_it_agrees_with_the_gram_matrix_of_the_sets():
  # The nonzero eigenvalues of A B are the squares of the singular values of
  # the n x m products between two centred sets.
  a, b = draw(9, 40, 0), draw(7, 40, 1)
  x, y = a - a.mean(0), b - b.mean(0)
  root = np.linalg.norm(x @ y.T, "nuc") / np.sqrt(8 * 6)
  expected = np.sum((a.mean(0) - b.mean(0)) ** 2)
  expected += np.sum(x**2) / 8 + np.sum(y**2) / 6 - 2 * root
  found = frechet.distance(moments.of(a), moments.of(b))
  np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize(("n", "m"), [(9, 7), (40, 12), (41, 50)])
def test_from_the_features_it_is_the_same(n, m):
  a, b = draw(n, 40, 0), draw(m, 40, 1)
  expected = frechet.distance(moments.of(a), moments.of(b))
  np.testing.assert_allclose(
    frechet.distance_of_sets(a, b), expected, rtol=1e-6
  )


@pytest.mark.parametrize("n", [5, 100])
def test_identical_sets_have_none(n):
  found = moments.of(draw(n, 20, 0))
  total = np.trace(moments.covariance(found))
  assert 0 <= frechet.distance(found, found) < 1e-11 * total


@pytest.mark.parametrize("n", [5, 100])
def test_a_shift_counts_by_its_squared_length(n):
  features, shift = draw(n, 20, 0), np.linspace(0, 1, 20)
  found = frechet.distance(moments.of(features), moments.of(features + shift))
  np.testing.assert_allclose(found, np.sum(shift**2), rtol=1e-6)


def test_different_dimensions_are_refused():
  with pytest.raises(ValueError, match="8 and of 9 dimensions"):
    frechet.distance(moments.of(draw(5, 8, 0)), moments.of(draw(5, 9, 0)))
