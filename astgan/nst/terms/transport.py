"""Style and content as STROTSS compares them: cosine distances of features.

Features are those of one layer at sampled positions, layer by layer, where the
paper concatenates layers to hypercolumns.

References: Kolkin, Salavon and Shakhnarovich, Style Transfer by Relaxed Optimal
  Transport and Self-Similarity, 2019.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from astgan.nst.terms import interface, layers, sampled

# Added to squared norms and to sums of distances, which may be 0.
_SMALLEST = 1e-8


class RelaxedEMD(layers.Layers):
  """sum_l w_l max(mean_x min_y C_xy, mean_y min_x C_xy), C cosine distances.

  The earth mover's distance with one of its two constraints, whichever costs
  more. A group is a sample of the rows of all of its images, in which each
  position of the painting has its nearest. That is another loss than the mean
  over the images, which would cost as many matrices as there are images,
  and draw every position to all of them. The paper adds moments and colours:
  those are other terms, such as `mean_std` and `covariance`.

  References: Kolkin et al. 2019, equations 4 to 6.
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
    """The rows of the group, by layer."""
    return group.mean

  def distance(self, description, target):
    """The weighted sum over the layers."""

    def of_layer(tap):
      costs = cosine_distances(description[tap], target[tap])
      nearest = (jnp.min(costs, axis=axis) for axis in (0, 1))
      return jnp.maximum(*map(jnp.mean, nearest))

    return self.weighted(of_layer)


class SelfSimilarity(layers.ToPhotograph):
  """sum_l w_l mean_j sum_i |D_ij(X) / sum_i D_ij(X) - D_ij(C) / sum_i D_ij(C)|.

  D are the cosine distances between positions of one image: the painting keeps
  which places of the photograph look alike, and not how they look. It is the
  paper's times the number of positions: between 0 and 2, whatever their number.

  References: Kolkin et al. 2019, equation 8.
  """

  sample_size = sampled.SIZE

  def statistics(self, view: interface.View):
    """Features of painting and photograph at sampled positions, by layer."""
    return {
      tap: tuple(
        sampled.rows(view, tap, features)
        for features in (view.features, view.content)
      )
      for tap in self.taps
    }

  def describe(self, sums):
    """How far the similarities are apart, by layer."""

    def of_layer(painted, photographed):
      one, other = map(_similarities, (painted, photographed))
      return jnp.mean(jnp.sum(jnp.abs(one - other), axis=0))

    return {tap: of_layer(*pair) for tap, pair in sums.items()}


def cosine_distances(
  left: Float[Array, "n c"], right: Float[Array, "m c"]
) -> Float[Array, "n m"]:
  """1 - x.y / (|x| |y|) of all pairs of rows."""
  return 1 - _unit(left) @ _unit(right).T


def _unit(rows):
  squares = jnp.sum(jnp.square(rows), axis=1, keepdims=True)
  return rows / jnp.sqrt(squares + _SMALLEST)


def _similarities(rows):
  distances = cosine_distances(rows, rows)
  return distances / (jnp.sum(distances, axis=0, keepdims=True) + _SMALLEST)
