"""What terms share that measure layer by layer."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from astgan.nst.terms import interface


@dataclasses.dataclass(frozen=True, kw_only=True)
class Layers:
  """A weighted sum over layers.

  Args:
    taps: the layers.
    layer_weights: w_l, one per layer.
  """

  taps: tuple[str, ...]
  layer_weights: tuple[float, ...]
  # See `interface.Term`.
  sample_size = 0
  reach = 0
  pools = False

  def weighted(
    self, of_layer: Callable[[str], Float[Array, ""]]
  ) -> Float[Array, ""]:
    """sum_l w_l of_layer(l)."""
    return sum(
      weight * of_layer(tap)
      for tap, weight in zip(self.taps, self.layer_weights, strict=True)
    )


class Euclidean(Layers):
  """The mean of a group's losses, each a squared Euclidean distance.

    mean_i |D - D_i|^2 = |D - mean D|^2 + mean_i |D_i - mean D|^2

  A step costs the same for one image and for a thousand, and the loss is that
  of the formula (the Ast-GAN report, section 3.3). Descriptions are trees of
  arrays by layer; each square is a mean over the entries of an array.
  """

  def target(self, group: interface.Group) -> interface.Group:
    """Mean and variance of the descriptions of the group."""
    return group

  def distance(
    self, description: dict[str, PyTree], target: interface.Group
  ) -> Float[Array, ""]:
    """sum_l w_l mean_i |D_l - D_il|^2."""

    def of_layer(tap):
      mean, variance = target.mean[tap], target.variance[tap]
      return _mean_square(description[tap], mean, variance)

    return self.weighted(of_layer)


class ToPhotograph(Layers):
  """A distance to the photograph, which the view already holds."""

  def target(self, group: Any) -> None:
    """Nothing."""
    del group

  def distance(
    self, description: dict[str, Float[Array, ""]], target: None
  ) -> Float[Array, ""]:
    """The weighted sum of the descriptions."""
    del target
    return self.weighted(description.get)


def _mean_square(description, mean, variance):
  terms = jax.tree.map(
    lambda x, m, v: jnp.mean(jnp.square(x - m)) + v, description, mean, variance
  )
  return sum(jax.tree.leaves(terms))
