"""Means over the images of a group, which is how a group is one style."""

from collections.abc import Callable, Iterable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, PyTree

from astgan.arrays import Images

# Pixels that are described in one call, at most.
_BATCH_PIXELS = 2**18


def mean(
  describe: Callable[[Images], PyTree],
  images: Iterable[Float[np.ndarray, "_ _ 3"]],
) -> PyTree:
  """The mean of the descriptions of all images, float32.

  Images of one shape are described together. Sums are taken in float64.

  Args:
    describe: of images, arrays with an entry for each image first. It is
      compiled once for each shape.
    images: at least one, of any shapes, read once.
  """
  total, count = None, 0
  for batch in batches(images):
    sums = jax.tree.map(
      lambda x: np.sum(np.float64(x), axis=0),
      jax.device_get(describe(jnp.asarray(batch))),
    )
    total = sums if total is None else jax.tree.map(np.add, total, sums)
    count += len(batch)
  return jax.tree.map(lambda x: jnp.float32(x / count), total)


def batches(
  images: Iterable[Float[np.ndarray, "_ _ 3"]],
) -> Iterable[Float[np.ndarray, "_ _ _ 3"]]:
  """The images in batches of one shape.

  The number of images in a batch of a shape is that which memory allows, but
  for the last ones, so that few programs are compiled.
  """
  waiting = {}
  for image in images:
    found = waiting.setdefault(image.shape, [])
    found.append(image)
    if (len(found) + 1) * image.shape[0] * image.shape[1] > _BATCH_PIXELS:
      yield np.stack(waiting.pop(image.shape))
  for found in waiting.values():
    yield np.stack(found)
