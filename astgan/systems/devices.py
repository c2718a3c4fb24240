"""What an update shares with the devices that make it together."""

import jax
from jax import flatten_util, lax
from jaxtyping import PyTree


def mean_over(axis_name: str | None, tree: PyTree) -> PyTree:
  """The mean over the devices, or the tree itself where there is no axis.

  On CPUs all arrays go into one sum, since processes wait for each other at
  each; for accelerators XLA combines sums by itself.

  Args:
    axis_name: of the mapped axis.
    tree: arrays of float32.
  """
  if axis_name is None:
    return tree
  if jax.default_backend() != "cpu":
    return lax.pmean(tree, axis_name)
  flat, restore = flatten_util.ravel_pytree(tree)
  return restore(lax.pmean(flat, axis_name))
