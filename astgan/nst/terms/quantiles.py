"""Style as distributions on lines: of projections, or of single channels.

The Wasserstein distance of two distributions on a line is the Euclidean one of
their quantile functions, which are the sorted samples. So the mean over a group
of squared distances is that to the mean quantile function plus the spread.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from astgan.nst.terms import interface, layers, sampled


class Histogram(layers.Euclidean):
  """sum_l w_l mean_i mean over channels of W_2^2 between their values.

  The values are those at sampled positions. Risser et al. remap the values by
  the histogram of the style and take the distance to the remapped ones; sorted
  values give the same, without bins.

  References: Risser, Wilmot and Barnes, Stable and Controllable Neural Texture
    Synthesis and Style Transfer Using Histogram Losses, 2017, section 4.1.
  """

  sample_size = sampled.SIZE

  def statistics(self, view: interface.View):
    """The features at sampled positions, by layer."""
    return {tap: sampled.rows(view, tap, view.features) for tap in self.taps}

  def describe(self, sums):
    """The quantiles on each line, by layer."""
    return {
      tap: jnp.sort(self.project(rows), axis=0) for tap, rows in sums.items()
    }

  def project(self, rows: Float[Array, "n c"]) -> Float[Array, "n _"]:
    """The rows on lines: the axes of the channels."""
    return rows


class SlicedWasserstein(Histogram):
  """sum_l w_l mean_i mean over directions of W_2^2 between projections.

  As many random directions as a layer has channels, as in the paper. They and
  the positions stay the same, where the paper draws directions at every step:
  an optimiser sees one objective.

  References: Heitz et al., A Sliced Wasserstein Loss for Neural Texture
    Synthesis, 2021, equations 4 and 5; Bonneel et al., Sliced and Radon
    Wasserstein Barycenters of Measures, 2015.
  """

  def project(self, rows):
    """The rows on the directions."""
    return rows @ directions(rows.shape[1], rows.shape[1], rows.dtype)


def directions(
  channels: int, count: int, dtype: jnp.dtype = jnp.float32
) -> Float[Array, "channels count"]:
  """Random unit vectors, one per column, the same at every call."""
  drawn = np.random.default_rng(0).normal(size=(channels, count))
  return jnp.asarray(drawn / np.linalg.norm(drawn, axis=0)[None], dtype)
