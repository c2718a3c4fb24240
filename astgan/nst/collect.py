"""The descriptions of the images of a group, collected one by one."""

import jax
import jax.numpy as jnp
import numpy as np

from astgan.nst.terms import interface


class Moments:
  """Means and variances, accumulated in float64.

  By the algorithm of Welford with the weights of West: a difference of two
  large sums of squares would cancel.

  References: Welford, Note on a method for calculating corrected sums of
    squares and products, 1962; West, Updating Mean and Variance Estimates,
    1979.
  """

  def __init__(self):
    self._mean, self._variance = None, None

  def add(self, description, share):
    """Adds an image that has this share of all images up to it."""
    description = jax.tree.map(np.float64, description)
    if self._mean is None:
      self._mean = jax.tree.map(np.zeros_like, description)
      self._variance = jax.tree.map(lambda _: 0.0, description)
    self._merge(description, jax.tree.map(lambda _: 0.0, description), share)

  def merge(self, other, share):
    """Adds the images of another, which together have this share of all."""
    self._merge(other._mean, other._variance, share)

  def _merge(self, mean, variance, share):
    changes = jax.tree.map(np.subtract, mean, self._mean)

    def merge(own, others, change):
      between = (1 - share) * np.mean(np.square(change))
      return own + share * (others + between - own)

    self._mean = jax.tree.map(lambda m, x: m + share * x, self._mean, changes)
    self._variance = jax.tree.map(merge, self._variance, variance, changes)

  def group(self):
    """Mean and variance."""
    return jax.tree.map(
      jnp.float32, interface.Group(self._mean, self._variance)
    )


class Sample:
  """As many rows as one image has, each from an image drawn by its weight.

  A row replaces that of the same number with the probability of the image's
  share, so that in the end each image has its share of the rows, and a group
  costs no more than one image. The rows of one image are all kept.

  References: Chao, A general purpose unequal probability sampling plan, 1982,
    with a sample of one for each row.
  """

  def __init__(self):
    self._rows = None
    # All collectors draw images alike: how they merge is independent of it.
    self._of_images, self._of_merges = map(np.random.default_rng, (0, 1))

  def add(self, description, share):
    """Adds an image that has this share of all images up to it."""
    if self._rows is None:
      self._rows = description
    self._take(description, share, self._of_images)

  def merge(self, other, share):
    """Adds the images of another, which together have this share of all."""
    self._take(other._rows, share, self._of_merges)

  def _take(self, rows, share, random):
    count = len(jax.tree.leaves(rows)[0])
    is_taken = random.uniform(size=count) < share
    self._rows = jax.tree.map(
      lambda old, new: np.where(is_taken[:, None], new, old), self._rows, rows
    )

  def group(self):
    """The rows, and no variance."""
    rows = jax.tree.map(jnp.float32, self._rows)
    return interface.Group(rows, jax.tree.map(lambda _: jnp.zeros(()), rows))


def of(term: interface.Term) -> Moments | Sample:
  """What collects the descriptions of a term."""
  return Sample() if term.pools else Moments()
