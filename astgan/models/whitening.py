"""Whitening and colouring: features with the Gaussian of other features.

Gradients of eigenvectors are not needed: only painting uses it.

References: Li et al., Universal Style Transfer via Feature Transforms, 2017,
  section 3.2.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from astgan import arrays
from astgan.arrays import Features

# Eigenvalues below this share of the largest count as none.
SMALLEST = 1e-5


class Moments(NamedTuple):
  """Means of features and of their products."""

  first: Float[Array, "*b c"]
  second: Float[Array, "*b c c"]


class Colour(NamedTuple):
  """The mean, and the symmetric square root of the covariance."""

  mean: Float[Array, "c"]
  root: Float[Array, "c c"]


@arrays.precise
def moments(features: Features) -> Moments:
  """Those of each image by itself."""
  x = features.reshape(len(features), -1, features.shape[-1])
  second = jnp.einsum("bpi,bpj->bij", x, x) / x.shape[1]
  return Moments(jnp.mean(x, axis=1), second)


def colour(pooled: Moments) -> Colour:
  """What features are coloured with, given the moments of a style."""
  mean = pooled.first
  covariance = pooled.second - mean[:, None] * mean[None]
  return Colour(mean, _power(covariance, 0.5))


@arrays.precise
def transfer(features: Features, style: Colour) -> Features:
  """The features of one image with the mean and the covariance of a style.

    root(S) C^(-1/2) (x - mean(x)) + mean(S)

  where C is the covariance of x. Directions in which x does not vary stay so.

  Args:
    features: x, [1 h w c].
    style: S.
  """
  x = features.reshape(-1, features.shape[-1])
  centred = x - jnp.mean(x, axis=0, keepdims=True)
  covariance = centred.T @ centred / len(x)
  matrix = _power(covariance, -0.5) @ style.root
  changed = centred @ matrix + style.mean[None]
  return changed.reshape(features.shape)


@arrays.precise
def _power(symmetric: Float[Array, "c c"], power: float) -> Float[Array, "c c"]:
  """A power of the matrix, without its smallest eigenvalues."""
  values, vectors = jnp.linalg.eigh(symmetric)
  is_kept = values > SMALLEST * values[-1]
  values = jnp.where(is_kept, jnp.where(is_kept, values, 1.0) ** power, 0.0)
  return (vectors * values[None]) @ vectors.T
