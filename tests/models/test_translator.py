"""CycleGAN's networks: their sizes, their layers, and strips of an image."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan.models import instance, patchgan, strips, translator
from tests.models.numbers import close, draw


def count(module):
  images = jnp.zeros((1, 32, 32, 3))
  variables = jax.eval_shape(module.init, jax.random.key(0), images)
  return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(variables))


def test_parameters_at_width_64():
  assert count(translator.Translator(64, 9)) == 11_378_179
  assert count(translator.Translator(64, 6)) == 7_837_699
  assert count(translator.Translator(64, 6, "nearest")) == 7_837_699
  assert count(patchgan.Discriminator(64)) == 2_764_737
  # PyTorch's example of fast style transfer has 1,679,235, of which 1,600 are
  # biases before normalisations.
  fast = translator.Translator(32, 5, "nearest", ends=9, affine=True)
  assert count(fast) == 1_679_235 - 1600


def test_kernels_are_drawn_from_n_0_002_and_biases_are_zero():
  init = jax.jit(translator.Translator(16, 2).init)
  params = init(jax.random.key(0), jnp.zeros((1, 16, 16, 3)))["params"]
  for layer in params.values():
    np.testing.assert_allclose(jnp.std(layer["kernel"]), 0.02, rtol=0.1)
    assert not jnp.any(layer["bias"])


@pytest.mark.parametrize(
  # 7x7, 3x3 and 3x3 at distances 1, 1, 2: 13 pixels; each block 16 more; two
  # neighbours at distances 4 and 2; 7x7: 12 more in all.
  ("blocks", "side"),
  [(0, 25), (6, 121), (9, 169)],
)
def test_the_receptive_field_is_that_of_its_convolutions(blocks, side):
  assert translator.receptive_field(blocks) == side
  # Two more pixels at each end of both 9x9 convolutions.
  assert translator.receptive_field(blocks, ends=9) == side + 4


def test_images_keep_their_size_and_patches_have_a_logit_each():
  images = jnp.zeros((2, 40, 72, 3))
  for module, shape in (
    (translator.Translator(4, 1), (2, 40, 72, 3)),
    (patchgan.Discriminator(4), (2, 3, 7)),
  ):
    outputs, _ = jax.eval_shape(
      module.init_with_output, jax.random.key(0), images
    )
    assert (outputs.shape, outputs.dtype) == (shape, jnp.float32)


def test_a_reflection_leaves_the_border_out():
  row = jnp.arange(4.0).reshape(1, 1, 4, 1)
  mirrored = translator.reflect(row, 2, rows=False)
  close(mirrored[0, 0, :, 0], np.float32([2, 1, 0, 1, 2, 3, 2, 1]))


def test_every_channel_of_every_image_is_normalised_by_itself():
  images = 5 + 3 * draw(2, 6, 7, 4)
  actual = instance.normalize(images, *instance.moments(images))
  mean = np.mean(images, (1, 2), keepdims=True)
  variance = np.var(images, (1, 2), keepdims=True)
  close(actual, (images - mean) / np.sqrt(variance + 1e-5), rtol=1e-4)


def build(blocks, images, upsample="transposed"):
  """A translator's parameters, and the compiled network."""
  module = translator.Translator(4, blocks, upsample)
  params = jax.jit(module.init)(jax.random.key(0), images)["params"]
  return params, jax.jit(lambda p, x: module.apply({"params": p}, x))


def test_a_bias_before_a_normalisation_has_no_effect():
  images = draw(1, 16, 16, 3)
  params, apply = build(1, images)
  moved = {
    name: layer | {"bias": layer["bias"] + float(name != "output")}
    for name, layer in params.items()
  }
  close(apply(moved, images), apply(params, images))


# Less than a row; rows of a few strips that do not divide; everything.
@pytest.mark.parametrize("pixels", [1, 44 * 20, 10**6])
@pytest.mark.parametrize("upsample", translator.UPSAMPLE)
def test_strips_make_the_whole_image_without_seams(upsample, pixels):
  images = draw(1, 52, 44, 3)
  params, apply = build(2, images, upsample)
  actual = strips.translate(
    params,
    np.asarray(images),
    steps=translator.steps(4, 2, upsample),
    dtype=jnp.float32,
    pixels=pixels,
  )
  expected = np.asarray(apply(params, images))
  np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5, strict=True)


def test_strips_have_the_scales_and_biases_of_their_normalisations():
  images = draw(1, 40, 36, 3)
  module = translator.Translator(4, 1, "nearest", ends=9, affine=True)
  params = jax.jit(module.init)(jax.random.key(0), images)["params"]
  params = jax.tree.map(lambda x: x + 0.1 * draw(*x.shape), params)
  actual = strips.translate(
    params,
    np.asarray(images),
    steps=module.steps,
    dtype=jnp.float32,
    pixels=36 * 8,
  )
  expected = np.asarray(jax.jit(module.apply)({"params": params}, images))
  np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5, strict=True)


def test_parts_that_are_normalised_by_themselves_are_another_image():
  images = draw(1, 64, 32, 3)
  params, apply = build(2, images)
  # Far more than rounding, even where the moments of noise differ little.
  halves = [apply(params, half) for half in jnp.split(images, 2, axis=1)]
  difference = jnp.concatenate(halves, axis=1) - apply(params, images)
  assert jnp.max(jnp.abs(difference)) > 1e-2
