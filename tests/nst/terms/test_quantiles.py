"""Distributions on lines, against numpy in float64."""

import numpy as np
import pytest

from astgan.nst import regions
from astgan.nst.terms import quantiles, sampled
from tests.nst import toy

STYLE_IMAGES = [toy.draw(2, 8, 6, 3, seed=3), toy.draw(1, 10, 4, 3) ** 2]


def samples(images):
  """[n c] of each image at the sampled positions, by layer."""
  return {
    layer: [
      image[tuple(regions.sample(image.shape[:2], sampled.SIZE).T)]
      for image in features
    ]
    for layer, features in toy.extract_float64(images).items()
  }


@pytest.mark.parametrize("kind", ["Histogram", "SlicedWasserstein"])
def test_it_is_the_mean_over_the_group_of_sorted_differences(kind):
  def lines(rows):
    if kind == "SlicedWasserstein":
      count = rows.shape[1]
      rows = rows @ np.asarray(quantiles.directions(count, count), "float64")
    return np.sort(rows, axis=0)

  painted, expected = samples(toy.PHOTOGRAPH), 0.0
  batches = [samples(images) for images in STYLE_IMAGES]
  for layer, weight in (("fine", 0.5), ("coarse", 2.0)):
    group = [lines(rows) for batch in batches for rows in batch[layer]]
    (one,) = map(lines, painted[layer])
    expected += weight * np.mean((one[None] - np.stack(group)) ** 2)
  term = getattr(quantiles, kind)(taps=toy.LAYERS, layer_weights=(0.5, 2.0))
  actual = toy.style_loss(term, STYLE_IMAGES)
  assert actual == pytest.approx(expected, rel=1e-4)


def test_directions_are_unit_vectors_that_do_not_prefer_one():
  vectors = np.asarray(quantiles.directions(3, 4000))
  np.testing.assert_allclose(np.linalg.norm(vectors, axis=0), 1, rtol=1e-5)
  # The mean of v v^T over the sphere is I / 3.
  second = vectors @ vectors.T / 4000
  np.testing.assert_allclose(second, np.eye(3) / 3, atol=0.02)
