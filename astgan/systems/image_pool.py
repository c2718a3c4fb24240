"""A pool of images that a generator drew before: a discriminator's memory.

References: Shrivastava et al., Learning from Simulated and Unsupervised Images
  through Adversarial Training, 2017, section 2.3.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from astgan.arrays import Images


class Pool(NamedTuple):
  """Images in a row, the first `count` of them filled.

  Attributes:
    images: in [-1, 1], [n h w c].
    count: how many there are.
  """

  images: Float[Array, "n h w c"]
  count: Int[Array, ""]


class Draws(NamedTuple):
  """The chance of one query.

  Attributes:
    replaced: whether an older image comes in place of the new one.
    places: where it lies.
  """

  replaced: Bool[Array, "b"]
  places: Int[Array, "b"]


def empty(pool_size: int, image_size: int) -> Pool:
  """A pool for so many square images, without any."""
  shape = (pool_size, image_size, image_size, 3)
  return Pool(jnp.zeros(shape), jnp.zeros((), jnp.int32))


def draw(key: jax.Array, count: int, *, pool_size: int) -> Draws:
  """The chance for `count` images: each is replaced with probability 1/2."""
  replaced_key, place_key = jax.random.split(key)
  return Draws(
    jax.random.bernoulli(replaced_key, shape=(count,)),
    jax.random.randint(place_key, (count,), 0, pool_size),
  )


def query(
  pool: Pool, images: Images, draws: Draws, *, axis_name: str | None
) -> tuple[Pool, Images]:
  """The pool with the new images, and the images to learn from.

  One image after the other: while the pool is not full it is added and comes
  back. Then it comes back, or takes the place of an older one, which comes back
  instead.

  Args:
    pool: the same on every device.
    images: the new ones, this device's share, [b h w c].
    draws: of these images.
    axis_name: the mapped axis of the devices, whose images are taken in their
      order, or None.
  """
  count = len(images)
  if axis_name is not None:
    images, draws = lax.all_gather((images, draws), axis_name, tiled=True)
  pool, taken = lax.scan(_exchange, pool, (images, draws))
  if axis_name is not None:
    start = count * lax.axis_index(axis_name)
    taken = lax.dynamic_slice_in_dim(taken, start, count)
  return pool, taken


def _exchange(pool, image_and_draws):
  image, draws = image_and_draws
  is_full = pool.count == len(pool.images)
  place = jnp.where(is_full, draws.places, pool.count)
  older = pool.images[place]
  replaced = is_full & draws.replaced
  kept = jnp.where(replaced | ~is_full, image, older)
  pool = Pool(
    pool.images.at[place].set(kept),
    jnp.minimum(pool.count + 1, len(pool.images)),
  )
  return pool, jnp.where(replaced, older, image)
