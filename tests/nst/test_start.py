"""The initial image."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan import errors
from astgan.data import images
from astgan.nst import start
from tests.nst import toy

PALETTE = np.random.default_rng(0).uniform(0.3, 0.7, size=(99, 3))


def initial(init, seed=0, photograph=toy.PHOTOGRAPH):
  # Resizing an image of one colour gives that colour.
  style_image = jnp.full((1, 4, 4, 3), 0.25)
  key = jax.random.key(seed)
  return start.initial_image(key, init, photograph, style_image, PALETTE)


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


def test_grey_is_half_everywhere():
  expected = np.full(toy.PHOTOGRAPH.shape, 0.5, "float32")
  np.testing.assert_array_equal(initial("grey"), expected, strict=True)


def test_colours_have_the_mean_of_the_palette():
  photograph = 0.5 + (toy.PHOTOGRAPH - 0.5) / 10
  coloured = initial("colours", photograph=photograph)
  np.testing.assert_allclose(
    coloured.mean(axis=(0, 1, 2)), PALETTE.mean(0), atol=0.02
  )


def test_an_image_file_is_resized_to_the_photograph(tmp_path):
  path = str(tmp_path / "grey.png")
  images.write(path, np.full((5, 7, 3), 51, np.uint8))
  start.check(path)
  expected = np.full(toy.PHOTOGRAPH.shape, 0.2, "float32")
  np.testing.assert_allclose(initial(path), expected, rtol=1e-6, strict=True)


def test_what_is_no_name_and_no_file_is_refused():
  with pytest.raises(errors.UserError, match=r"paint\.init=nowhere"):
    start.check("nowhere.png")
