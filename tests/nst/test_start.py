"""The initial image."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan.nst import start
from tests.nst import toy


def initial(init, seed=0, photograph=toy.PHOTOGRAPH):
  # Resizing an image of one colour gives that colour.
  style_image = jnp.full((1, 4, 4, 3), 0.25)
  key = jax.random.key(seed)
  return start.initial_image(key, init, photograph, style_image)


def test_content_is_the_photograph_and_style_the_resized_style_image():
  assert initial("content") is toy.PHOTOGRAPH
  expected = np.full(toy.PHOTOGRAPH.shape, 0.25, "float32")
  np.testing.assert_array_equal(initial("style"), expected, strict=True)


def test_noise_is_uniform_on_the_unit_interval_and_follows_the_key():
  photograph = jnp.zeros((1, 64, 64, 3))
  noise, other = (initial("noise", seed, photograph) for seed in (0, 1))
  assert not jnp.array_equal(noise, other)
  assert noise.min() >= 0 and noise.max() < 1
  assert float(noise.mean()) == pytest.approx(0.5, abs=0.02)
  assert float(noise.var()) == pytest.approx(1 / 12, abs=0.005)
