"""Mean and covariance of features, summed in parts of any size."""

import functools
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float64


class Moments(NamedTuple):
  """The first two moments of a set of features: a pytree that merges.

  Attributes:
    count: features in the set; a float, so that all leaves are float64.
    mean: of each dimension.
    scatter: sum of (x - mean) (x - mean)^T.
  """

  count: float
  mean: Float64[np.ndarray, "d"]
  scatter: Float64[np.ndarray, "d d"]


def of(features: Float[np.ndarray, "n d"]) -> Moments:
  """The moments of at least one feature vector.

  The mean is subtracted before anything is squared, so that features far from
  zero lose no digits.
  """
  if not len(features):
    raise ValueError("moments of no features; expected at least one")
  features = features.astype(np.float64)
  mean = features.mean(axis=0)
  centred = features - mean[None]
  return Moments(float(len(features)), mean, centred.T @ centred)


def merge(a: Moments, b: Moments) -> Moments:
  """The moments of the union of two disjoint sets.

  References: Chan, Golub and LeVeque, Updating Formulae and a Pairwise
    Algorithm for Computing Sample Variances, 1979, equation 2.1.
  """
  count = a.count + b.count
  shift = b.mean - a.mean
  mean = a.mean + shift * (b.count / count)
  between = np.outer(shift, shift) * (a.count * b.count / count)
  return Moments(count, mean, a.scatter + b.scatter + between)


def of_parts(parts: Iterable[Float[np.ndarray, "_n d"]]) -> Moments:
  """The moments of all parts together, of which one at a time is in memory."""
  return functools.reduce(merge, map(of, parts))


def covariance(moments: Moments) -> Float64[np.ndarray, "d d"]:
  """The unbiased covariance, of at least two feature vectors."""
  if moments.count < 2:
    raise ValueError("covariance of one feature vector; expected two or more")
  return moments.scatter / (moments.count - 1)
