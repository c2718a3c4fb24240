"""Style as the mean and the covariance of the features of a layer."""

import jax.numpy as jnp

from astgan import arrays
from astgan.losses import gaussians
from astgan.nst.terms import gram, interface, layers

# Added to variances before their root is taken.
_SMALLEST = 1e-6


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
      tap: gaussians.covariance(first / pixels, second / pixels)
      for tap, (first, second, pixels) in sums.items()
    }


class Wasserstein(Moments):
  """sum_l w_l W_2^2 / c between the Gaussians of a layer's features.

  See `astgan.losses.gaussians`. A group is the Gaussian of all of its pixels
  together, each image with the same share: the mean over its images of W_2^2
  would need a matrix root each.
  """

  def describe(self, sums):
    """Mean, and second moments of the channels, by layer."""
    return {
      tap: (first / pixels, second / pixels)
      for tap, (first, second, pixels) in sums.items()
    }

  def target(self, group: interface.Group):
    """Of each layer a `gaussians.Target`."""
    return {tap: gaussians.target(*layer) for tap, layer in group.mean.items()}

  def distance(self, description, target):
    """The weighted sum over the layers."""
    return self.weighted(
      lambda tap: gaussians.wasserstein(*description[tap], target[tap])
    )
