"""Content, batch style and variation against numbers worked out by hand."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from astgan.losses import perceptual

close = functools.partial(np.testing.assert_allclose, strict=True)
constant = functools.partial(jnp.asarray, dtype="float32")


def draw(*shape, seed=0, dtype="float32"):
  values = np.random.default_rng(seed).normal(size=shape)
  return jnp.asarray(values.astype(dtype))


@pytest.mark.parametrize(
  ("options", "count"),
  [({}, 4), *(({"normalize": n}, c) for n, c in (("none", 1), ("hw", 2)))],
)
def test_gram_of_two_pixels_is_the_sum_of_their_products(options, count):
  # Pixels (1, 2) and (3, 4): 1 + 9, 2 + 12, 4 + 16.
  gram = perceptual.gram(constant([[[[1, 2], [3, 4]]]]), **options)
  close(gram, np.float32([[[10, 14], [14, 20]]]) / count)


@pytest.mark.parametrize(
  ("features", "expected"),
  [
    # A sum of ones in bfloat16 stops at 256.
    (jnp.ones((1, 256, 256, 1), "bfloat16"), 2.0**16),
    (jnp.full((1, 1, 1, 1), 2.0**14, "float16"), 2.0**28),
  ],
)
def test_gram_of_half_types_is_accumulated_in_float32(features, expected):
  gram = perceptual.gram(features, normalize="none")
  close(gram, np.float32([[[expected]]]))


def test_content_and_style_are_the_mean_square_per_example():
  target = constant([[[[1, 1], [1, 1]]], [[[0, 0], [0, 4]]]])
  close(perceptual.content(jnp.zeros((2, 1, 2, 2)), target), np.float32([1, 4]))
  target = constant([[[3, 0], [0, 3]], [[2, 2], [2, 2]]])
  close(perceptual.style(jnp.zeros((2, 2, 2)), target), np.float32([4.5, 4]))


def test_style_is_gatys_energy_up_to_the_stated_factors():
  # E_l = sum (G - A)^2 / (4 N^2 M^2), N channels and M pixels.
  images = draw(1, 3, 4, 5), draw(1, 3, 4, 5, seed=1)
  sums = [np.einsum("bhwi,bhwj->bij", *[np.float64(x)] * 2) for x in images]
  energy = np.sum((sums[0] - sums[1]) ** 2) / (4 * 5**2 * 12**2)

  def loss(normalize):
    grams = [perceptual.gram(x, normalize=normalize) for x in images]
    return np.asarray(perceptual.style(*grams), "float64")

  close(loss("hw") / 4, np.array([energy]), rtol=1e-5)
  close(loss("hwc") * 5**2 / 4, np.array([energy]), rtol=1e-5)


def test_batch_style_is_the_mean_of_style_over_the_images():
  gram, grams = draw(2, 3, 3), draw(5, 3, 3, seed=1)
  differences = np.float64(gram)[:, None] - np.float64(grams)
  expected = np.float32(np.mean(differences**2, axis=(1, 2, 3)))
  close(perceptual.batch_style(gram, grams), expected, rtol=1e-5)


def test_batch_style_of_float16_is_accumulated_in_float32():
  group = jnp.array([-1024.0, 1024.0], jnp.float16)[:, None, None]
  losses = perceptual.batch_style(jnp.zeros((1, 1, 1), jnp.float16), group)
  close(losses, np.float32([2.0**20]))


def test_total_variation_is_the_mean_over_neighbours_down_and_across():
  image = constant([[0, 1, 3], [0, 1, 4]])[None, :, :, None]
  expected = np.float32([(0 + 0 + 1) / 3 + (1 + 4 + 1 + 9) / 4])
  close(perceptual.total_variation(image), expected, rtol=1e-6)


def test_unknown_normalisations_and_lines_of_pixels_are_refused():
  with pytest.raises(ValueError, match="normalize"):
    perceptual.gram(draw(1, 2, 2, 3), normalize="chw")
  with pytest.raises(ValueError, match="2 by 2"):
    perceptual.total_variation(jnp.zeros((1, 1, 5, 3)))


@pytest.mark.parametrize(
  ("loss", "shapes"),
  [
    (perceptual.gram, [(2, 3, 2)]),
    (perceptual.content, [(4, 5, 3)] * 2),
    (perceptual.style, [(3, 3)] * 2),
    (lambda x: perceptual.batch_style(x, jnp.sin(x + 1)[:1]), [(3, 3)]),
    (perceptual.total_variation, [(4, 5, 3)]),
  ],
)
def test_gradient_is_the_difference_quotient(loss, shapes):
  with jax.enable_x64(True):
    arguments = [
      draw(2, *shape, seed=seed, dtype="float64")
      for seed, shape in enumerate(shapes)
    ]
    # Weights that are not symmetric tell both terms of Gram's rule apart.
    weights = draw(2, 9, seed=2, dtype="float64")

    @jax.jit  # check_grads hands over numpy's arrays.
    def weighted(*x):
      values = loss(*x).reshape(2, -1)
      return jnp.sum(values * weights[:, : values.shape[1]])

    check_grads(weighted, arguments, order=2)
