"""The Wasserstein distance between the Gaussians of features.

  W_2^2 = |mu - nu|^2 + tr (A + B - 2 (B^(1/2) A B^(1/2))^(1/2))

Gaussians are given by their means and second moments, which add up: those of a
group are the means of those of its images.

References: Dowson and Landau, The Frechet distance between multivariate normal
  distributions, 1982; Mroueh, Wasserstein Style Transfer, 2019.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from astgan import arrays
from astgan.arrays import Features

# Eigenvalues below this share of the largest are rounding.
_RELATIVE = 1e-6
# The largest, at least: that of a style of one colour is 0.
_SMALLEST = 1e-6


class Target(NamedTuple):
  """A Gaussian, as `wasserstein` needs it.

  Args:
    mean: nu.
    root: B^(1/2).
    trace: of B, less what the floor adds to the distance of equal Gaussians.
    floor: added to the eigenvalues whose roots are taken.
  """

  mean: Float[Array, "c"]
  root: Float[Array, "c c"]
  trace: Float[Array, ""]
  floor: Float[Array, ""]


@arrays.precise
def moments(
  features: Features,
) -> tuple[Float[Array, "c"], Float[Array, "c c"]]:
  """The mean and the second moments of the pixels of all examples together.

  Args:
    features: [b h w c].

  Returns: both in the accumulation dtype.
  """
  pixels = features.reshape(-1, features.shape[-1])
  dtype = arrays.accumulation_dtype(features)
  second = jnp.einsum("pc,pd->cd", pixels, pixels, preferred_element_type=dtype)
  return jnp.mean(pixels, axis=0, dtype=dtype), second / len(pixels)


def covariance(
  mean: Float[Array, "c"], second: Float[Array, "c c"]
) -> Float[Array, "c c"]:
  """The covariance of channels, of their means and second moments."""
  return second - jnp.outer(mean, mean)


@arrays.precise
def target(mean: Float[Array, "c"], second: Float[Array, "c c"]) -> Target:
  """What `wasserstein` needs of the Gaussian that others are compared with."""
  values, vectors = jnp.linalg.eigh(covariance(mean, second))
  values = jnp.maximum(values, 0)
  root = (vectors * jnp.sqrt(values)[None]) @ vectors.T
  floor = _RELATIVE * jnp.maximum(values[-1], _SMALLEST) ** 2
  trace = 2 * jnp.sum(jnp.sqrt(values**2 + floor)) - jnp.sum(values)
  return Target(mean, root, trace, floor)


@arrays.precise
def wasserstein(
  mean: Float[Array, "c"], second: Float[Array, "c c"], target: Target
) -> Float[Array, ""]:
  """W_2^2 / c of the Gaussian of these moments to that of the target.

  It is divided by the number of channels c, as other losses are means.
  """
  own = covariance(mean, second)
  product = target.root @ own @ target.root
  squared = jnp.sum(jnp.square(mean - target.mean))
  squared += jnp.trace(own) + target.trace
  squared -= 2 * trace_of_root(product, target.floor)
  return squared / len(mean)


@jax.custom_vjp
def trace_of_root(
  matrix: Float[Array, "c c"], floor: Float[Array, ""]
) -> Float[Array, ""]:
  """tr (M + floor)^(1/2) of a symmetric positive semidefinite matrix.

  Its gradient is (M + floor)^(-1/2) / 2; the floor counts as a constant. That
  of an eigendecomposition, which automatic differentiation would take, is
  infinite where two eigenvalues are equal.
  """
  return _forward(matrix, floor)[0]


def _forward(matrix, floor):
  values, vectors = jnp.linalg.eigh((matrix + matrix.T) / 2)
  roots = jnp.sqrt(jnp.maximum(values, 0) + floor)
  return jnp.sum(roots), (roots, vectors)


@arrays.precise
def _backward(residuals, cotangent):
  roots, vectors = residuals
  gradient = (vectors * (cotangent / (2 * roots))[None]) @ vectors.T
  return gradient, jnp.zeros_like(cotangent)


trace_of_root.defvjp(_forward, _backward)
