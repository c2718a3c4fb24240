"""Style as the maximum mean discrepancy (MMD) of a layer's features.

  MMD^2 = mean k(x, x') + mean k(y, y') - 2 mean k(x, y)

over pixels x of the painting and y of the style: the squared distance of the
means of their feature maps. For polynomial kernels these are moments.

References: Gretton et al., A Kernel Two-Sample Test, 2012; Li et al.,
  Demystifying Neural Style Transfer, 2017.
"""

import dataclasses
import math

import jax.numpy as jnp

from astgan import arrays
from astgan.nst.terms import interface, layers, moments, sampled

# Of the squared distances of rows.
_SMALLEST = 1e-6


class Mean(layers.Euclidean):
  """sum_l w_l mean_i MMD^2 of the kernel x.y / c: mean (mu - mu_i)^2.

  References: Li et al. 2017, table 1 (the linear kernel).
  """

  def statistics(self, view: interface.View):
    """Sums of features, and the number of pixels, by layer."""

    def sums(tap):
      features, weights = view.features[tap], view.weight(tap)
      features = features.astype(arrays.accumulation_dtype(features))
      if weights is None:
        weights = jnp.ones((1, *features.shape[1:3], 1), features.dtype)
      return jnp.sum(weights * features, axis=(0, 1, 2)), jnp.sum(weights)

    return {tap: sums(tap) for tap in self.taps}

  def describe(self, sums):
    """The mean of each channel, by layer."""
    return {tap: total / pixels for tap, (total, pixels) in sums.items()}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Polynomial(moments.Moments):
  """sum_l w_l mean_i MMD^2 of the kernel (x.y / c + offset)^2.

    MMD^2 = mean (M - M_i)^2 + 2 offset mean (mu - mu_i)^2

  of second moments M and means mu, exactly and over all pixels. The offset 0 is
  that of Gram matrices.

  Args:
    offset: how much means count beside second moments.

  References: Li et al. 2017, equations 8 to 10 and table 1.
  """

  offset: float = 1.0

  def describe(self, sums):
    """Weighted means, and second moments of the channels, by layer."""
    scale = math.sqrt(2 * self.offset)
    return {
      tap: (scale * first / pixels, second / pixels)
      for tap, (first, second, pixels) in sums.items()
    }


class Gaussian(layers.Layers):
  """sum_l w_l MMD^2 of the kernel exp(-|x - y|^2 / s) at sampled positions.

  s is the median of |y - y'|^2 over the style. A group is a sample of the rows
  of all of its images: the mean over images of MMD^2 is that to all of them
  together plus a constant, as MMD is a distance of means. The sums over pairs
  include those of a row with itself, so that the loss is at least 0.

  References: Li et al. 2017, table 1; Gretton et al. 2012, section 8 (the
    median).
  """

  sample_size = sampled.SIZE
  pools = True

  def statistics(self, view: interface.View):
    """The features at sampled positions, by layer."""
    return {tap: sampled.rows(view, tap, view.features) for tap in self.taps}

  def describe(self, sums):
    """The same."""
    return sums

  def target(self, group: interface.Group):
    """The rows, s, and the mean of the kernel over their pairs, by layer."""

    def of_layer(rows):
      distances = sampled.squared_distances(rows, rows)
      pairs = jnp.triu_indices(len(rows), 1)
      # A style of one colour has none.
      scale = jnp.maximum(jnp.median(distances[pairs]), _SMALLEST)
      return rows, scale, jnp.mean(jnp.exp(-distances / scale))

    return {tap: of_layer(rows) for tap, rows in group.mean.items()}

  def distance(self, description, target):
    """The weighted sum over the layers."""

    def of_layer(tap):
      rows, (style, scale, own) = description[tap], target[tap]

      def kernel(other):
        distances = sampled.squared_distances(rows, other)
        return jnp.mean(jnp.exp(-distances / scale))

      return kernel(rows) + own - 2 * kernel(style)

    return self.weighted(of_layer)
