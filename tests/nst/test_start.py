"""Where painting starts."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan.nst import start
from tests.nst import toy

PHOTOGRAPH = toy.draw(1, 8, 6, 3, seed=1)
PICTURE = toy.draw(1, 4, 4, 3, seed=3)


def test_painting_starts_from_the_photograph():
  first = start.first_image(jax.random.key(0), "content", PHOTOGRAPH, PICTURE)
  np.testing.assert_array_equal(first, PHOTOGRAPH)


def test_painting_starts_from_the_style_stretched_over_the_photograph():
  flat = jnp.broadcast_to(
    jnp.array([0.2, 0.4, 0.6])[None, None, None], (1, 4, 4, 3)
  )
  first = start.first_image(jax.random.key(0), "style", PHOTOGRAPH, flat)
  np.testing.assert_allclose(
    first, np.broadcast_to(flat[:, :1, :1], PHOTOGRAPH.shape), rtol=1e-6
  )


def test_noise_fills_the_range_evenly():
  photograph = jnp.zeros((1, 64, 64, 3))
  first = start.first_image(jax.random.key(0), "noise", photograph, PICTURE)
  assert first.min() >= 0 and first.max() <= 1
  # The uniform distribution's mean and deviation.
  assert float(first.mean()) == pytest.approx(0.5, abs=0.02)
  assert float(first.std()) == pytest.approx(1 / math.sqrt(12), abs=0.01)


def test_noise_follows_the_key():
  draw = functools.partial(
    start.first_image, init="noise", photograph=PHOTOGRAPH, picture=PICTURE
  )
  first, again, other = (draw(jax.random.key(seed)) for seed in (0, 0, 1))
  np.testing.assert_array_equal(first, again)
  assert not np.array_equal(first, other)


def test_an_unknown_start_is_refused():
  with pytest.raises(ValueError, match="init is one of"):
    start.first_image(jax.random.key(0), "zeros", PHOTOGRAPH, PICTURE)
