"""Style as the mean and the covariance of the features of a layer."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from astgan import arrays
from astgan.nst.terms import gram, interface, layers

# Added to variances before their root is taken.
_SMALLEST = 1e-6
# Eigenvalues below this share of the largest are rounding.
_RELATIVE = 1e-6


class Moments(layers.Euclidean):
  """Sums of features and of their products, which all of these terms need."""

  def statistics(self, view: interface.View):
    """Sums of features and of products, and the number of pixels, by layer."""

    def sums(tap):
      features, weights = view.features[tap], view.weight(tap)
      second, pixels = gram.products(features, weights)
      features = features.astype(arrays.accumulation_dtype(features))
      if weights is not None:
        features = features * weights
      return jnp.sum(features, axis=(0, 1, 2)), second, pixels

    return {tap: sums(tap) for tap in self.taps}


class MeanStd(Moments):
  """sum_l w_l mean_i (mean (mu - mu_i)^2 + mean (sigma - sigma_i)^2).

  Mean and standard deviation of every channel: what adaptive instance
  normalisation transfers.

  References: Huang and Belongie, Arbitrary Style Transfer in Real-time with
    Adaptive Instance Normalization, 2017, equation 13; Li et al., Demystifying
    Neural Style Transfer, 2017, section 4.2 (the BN loss).
  """

  def describe(self, sums):
    """Mean and standard deviation of each channel, by layer."""

    def of_layer(first, second, pixels):
      mean = first / pixels
      variance = jnp.diagonal(second) / pixels - jnp.square(mean)
      return mean, jnp.sqrt(jnp.maximum(variance, 0) + _SMALLEST)

    return {tap: of_layer(*layer) for tap, layer in sums.items()}


class Covariance(Moments):
  """sum_l w_l mean_i mean (C(X) - C(S_i))^2, covariances of channels.

  A Gram matrix without the mean colour and brightness of the features.

  References: Li et al., Universal Style Transfer via Feature Transforms, 2017;
    Sun and Saenko, Deep CORAL, 2016.
  """

  def describe(self, sums):
    """The covariance matrices, by layer."""
    return {
      tap: covariance(first / pixels, second / pixels)
      for tap, (first, second, pixels) in sums.items()
    }


class Wasserstein(Moments):
  """sum_l w_l W_2^2 / c between the Gaussians of a layer's features.

    W_2^2 = |mu - nu|^2 + tr(A + B - 2 (B^(1/2) A B^(1/2))^(1/2))

  A group is the Gaussian of all of its pixels together, each image with the
  same share: the mean over its images of W_2^2 would need a matrix root each.
  It is divided by the number of channels c, as the other losses are means.

  References: Dowson and Landau, The Frechet distance between multivariate
    normal distributions, 1982; Mroueh, Wasserstein Style Transfer, 2019.
  """

  def describe(self, sums):
    """Mean, and second moments of the channels, by layer."""
    return {
      tap: (first / pixels, second / pixels)
      for tap, (first, second, pixels) in sums.items()
    }

  def target(self, group: interface.Group):
    """Mean, root of the covariance, its trace and the floor, by layer."""

    @arrays.precise
    def of_layer(mean, second):
      values, vectors = jnp.linalg.eigh(covariance(mean, second))
      values = jnp.maximum(values, 0)
      root = (vectors * jnp.sqrt(values)[None]) @ vectors.T
      # The covariance of a style of one colour is 0.
      floor = _RELATIVE * jnp.maximum(values[-1], _SMALLEST) ** 2
      # That of equal Gaussians is then 0.
      trace = 2 * jnp.sum(jnp.sqrt(values**2 + floor)) - jnp.sum(values)
      return mean, root, trace, floor

    return {tap: of_layer(*layer) for tap, layer in group.mean.items()}

  def distance(self, description, target):
    """The weighted sum over the layers."""

    @arrays.precise
    def of_layer(tap):
      mean, second = description[tap]
      own = covariance(mean, second)
      target_mean, root, trace, floor = target[tap]
      product = root @ own @ root
      squared = jnp.sum(jnp.square(mean - target_mean))
      squared += jnp.trace(own) + trace
      squared -= 2 * trace_of_root(product, floor)
      return squared / len(mean)

    return self.weighted(of_layer)


def covariance(
  mean: Float[Array, "c"], second: Float[Array, "c c"]
) -> Float[Array, "c c"]:
  """The covariance of channels, of their means and second moments."""
  return second - jnp.outer(mean, mean)


@jax.custom_vjp
def trace_of_root(
  matrix: Float[Array, "c c"], floor: Float[Array, ""]
) -> Float[Array, ""]:
  """tr (M + floor)^(1/2) of a symmetric positive semidefinite matrix.

  Its gradient is (M + floor)^(-1/2) / 2. That of an eigendecomposition, which
  automatic differentiation would take, is infinite where two eigenvalues are
  equal.
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
