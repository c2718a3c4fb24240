"""Features at sampled positions, for terms that compare them one by one."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from astgan import arrays
from astgan.nst.terms import interface

# Positions of each layer, as many as Kolkin et al. 2019 take, and the same for
# all terms: they share the positions of a layer.
SIZE = 1024


def rows(
  view: interface.View, tap: str, features: interface.LayerFeatures
) -> Float[Array, "n c"]:
  """The features at the sampled positions of the view.

  Rows of positions that belong to another window are 0: rows add up over
  windows.

  Args:
    view: gives the positions.
    tap: the layer.
    features: those of the view, or its content.
  """
  values, positions = features[tap][0], view.samples[tap]
  size = jnp.array(values.shape[:2], positions.dtype)[None]
  is_inside = jnp.all((positions >= 0) & (positions < size), axis=1)
  row, column = jnp.clip(positions, 0, size - 1).T
  weights = view.weight(tap)
  if weights is not None:
    is_inside &= weights[0, row, column, 0] > 0
  found = values[row, column].astype(arrays.accumulation_dtype(values))
  return jnp.where(is_inside[:, None], found, 0)


def squared_distances(
  left: Float[Array, "n c"], right: Float[Array, "m c"]
) -> Float[Array, "n m"]:
  """|x - y|^2 of all pairs of rows."""
  squares = jnp.sum(jnp.square(left), axis=1)[:, None]
  squares = squares + jnp.sum(jnp.square(right), axis=1)[None]
  return jnp.maximum(squares - 2 * left @ right.T, 0)
