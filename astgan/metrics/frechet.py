"""Frechet distance: two sets of features compared as two Gaussians.

It is the square of the Wasserstein-2 distance between them.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float64

from astgan.metrics import moments


class Gaussian(NamedTuple):
  """A Gaussian that is compared with many.

  Attributes:
    mean: of each dimension.
    factor: F, of the covariance F F^T.
  """

  mean: Float64[np.ndarray, "d"]
  factor: Float64[np.ndarray, "d _rank"]


def distance(a: moments.Moments, b: moments.Moments) -> float:
  """|mean_a - mean_b|^2 + tr(A + B - 2 (A B)^(1/2)), at least 0.

  The last trace is that of (sqrt(A) B sqrt(A))^(1/2), a symmetric matrix: the
  square roots of its eigenvalues are the singular values of F^T G, where
  A = F F^T and B = G G^T. These are computed, since a singular value keeps the
  digits that the square root of an eigenvalue near zero loses. So sets that are
  smaller than the feature dimension need no offset and give no complex roots.

  0 for equal moments. It is biased: two samples of one distribution have a
  distance of about 1 / n, so that only numbers of equal n compare. With
  standardised features of d dimensions, two halves of 300 paintings have d / 6,
  paintings of another school 3 times as much, and noise 100 times.

  Args:
    a, b: moments of at least two feature vectors each, of one dimension.

  References: Dowson and Landau, The Frechet Distance between Multivariate
    Normal Distributions, 1982; Heusel et al., GANs Trained by a Two Time-Scale
    Update Rule, 2017, equation 6.
  """
  return between(gaussian(a), gaussian(b))


def gaussian(of: moments.Moments) -> Gaussian:
  """The Gaussian of at least two feature vectors."""
  return Gaussian(of.mean, _factor(moments.covariance(of)))


def between(a: Gaussian, b: Gaussian) -> float:
  """The distance of two Gaussians of one dimension; see `distance`."""
  _check(a.mean, b.mean)
  root = np.linalg.svd(a.factor.T @ b.factor, compute_uv=False).sum()
  traces = np.sum(a.factor**2) + np.sum(b.factor**2)
  shift = np.sum((a.mean - b.mean) ** 2)
  return max(0.0, float(shift + traces - 2 * root))


def distance_of_sets(
  a: Float[np.ndarray, "_n _d"], b: Float[np.ndarray, "_m _d"]
) -> float:
  """The same distance from the features themselves.

  For sets below the dimension it is much cheaper: the features, centred, are
  the factors of their covariances.
  """
  _check(a[0], b[0])
  if max(len(a), len(b)) > a.shape[1]:
    return distance(moments.of(a), moments.of(b))
  return between(*(_of_few(one) for one in (a, b)))


def _of_few(features: Float[np.ndarray, "n d"]) -> Gaussian:
  mean = features.mean(axis=0, dtype=np.float64)
  centred = features - mean[None]
  return Gaussian(mean, centred.T / np.sqrt(len(features) - 1))


def _factor(
  covariance: Float64[np.ndarray, "d d"],
) -> Float64[np.ndarray, "d _rank"]:
  """F with A = F F^T: a column for each eigenvalue above rounding."""
  values, vectors = np.linalg.eigh(covariance)
  noise = len(values) * np.finfo(np.float64).eps * values[-1]
  kept = values > noise
  return vectors[:, kept] * np.sqrt(values[kept])[None]


def _check(a: np.ndarray, b: np.ndarray) -> None:
  if a.shape != b.shape:
    raise ValueError(
      f"features of {len(a)} and of {len(b)} dimensions; expected one dimension"
    )
