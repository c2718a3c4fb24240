"""Terms of means and covariances, against numpy and scipy in float64."""

import numpy as np
import pytest
import scipy.linalg

from astgan.nst.terms import moments
from tests.nst import toy

STYLE_IMAGES = [
  toy.draw(2, 8, 6, 3, seed=3),
  toy.draw(1, 10, 4, 3, seed=4) ** 2,
]
WEIGHTS = {"fine": 0.5, "coarse": 2.0}


def make(kind):
  return kind(taps=toy.LAYERS, layer_weights=tuple(WEIGHTS.values()))


def loss_of(kind, style_images=STYLE_IMAGES):
  return toy.style_loss(make(kind), style_images)


def by_formula(distance):
  """The weighted sum over layers of the mean over the group."""
  painted = toy.by_layer(toy.PHOTOGRAPH)
  batches = [toy.by_layer(images) for images in STYLE_IMAGES]
  return sum(
    weight
    * np.mean([distance(painted[tap][0], x) for b in batches for x in b[tap]])
    for tap, weight in WEIGHTS.items()
  )


def test_mean_std_is_the_mean_over_the_group():
  def distance(x, y):
    stds = np.sqrt(x.var(0) + 1e-6) - np.sqrt(y.var(0) + 1e-6)
    return np.mean((x.mean(0) - y.mean(0)) ** 2) + np.mean(stds**2)

  expected = by_formula(distance)
  assert loss_of(moments.MeanStd) == pytest.approx(expected, rel=1e-4)


def test_covariance_is_the_mean_over_the_group():
  def distance(x, y):
    return np.mean((np.cov(x.T, bias=True) - np.cov(y.T, bias=True)) ** 2)

  expected = by_formula(distance)
  assert loss_of(moments.Covariance) == pytest.approx(expected, rel=1e-4)


def test_wasserstein_is_that_of_the_gaussian_of_the_whole_group():
  painted = toy.by_layer(toy.PHOTOGRAPH)
  batches = [toy.by_layer(images) for images in STYLE_IMAGES]
  expected = 0.0
  for layer, weight in WEIGHTS.items():
    group = [image for batch in batches for image in batch[layer]]
    nu = np.mean([y.mean(0) for y in group], axis=0)
    second = np.mean([y.T @ y / len(y) for y in group], axis=0)
    b = second - np.outer(nu, nu)
    x = painted[layer][0]
    a, root = np.cov(x.T, bias=True), scipy.linalg.sqrtm(b)
    cross = scipy.linalg.sqrtm(root @ a @ root).real
    squared = np.sum((x.mean(0) - nu) ** 2) + np.trace(a + b - 2 * cross)
    expected += weight * squared / len(nu)
  # The layers are of lower rank than they have channels, and roots of zero
  # eigenvalues are the floor's.
  assert loss_of(moments.Wasserstein) == pytest.approx(expected, rel=5e-3)


def test_wasserstein_of_an_image_to_itself_is_zero():
  scale = loss_of(moments.Wasserstein)
  own = loss_of(moments.Wasserstein, [toy.PHOTOGRAPH])
  assert abs(own) < 1e-4 * scale
