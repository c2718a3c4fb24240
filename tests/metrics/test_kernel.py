"""Kernel distance against double loops."""

import numpy as np
import pytest

from astgan.metrics import kernel


def draw(n, d, seed, shift=0.0):
  return np.random.default_rng(seed).normal(shift, size=(n, d))


def naive(real, fake):
  def k(x, y):
    dot = sum(float(a) * float(b) for a, b in zip(x, y, strict=True))
    return (dot / len(x) + 1) ** 3

  n, m = len(real), len(fake)
  within = sum(
    k(x[i], x[j]) / (len(x) * (len(x) - 1))
    for x in (real, fake)
    for i in range(len(x))
    for j in range(len(x))
    if i != j
  )
  return within - 2 * sum(k(x, y) for x in real for y in fake) / (n * m)


def test_it_agrees_with_double_loops():
  real, fake = draw(12, 5, 0), draw(9, 5, 1, 0.5)
  found = kernel.mmd2(real, fake)
  np.testing.assert_allclose(found, naive(real, fake), rtol=1e-6)


def test_two_points_each_by_hand():
  # Of 1 dimension: k(0, 0) = 1, k(1, 1) = 8, k(0, 1) = 1.
  zeros, ones = np.zeros((2, 1)), np.ones((2, 1))
  np.testing.assert_allclose(kernel.mmd2(zeros, ones), 1 + 8 - 2)


def test_subsets_of_whole_sets_are_the_sets():
  real, fake = draw(12, 5, 0), draw(12, 5, 1, 0.5)
  mean, std = kernel.distance(real, fake, subset_size=12, subsets=3)
  np.testing.assert_allclose(mean, naive(real, fake), rtol=1e-6)
  assert std < 1e-12


def test_the_mean_and_the_spread_are_those_of_loops_over_subsets():
  real, fake = draw(12, 5, 0), draw(9, 5, 1, 0.5)
  draws = np.random.default_rng(3)
  values = []
  for _ in range(4):
    subset = real[draws.choice(12, 6, replace=False)]
    values.append(naive(subset, fake[draws.choice(9, 6, replace=False)]))
  mean = sum(values) / 4
  spread = (sum((value - mean) ** 2 for value in values) / 4) ** 0.5
  found = kernel.distance(real, fake, subset_size=6, subsets=4, seed=3)
  np.testing.assert_allclose(found, (mean, spread), rtol=1e-6)


def test_float32_features_are_summed_in_float64():
  real, fake = (draw(12, 5, seed).astype(np.float32) for seed in (0, 1))
  mean, _ = kernel.distance(real, fake, subset_size=12, subsets=1)
  np.testing.assert_allclose(mean, naive(real, fake), rtol=1e-6)


def test_it_is_zero_on_average_for_samples_of_one_distribution():
  values = [
    kernel.mmd2(draw(20, 4, seed), draw(20, 4, 1000 + seed))
    for seed in range(200)
  ]
  error = np.std(values) / np.sqrt(len(values))
  assert abs(np.mean(values)) < 3 * error


@pytest.mark.parametrize("size", [1, 10])
def test_a_subset_that_cannot_be_drawn_is_refused(size):
  with pytest.raises(ValueError, match="expected 2 to 9"):
    kernel.distance(draw(12, 2, 0), draw(9, 2, 1), subset_size=size, subsets=1)
