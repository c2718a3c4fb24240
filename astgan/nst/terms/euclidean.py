"""The mean of a group's losses where a loss is a squared Euclidean distance.

  mean_i |D - D_i|^2 = |D - mean D|^2 + mean_i |D_i - mean D|^2

A step costs the same for one picture and for a thousand, and the loss is that
of the formula (the Ast-GAN report, section 3.3).
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from astgan.nst.terms import interface


def distance(
  descriptions: dict[str, PyTree],
  group: interface.Group,
  *,
  layers: Sequence[str],
  weights: Sequence[float],
) -> Float[Array, ""]:
  """sum_l w_l mean_i |D_l - D_il|^2, each square a mean over its entries.

  Args:
    descriptions: of the painting, by layer; an array or a tree of arrays each.
    group: mean and variance of the descriptions of the group, by layer.
    layers, weights: the layers, and w_l.
  """
  return sum(
    weight * _mean_square(descriptions[layer], group.mean[layer], layer_spread)
    for layer, weight, layer_spread in zip(
      layers, weights, map(group.variance.get, layers), strict=True
    )
  )


def _mean_square(description, mean, variance):
  terms = jax.tree.map(
    lambda x, m, v: jnp.mean(jnp.square(x - m)) + v, description, mean, variance
  )
  return sum(jax.tree.leaves(terms))
