"""Discrepancies against their kernels in float64, pair by pair."""

import numpy as np
import pytest
from scipy.spatial import distance

from astgan.nst import regions
from astgan.nst.terms import kernels, sampled
from tests.nst import toy

STYLE_IMAGES = [toy.draw(2, 8, 6, 3, seed=3), toy.draw(1, 10, 4, 3) ** 2]
WEIGHTS = {"fine": 0.5, "coarse": 2.0}
LAYERS = {"taps": toy.LAYERS, "layer_weights": tuple(WEIGHTS.values())}


def discrepancy(kernel, x, y):
  own = np.mean(kernel(x, x)) + np.mean(kernel(y, y))
  return own - 2 * np.mean(kernel(x, y))


@pytest.mark.parametrize(
  "term, kernel",
  [
    (kernels.Mean(**LAYERS), lambda x, y: x @ y.T / x.shape[1]),
    (
      kernels.Polynomial(**LAYERS, offset=0.3),
      lambda x, y: (x @ y.T / x.shape[1] + 0.3) ** 2,
    ),
  ],
)
def test_moments_give_the_mean_over_the_group_of_the_discrepancies(
  term, kernel
):
  painted = toy.by_layer(toy.PHOTOGRAPH)
  batches = [toy.by_layer(images) for images in STYLE_IMAGES]
  expected = sum(
    weight
    * np.mean(
      [discrepancy(kernel, painted[tap][0], y) for b in batches for y in b[tap]]
    )
    for tap, weight in WEIGHTS.items()
  )
  actual = toy.style_loss(term, STYLE_IMAGES)
  assert actual == pytest.approx(expected, rel=1e-4)


def test_gaussian_has_the_median_distance_of_the_style():
  style, expected = toy.draw(1, 10, 4, 3, seed=5) ** 2, 0.0
  images = map(toy.extract_float64, (toy.PHOTOGRAPH, style))
  painted, wanted = images
  for layer, weight in WEIGHTS.items():
    x, y = (
      features[layer][0][
        tuple(regions.sample(features[layer].shape[1:3], sampled.SIZE).T)
      ]
      for features in (painted, wanted)
    )
    scale = np.median(distance.pdist(y, "sqeuclidean"))

    def kernel(x, y, scale=scale):
      return np.exp(-distance.cdist(x, y, "sqeuclidean") / scale)

    expected += weight * discrepancy(kernel, x, y)
  actual = toy.style_loss(kernels.Gaussian(**LAYERS), [style])
  assert actual == pytest.approx(expected, rel=1e-4)
