"""Frechet distance: two sets of features compared as two Gaussians."""

import numpy as np
from jaxtyping import Float, Float64

from astgan.metrics import moments


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
  _check(a.mean, b.mean)
  factors = [_factor(moments.covariance(one)) for one in (a, b)]
  return _distance(a.mean - b.mean, *factors)


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
  means = [one.mean(axis=0, dtype=np.float64) for one in (a, b)]
  factors = [
    (one - mean[None]).T / np.sqrt(len(one) - 1)
    for one, mean in zip((a, b), means, strict=True)
  ]
  return _distance(means[0] - means[1], *factors)


def _distance(
  shift: Float64[np.ndarray, "d"],
  f: Float64[np.ndarray, "d _n"],
  g: Float64[np.ndarray, "d _m"],
) -> float:
  root = np.linalg.svd(f.T @ g, compute_uv=False).sum()
  traces = np.sum(f**2) + np.sum(g**2)
  return max(0.0, float(np.sum(shift**2) + traces - 2 * root))


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
