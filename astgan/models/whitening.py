"""What describes a style for whitening and colouring: its Gaussian.

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


@arrays.precise
def colour(pooled: Moments) -> Colour:
  """What features are coloured with, given the moments of a style."""
  mean = pooled.first
  covariance = pooled.second - mean[:, None] * mean[None]
  values, vectors = jnp.linalg.eigh(covariance)
  values = jnp.where(values > SMALLEST * values[-1], values, 0.0)
  return Colour(mean, (vectors * jnp.sqrt(values)[None]) @ vectors.T)
