import collections

import hypothesis
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import strategies

from astgan.data import augment

# Two pictures of 3 x 4 pixels, numbered along their rows.
NUMBERED = jnp.arange(24, dtype=jnp.uint8).reshape(2, 3, 4, 1)


def test_only_the_mirrored_are_flipped_left_to_right():
  flipped = augment.flip(NUMBERED, jnp.array([True, False]))
  assert flipped[0, :, :, 0].tolist() == [
    [3, 2, 1, 0],
    [7, 6, 5, 4],
    [11, 10, 9, 8],
  ]
  np.testing.assert_array_equal(flipped[1], NUMBERED[1], strict=True)


def test_a_window_starts_at_its_corner():
  corners = jnp.array([[0, 0], [1, 2]])
  cropped = augment.crop(NUMBERED, corners, size=2)
  assert cropped[..., 0].tolist() == [
    [[0, 1], [4, 5]],
    [[18, 19], [22, 23]],
  ]


def test_half_of_the_pictures_are_flipped():
  images = jnp.broadcast_to(jnp.arange(2.0)[:, None], (2000, 1, 2, 1))
  flipped = augment.random_flip(jax.random.key(0), images)
  # Five standard deviations of a fair coin thrown 2,000 times are 112.
  assert abs(int(flipped[:, 0, 0, 0].sum()) - 1000) < 112


def test_every_window_is_equally_likely():
  # The number in a window's corner tells where it is: 2 rows by 3 columns.
  images = jnp.broadcast_to(NUMBERED[:1], (6000, 3, 4, 1))
  cropped = augment.random_crop(jax.random.key(0), images, size=2)
  counts = collections.Counter(cropped[:, 0, 0, 0].tolist())
  assert sorted(counts) == [0, 1, 2, 4, 5, 6]
  # Five standard deviations of a sixth of 6,000 are 144.
  assert all(abs(count - 1000) < 144 for count in counts.values())


@hypothesis.given(
  seed=strategies.integers(0, 2**31), flip=strategies.booleans()
)
@hypothesis.settings(max_examples=20, deadline=None)
def test_pictures_of_the_size_asked_keep_their_pixels(seed, flip):
  images = NUMBERED[:, :, :3]
  seen = augment.augment(jax.random.key(seed), images, size=3, flip=flip)
  for picture, original in zip(seen, images, strict=True):
    mirrored = bool((picture == original[:, ::-1]).all())
    assert (picture == original).all() or (flip and mirrored)


def test_crops_of_one_batch_differ():
  images = jnp.broadcast_to(NUMBERED[:1], (64, 3, 4, 1))
  seen = augment.augment(jax.random.key(0), images, size=2, flip=False)
  assert len(set(seen[:, 0, 0, 0].tolist())) > 1


def test_windows_and_mirrors_are_drawn_apart():
  # Each corner is seen both mirrored and not.
  images = jnp.broadcast_to(NUMBERED[:1], (256, 3, 4, 1))
  seen = augment.augment(jax.random.key(0), images, size=2, flip=True)
  pairs = {tuple(row) for row in seen[:, 0, :, 0].tolist()}
  corners = (0, 1, 2, 4, 5, 6)
  assert pairs == {(c, c + 1) for c in corners} | {(c + 1, c) for c in corners}


@pytest.mark.parametrize("dtype", [jnp.uint8, jnp.float32, jnp.bfloat16])
def test_the_type_of_the_pictures_stays(dtype):
  seen = augment.augment(
    jax.random.key(0), NUMBERED.astype(dtype), size=2, flip=True
  )
  assert seen.dtype == dtype
  assert seen.shape == (2, 2, 2, 1)


def test_one_key_gives_one_result_compiled_or_not():
  def seen(key):
    return augment.augment(key, NUMBERED, size=2, flip=True)

  np.testing.assert_array_equal(
    jax.jit(seen)(jax.random.key(7)), seen(jax.random.key(7)), strict=True
  )


def test_a_window_larger_than_the_pictures_is_refused():
  with pytest.raises(ValueError, match="at least 4 x 4, got 3 x 4"):
    augment.random_crop(jax.random.key(0), NUMBERED, size=4)
