"""Frechet distance: two sets of features compared as two Gaussians."""

import numpy as np
from jaxtyping import Float64

from astgan.metrics import moments


def distance(a: moments.Moments, b: moments.Moments) -> float:
  """|mean_a - mean_b|^2 + tr(A + B - 2 (A B)^(1/2)), at least 0.

  The last trace is that of (sqrt(A) B sqrt(A))^(1/2), a symmetric matrix: the
  square roots of its eigenvalues are the singular values of F^T G, where
  A = F F^T and B = G G^T. These are computed, since a singular value keeps the
  digits that the square root of an eigenvalue near zero loses. So sets that are
  smaller than the feature dimension need no offset and give no complex roots.

  0 for equal moments. It is biased: two samples of one distribution have a
  distance of about 1/n, so that only numbers of equal n compare. The unit is
  that of the squared features; with standardised features, two halves of a set
  of 300 have a distance of the order of the dimension's tenth.

  Args:
    a, b: moments of at least two feature vectors each, of one dimension.

  References: Dowson and Landau, The Frechet Distance between Multivariate
    Normal Distributions, 1982; Heusel et al., GANs Trained by a Two Time-Scale
    Update Rule, 2017, equation 6.
  """
  if a.mean.shape != b.mean.shape:
    raise ValueError(
      f"features of {len(a.mean)} and of {len(b.mean)} dimensions; expected one"
      " dimension"
    )
  covariances = [moments.covariance(a), moments.covariance(b)]
  factors = [_factor(covariance) for covariance in covariances]
  root = np.linalg.svd(factors[0].T @ factors[1], compute_uv=False).sum()
  shift = np.sum((a.mean - b.mean) ** 2)
  return max(0.0, float(shift + sum(map(np.trace, covariances)) - 2 * root))


def _factor(covariance: Float64[np.ndarray, "d d"]) -> np.ndarray:
  """F with A = F F^T: a column for each eigenvalue above rounding, [d rank]."""
  values, vectors = np.linalg.eigh(covariance)
  noise = len(values) * np.finfo(np.float64).eps * values[-1]
  kept = values > noise
  return vectors[:, kept] * np.sqrt(values[kept])[None]
