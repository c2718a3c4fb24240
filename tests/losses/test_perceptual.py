"""Content, batch style and variation against numbers worked out by hand."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from astgan.losses import perceptual

close = functools.partial(np.testing.assert_allclose, strict=True)


def draw(*shape, seed=0, dtype="float32"):
  values = np.random.default_rng(seed).normal(size=shape)
  return jnp.asarray(values.astype(dtype))


def constant(values):
  return jnp.asarray(values, "float32")


# Two pixels of two channels: (1, 2) and (3, 4).
PIXELS = constant([[[[1, 2], [3, 4]]]])
# 1 + 9, 2 + 12, 4 + 16.
PRODUCTS = np.array([[[10, 14], [14, 20]]], "float32")


@pytest.mark.parametrize(
  ("normalize", "count"), [("none", 1), ("hw", 2), ("hwc", 4)]
)
def test_gram_of_two_pixels_is_the_sum_of_their_products(normalize, count):
  close(perceptual.gram(PIXELS, normalize=normalize), PRODUCTS / count)


def test_gram_is_over_height_width_and_channels_by_default():
  close(perceptual.gram(PIXELS), PRODUCTS / 4)


def test_gram_agrees_with_float64():
  features = draw(2, 5, 7, 3)
  wide = np.asarray(features, "float64")
  expected = np.einsum("bhwi,bhwj->bij", wide, wide) / (5 * 7 * 3)
  close(
    perceptual.gram(features), expected.astype("float32"), rtol=1e-5, atol=1e-7
  )


def test_gram_ignores_the_order_of_pixels():
  features = draw(1, 4, 6, 3)
  shuffled = jax.random.permutation(jax.random.key(0), features.reshape(24, 3))
  close(
    perceptual.gram(shuffled.reshape(1, 6, 4, 3)),
    perceptual.gram(features),
    rtol=1e-5,
  )


def test_gram_of_bfloat16_is_summed_in_float32():
  # 2^16 ones: a sum in bfloat16 stops at 256.
  ones = jnp.ones((1, 256, 256, 1), jnp.bfloat16)
  close(
    perceptual.gram(ones, normalize="none"),
    np.array([[[65536]]], "float32"),
  )


def test_gram_of_float16_does_not_overflow():
  large = jnp.full((1, 1, 1, 1), 26_000, jnp.float16)
  close(perceptual.gram(large)[0, 0, 0], np.float32(26_000) ** 2, rtol=1e-6)


def test_gram_refuses_another_normalisation():
  with pytest.raises(ValueError, match="normalize"):
    perceptual.gram(PIXELS, normalize="chw")


@pytest.mark.parametrize("modes", [["fwd"], ["rev"]])
def test_gradient_of_gram_is_its_difference_quotient(modes):
  with jax.enable_x64(True):
    features = draw(2, 2, 3, 2, dtype="float64")
    # Weights that are not symmetric tell the two terms of the product apart.
    weights = draw(2, 2, 2, seed=1, dtype="float64")
    check_grads(
      jax.jit(lambda x: jnp.sum(perceptual.gram(x) * weights)),
      (features,),
      order=2,
      modes=modes,
    )


def test_content_is_the_mean_square_per_example():
  features = jnp.zeros((2, 1, 2, 2))
  target = constant([[[[1, 1], [1, 1]]], [[[0, 0], [0, 4]]]])
  close(perceptual.content(features, target), np.array([1, 4], "float32"))


def test_style_is_the_mean_square_per_example():
  gram = jnp.zeros((2, 2, 2))
  target = constant([[[3, 0], [0, 3]], [[2, 2], [2, 2]]])
  close(perceptual.style(gram, target), np.array([4.5, 4], "float32"))


def test_style_is_gatys_energy_up_to_the_stated_factors():
  # E_l = sum (G - A)^2 / (4 N^2 M^2), N channels and M pixels.
  painted, target = draw(1, 3, 4, 5), draw(1, 3, 4, 5, seed=1)
  sums = [
    np.einsum("bhwi,bhwj->bij", x, x)
    for x in (np.asarray(painted, "float64"), np.asarray(target, "float64"))
  ]
  energy = np.sum((sums[0] - sums[1]) ** 2) / (4 * 5**2 * 12**2)

  def loss(normalize):
    grams = [perceptual.gram(x, normalize=normalize) for x in (painted, target)]
    return np.asarray(perceptual.style(*grams), "float64")

  close(loss("hw") / 4, np.array([energy]), rtol=1e-5)
  close(loss("hwc") * 5**2 / 4, np.array([energy]), rtol=1e-5)


def test_batch_style_is_the_mean_of_style_over_the_pictures():
  gram, grams = draw(2, 3, 3), draw(5, 3, 3, seed=1)
  wide = np.asarray(gram, "float64")
  expected = [
    np.mean([np.mean((example - a) ** 2) for a in np.asarray(grams)])
    for example in wide
  ]
  close(
    perceptual.batch_style(gram, grams),
    np.array(expected, "float32"),
    rtol=1e-5,
  )


def test_batch_style_of_a_member_of_the_pair_is_half_their_distance():
  # Against {0, 2}: (0 + 4) / 2.
  grams = constant([[[0]], [[2]]])
  close(perceptual.batch_style(grams[:1], grams), np.array([2], "float32"))


def test_batch_style_of_float16_neither_overflows_nor_narrows_the_spread():
  gram = jnp.zeros((1, 1, 1), jnp.float16)
  group = jnp.array([-1024.0, 1024.0], jnp.float16)[:, None, None]
  close(perceptual.batch_style(gram, group), constant([2.0**20]))


def test_style_of_two_precisions_is_measured_in_the_wider():
  with jax.enable_x64(True):
    gram = jnp.ones((1, 1, 1), "float32")
    target = jnp.full((1, 1, 1), 1 + 1e-9, "float64")
    losses = perceptual.style(gram, target)
    np.testing.assert_allclose(losses, [1e-18], rtol=1e-6, strict=True)


def test_batch_style_of_one_picture_is_style():
  gram, target = draw(1, 3, 3), draw(1, 3, 3, seed=1)
  close(
    perceptual.batch_style(gram, target),
    perceptual.style(gram, target),
    rtol=1e-6,
  )


def test_total_variation_of_one_bright_pixel():
  # Down: 2 of 6 differences are 1; across: 2 of 6.
  image = jnp.zeros((1, 3, 3, 1)).at[0, 1, 1].set(1)
  close(
    perceptual.total_variation(image), np.array([2 / 3], "float32"), rtol=1e-6
  )


def test_total_variation_does_not_grow_with_the_number_of_pixels():
  ramp = jnp.arange(8.0).reshape(1, 8, 1, 1)
  # Neighbours differ by 1 down and by 0 across, whatever the size.
  wide = jnp.broadcast_to(ramp, (1, 8, 50, 3))
  close(
    perceptual.total_variation(wide),
    perceptual.total_variation(wide[:, :4, :2]),
  )


def test_total_variation_refuses_a_line_of_pixels():
  with pytest.raises(ValueError, match="2 by 2"):
    perceptual.total_variation(jnp.zeros((1, 1, 5, 3)))


# Each loss, as a function of arrays of these shapes, the batch left out.
LOSSES = {
  "content": (perceptual.content, [(4, 5, 3), (4, 5, 3)]),
  "style": (perceptual.style, [(3, 3), (3, 3)]),
  "batch_style": (
    lambda gram: perceptual.batch_style(
      gram, draw(4, 3, 3, seed=2, dtype=gram.dtype)
    ),
    [(3, 3)],
  ),
  "total_variation": (perceptual.total_variation, [(4, 5, 3)]),
}


def draw_arguments(shapes, *, examples, **options):
  return [
    draw(examples, *shape, seed=seed, **options)
    for seed, shape in enumerate(shapes)
  ]


@pytest.mark.parametrize("name", LOSSES)
def test_permuting_the_batch_permutes_the_losses(name):
  loss, shapes = LOSSES[name]
  arguments = draw_arguments(shapes, examples=3)
  order = np.array([2, 0, 1])
  close(
    loss(*(argument[order] for argument in arguments)),
    np.asarray(loss(*arguments))[order],
    rtol=1e-6,
  )


@pytest.mark.parametrize("name", LOSSES)
def test_gradient_is_the_difference_quotient(name):
  loss, shapes = LOSSES[name]
  with jax.enable_x64(True):
    arguments = draw_arguments(shapes, examples=2, dtype="float64")
    # Under jit, since check_grads hands over numpy's arrays.
    check_grads(jax.jit(lambda *x: jnp.sum(loss(*x))), arguments, order=1)


@pytest.mark.parametrize("name", LOSSES)
def test_traced_once_under_jit(name):
  loss, shapes = LOSSES[name]
  traces = []

  @jax.jit
  def counted(*arguments):
    traces.append(name)
    return loss(*arguments)

  counted(*draw_arguments(shapes, examples=2))
  counted(*draw_arguments(shapes[::-1], examples=2))
  assert traces == [name]
