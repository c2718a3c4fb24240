"""Whitening and colouring: features get the Gaussian of a style."""

import jax
import jax.numpy as jnp
import numpy as np

from astgan.models import whitening
from astgan.systems import wct
from tests.models.numbers import close, draw

MIXED = draw(5, 5, seed=1)


def transfer(features, style):
  """The features in the style of others."""
  pooled = jax.tree.map(lambda x: x[0], whitening.moments(style))
  change = wct.transfer(np.asarray(features), style=whitening.colour(pooled))
  return change(slice(None))


def test_features_get_the_mean_and_the_covariance_of_the_style():
  style = 2 + draw(1, 9, 11, 5, seed=2) @ MIXED
  changed = transfer(draw(1, 12, 10, 5), style)
  actual, wanted = (np.asarray(x).reshape(-1, 5) for x in (changed, style))
  close(actual.mean(0), wanted.mean(0), rtol=1e-4)
  close(*(np.cov(x.T, bias=True) for x in (actual, wanted)), rtol=1e-3)


def test_their_own_gaussian_leaves_them_as_they_are():
  features = draw(1, 12, 10, 5) @ MIXED
  close(transfer(features, features), features, rtol=1e-3)


def test_directions_without_variance_stay_finite():
  features = draw(1, 12, 10, 5) * jnp.array([[[[1.0, 1, 0, 0, 1]]]])
  changed = transfer(features, draw(1, 6, 6, 5))
  # A channel that does not vary gets variance from others only.
  assert np.isfinite(changed).all()
  rank = np.linalg.matrix_rank(np.cov(np.asarray(changed).reshape(-1, 5).T))
  assert rank == 3
