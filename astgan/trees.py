"""Trees of arrays, and the structure that they fill."""

import pathlib

import flax.serialization
import jax
import numpy as np
from jaxtyping import PyTree

from astgan import errors


def fill(template: PyTree, arrays: PyTree, path: pathlib.Path) -> PyTree:
  """The arrays in the template's structure; their shapes must agree.

  Args:
    template: leaves with shapes.
    arrays: nested dicts, as Flax serialises the same structure.
    path: where they come from, for the message.

  Raises:
    UserError: they have another structure or other shapes.
  """
  try:
    state = flax.serialization.from_state_dict(template, arrays)
    differences = [
      f"{jax.tree_util.keystr(place)} is {np.shape(array)}, not {like.shape}"
      for (place, like), array in zip(
        jax.tree.leaves_with_path(template),
        jax.tree.leaves(state),
        strict=True,
      )
      if np.shape(array) != like.shape
    ]
  except (ValueError, KeyError) as error:
    differences = [" ".join(str(error).split())]
  if differences:
    raise errors.UserError(
      f"{path} holds the state of another system or of other widths"
      f" ({differences[0]}); use the config that it was trained with"
    )
  return state
