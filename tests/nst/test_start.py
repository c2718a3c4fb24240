"""The initial image."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan.nst import start
from tests.nst import toy

# Of one colour: resizing gives that colour, too.
STYLE_IMAGE = jnp.full((1, 4, 4, 3), 0.25)


def initial(init, seed=0, photograph=toy.PHOTOGRAPH):
  return start.initial_image(
    jax.random.key(seed), init, photograph, STYLE_IMAGE
  )


def test_content_is_the_photograph_and_style_the_resized_style_image():
  assert initial("content") is toy.PHOTOGRAPH
  expected = np.full(toy.PHOTOGRAPH.shape, 0.25, "float32")
  np.testing.assert_array_equal(initial("style"), expected, strict=True)


def test_noise_is_uniform_on_the_unit_interval():
  noise = np.asarray(initial("noise", photograph=jnp.zeros((1, 64, 64, 3))))
  assert noise.min() >= 0 and noise.max() < 1
  assert noise.mean() == pytest.approx(0.5, abs=0.02)
  assert noise.var() == pytest.approx(1 / 12, abs=0.005)


def test_noise_depends_on_the_key():
  assert not np.array_equal(initial("noise"), initial("noise", seed=1))


def test_an_unknown_init_is_refused():
  with pytest.raises(ValueError, match="init is one of"):
    initial("zeros")
