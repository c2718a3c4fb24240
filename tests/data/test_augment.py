import collections

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan.data import augment

# Two images of 3 x 4 pixels, numbered along their rows.
NUMBERED = jnp.arange(24, dtype=jnp.uint8).reshape(2, 3, 4, 1)


def keys_of(count):
  return jax.random.split(jax.random.key(0), count)


def test_the_mirrored_are_flipped_and_windows_start_at_their_corners():
  flipped = augment.flip(NUMBERED, jnp.array([True, False]))
  rows = [[3, 2, 1, 0], [7, 6, 5, 4], [11, 10, 9, 8]]
  assert flipped[0, :, :, 0].tolist() == rows
  np.testing.assert_array_equal(flipped[1], NUMBERED[1], strict=True)
  cropped = augment.crop(NUMBERED, jnp.array([[0, 0], [1, 2]]), size=2)
  assert cropped[..., 0].tolist() == [[[0, 1], [4, 5]], [[18, 19], [22, 23]]]


@pytest.mark.parametrize("flip", [True, False])
def test_windows_and_flips_are_equally_likely_and_independent(flip):
  # The first two numbers tell where a window lies and whether it is flipped.
  images = jnp.broadcast_to(NUMBERED[:1], (12_000, 3, 4, 1))
  seen = augment.augment(keys_of(12_000), images, size=2, flip=flip)
  assert seen.shape == (12_000, 2, 2, 1)
  counts = collections.Counter(map(tuple, seen[:, 0, :, 0].tolist()))
  expected = {(c, c + 1) for c in (0, 1, 2, 4, 5, 6)}
  if flip:
    expected |= {(b, a) for a, b in expected}
  assert set(counts) == expected
  # Five standard deviations of a sixth of 12,000 are 204, of a twelfth 151.
  mean = 12_000 / len(expected)
  assert all(abs(n - mean) < (151 if flip else 204) for n in counts.values())


def test_images_of_the_size_asked_are_flipped_alone():
  images = jnp.broadcast_to(NUMBERED[:1, :, :3], (32, 3, 3, 1))
  seen = augment.augment(keys_of(32), images, size=3, flip=True)
  rows = set(map(tuple, seen[:, 2, :, 0].tolist()))
  assert rows == {(8, 9, 10), (10, 9, 8)}


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_reduced_images_are_means_over_boxes(dtype):
  images = jnp.arange(32, dtype=dtype).reshape(2, 4, 4, 1)
  for size, expected in (
    (4, images[0, :, :, 0]),
    (2, [[2.5, 4.5], [10.5, 12.5]]),
    (1, [[7.5]]),
  ):
    reduced = augment.reduce(images, size=size)[0, :, :, 0]
    expected = jnp.asarray(expected, dtype)
    np.testing.assert_array_equal(reduced, expected, strict=True)


def test_images_are_reduced_without_aliases_where_boxes_do_not_fit():
  # Three pixels to two: the triangle reaches 1.5 pixels either way of 0.75 and
  # weighs the centres 0.5 and 1.5 with 5/6 and 1/2, that is 5/8 and 3/8.
  row = jnp.array([8.0, 16.0, 40.0])
  images = jnp.broadcast_to(row[None, None, :, None], (1, 3, 3, 2))
  reduced = augment.reduce(images, size=2)
  expected = np.broadcast_to(np.float32([[11], [31]]), (1, 2, 2, 2))
  np.testing.assert_allclose(reduced, expected, rtol=1e-6, strict=True)


def test_larger_windows_and_sizes_are_refused():
  with pytest.raises(ValueError, match="at least 4 x 4, got 3 x 4"):
    augment.random_crop(keys_of(2), NUMBERED, size=4)
  with pytest.raises(ValueError, match="at most 4, got 5"):
    augment.reduce(jnp.zeros((1, 4, 4, 1)), size=5)
