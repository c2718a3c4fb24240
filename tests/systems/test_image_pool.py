"""The pool of images against a list of numbers."""

import jax
import jax.numpy as jnp
import numpy as np

from astgan.systems import image_pool


def images_of(*numbers):
  """Images of one value each."""
  return jnp.broadcast_to(jnp.array(numbers)[:, None, None, None], (
    len(numbers), 2, 2, 3
  ))  # fmt: skip


def numbers_of(images):
  return [float(image[0, 0, 0]) for image in images]


def draws_of(replaced, places):
  return image_pool.Draws(jnp.array(replaced), jnp.array(places))


def query(pool, numbers, replaced, places):
  images, draws = images_of(*numbers), draws_of(replaced, places)
  pool, taken = image_pool.query(pool, images, draws, axis_name=None)
  return pool, numbers_of(taken)


def test_images_are_added_until_the_pool_is_full_and_then_exchanged():
  pool = image_pool.empty(3, 2)
  pool, taken = query(pool, [1.0, 2.0], [True, True], [0, 0])
  assert taken == [1, 2] and pool.count == 2
  # The third fills it; the fourth takes the place of the first.
  pool, taken = query(pool, [3.0, 4.0], [True, True], [1, 0])
  assert taken == [3, 1] and numbers_of(pool.images) == [4, 2, 3]
  # The fifth is shown itself; the sixth finds what the batch left.
  pool, taken = query(pool, [5.0, 6.0], [False, True], [0, 0])
  assert taken == [5, 4] and numbers_of(pool.images) == [6, 2, 3]
  assert pool.count == 3


def test_two_devices_share_a_pool_in_their_order():
  pool = image_pool.empty(2, 2)
  numbers = [1.0, 2.0, 3.0, 4.0]
  replaced, places = [True] * 4, [0, 0, 1, 1]
  expected, taken = query(pool, numbers, replaced, places)
  halves = jax.tree.map(
    lambda x: x.reshape(2, 2, *x.shape[1:]),
    (images_of(*numbers), draws_of(replaced, places)),
  )
  pools, shares = jax.pmap(
    lambda *x: image_pool.query(*x, axis_name="devices"),
    axis_name="devices",
    in_axes=(None, 0, 0),
  )(pool, *halves)
  assert [n for share in shares for n in numbers_of(share)] == taken
  for device in range(2):
    actual = jax.tree.map(lambda x, d=device: x[d], pools)
    assert numbers_of(actual.images) == numbers_of(expected.images)


def test_half_of_the_images_are_replaced_from_anywhere():
  draws = image_pool.draw(jax.random.key(0), 2000, pool_size=4)
  np.testing.assert_allclose(jnp.mean(draws.replaced), 0.5, atol=0.05)
  counts = jnp.bincount(draws.places, length=4)
  np.testing.assert_allclose(counts / 2000, np.full(4, 0.25), atol=0.05)
