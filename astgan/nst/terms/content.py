"""The content of a photograph: its features, position by position."""

import jax.numpy as jnp

from astgan import arrays
from astgan.nst.terms import interface, layers


class Content(layers.ToPhotograph):
  """sum over layers of w_l mean (F(X) - F(C))^2.

  References: Gatys, Ecker and Bethge, A Neural Algorithm of Artistic Style,
    2015, equation 1 (half of the sum).
  """

  def statistics(self, view: interface.View):
    """The sum of squares and the number of values, by layer."""
    return {tap: self._sums(view, tap) for tap in self.taps}

  def _sums(self, view, tap):
    features, target = view.features[tap], view.content[tap]
    if features.shape != target.shape:
      raise ValueError(
        f"expected equal shapes, got {features.shape}, {target.shape}"
      )
    dtype = arrays.accumulation_dtype(features, target)
    squares = jnp.square(features.astype(dtype) - target.astype(dtype))
    return weighted_sum(squares, view.weight(tap))

  def describe(self, sums):
    """The mean of squares, by layer."""
    return {tap: total / count for tap, (total, count) in sums.items()}


def weighted_sum(values, weights):
  """The sum of [1 h w c], each position by its weight, and of the weights."""
  if weights is None:
    return jnp.sum(values), jnp.asarray(values.size, values.dtype)
  return jnp.sum(weights * values), jnp.sum(weights) * values.shape[-1]
