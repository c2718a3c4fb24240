"""Neighbours against double loops, scipy, and by hand."""

import math

import numpy as np
import pytest
import scipy.spatial

from astgan.metrics import neighbours


def draw(n, d, seed, shift=0.0):
  return np.random.default_rng(seed).normal(shift, size=(n, d))


def radius(points, i, k):
  others = (math.dist(points[i], p) for j, p in enumerate(points) if j != i)
  return sorted(others)[k - 1]


def naive_covered(centres, points, k):
  reach = [radius(centres, i, k) for i in range(len(centres))]
  inside = [
    any(math.dist(p, c) <= r for c, r in zip(centres, reach, strict=True))
    for p in points
  ]
  return sum(inside) / len(points)


REAL, FAKE = draw(30, 3, 0), draw(20, 3, 1, 1.2)


def test_precision_and_recall_agree_with_double_loops():
  found = neighbours.precision_recall(REAL, FAKE, k=3)
  expected = (naive_covered(REAL, FAKE, 3), naive_covered(FAKE, REAL, 3))
  np.testing.assert_allclose(found, expected, rtol=1e-6)
  assert 0 < min(found) < max(found) < 1


def test_density_and_coverage_agree_with_double_loops():
  reach = [radius(REAL, i, 5) for i in range(30)]
  hits = [
    [math.dist(f, r) < reach[i] for f in FAKE] for i, r in enumerate(REAL)
  ]
  expected = (sum(map(sum, hits)) / (5 * 20), sum(map(any, hits)) / 30)
  found = neighbours.density_coverage(REAL, FAKE, k=5)
  np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_authenticity_agrees_with_double_loops():
  authentic = []
  for fake in FAKE:
    own = min(range(30), key=lambda i: math.dist(fake, REAL[i]))
    authentic.append(math.dist(fake, REAL[own]) > radius(REAL, own, 1))
  found = neighbours.authenticity(REAL, FAKE)
  np.testing.assert_allclose(found, sum(authentic) / 20, rtol=1e-6)


def test_diversity_agrees_with_a_double_loop():
  total = sum(math.dist(x, y) for x in FAKE for y in FAKE)
  np.testing.assert_allclose(
    neighbours.diversity(FAKE), total / (20 * 19), rtol=1e-6
  )


def test_neighbours_agree_with_a_tree_over_many_blocks():
  queries, references = draw(50, 3, 0) + 10, draw(2500, 3, 1) + 10
  expected = scipy.spatial.KDTree(references).query(queries, k=4)
  indices, distances = neighbours.nearest(queries, references, count=4)
  np.testing.assert_array_equal(indices, expected[1])
  np.testing.assert_allclose(distances, expected[0], rtol=1e-6)


def test_nothing_is_its_own_neighbour_over_many_blocks():
  points = draw(2500, 3, 0)
  expected = scipy.spatial.KDTree(points).query(points, k=3)[0][:, -1]
  np.testing.assert_allclose(neighbours.radii(points, k=2), expected, rtol=1e-6)


def test_pixels_are_compared_as_they_are():
  bytes_ = np.array([[0, 0], [250, 0], [3, 4]], np.uint8)
  indices, distances = neighbours.nearest(bytes_[:1], bytes_[1:], count=2)
  np.testing.assert_array_equal(indices, [[1, 0]])
  np.testing.assert_allclose(distances, [[5, 250]])


def test_a_set_covers_itself():
  assert neighbours.precision_recall(REAL, REAL) == (1, 1)
  assert neighbours.density_coverage(REAL, REAL) == (1, 1)


def test_sets_far_apart_cover_nothing():
  far = FAKE + 100
  assert neighbours.precision_recall(REAL, far) == (0, 0)
  assert neighbours.density_coverage(REAL, far) == (0, 0)


def test_one_mode_of_two_has_precision_and_half_of_the_coverage():
  modes = np.concatenate([draw(50, 2, 0), draw(50, 2, 1) + 100])
  found = neighbours.precision_recall(modes, modes[:50])
  assert found == (1, 0.5)
  assert neighbours.density_coverage(modes, modes[:50])[1] == 0.5


def test_copies_are_not_authentic_and_strangers_are():
  assert neighbours.authenticity(REAL, REAL[:7]) == 0
  assert neighbours.authenticity(REAL, REAL[:7] + 1e-4) == 0
  assert neighbours.authenticity(REAL, FAKE + 100) == 1


def test_one_image_again_and_again_has_no_diversity():
  assert neighbours.diversity(np.full((5, 3), 0.1, np.float32)) == 0


@pytest.mark.parametrize("count", [0, 30])
def test_more_neighbours_than_there_are_others_are_refused(count):
  with pytest.raises(ValueError, match="expected 1 to 29"):
    neighbours.radii(REAL, k=count)
