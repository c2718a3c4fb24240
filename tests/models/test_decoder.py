"""Decoders of VGG19's features, and strips of what reaches only so far."""

import math
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan.features import vgg
from astgan.models import decoder, rows
from tests.models.numbers import draw


def test_the_decoder_of_adain_has_its_parameters():
  module = decoder.Decoder(4)
  variables = jax.eval_shape(
    module.init, jax.random.key(0), jnp.zeros((1, 4, 4, 512))
  )
  sizes = [math.prod(leaf.shape) for leaf in jax.tree.leaves(variables)]
  assert sum(sizes) == 3_505_219


def test_layers_put_out_what_goes_into_those_of_the_encoder():
  shapes = vgg.kernel_shapes("vgg19")
  found = {name: channels for name, channels, _ in decoder.layers(5, 64)}
  assert len(found) == 13  # conv1_1 to conv5_1.
  assert found == {name: shapes[name][2] for name in found}


@pytest.mark.parametrize("block", range(1, 6))
def test_images_are_as_large_as_the_encoder_halved_them(block):
  features = jnp.zeros((2, 3, 5, decoder.channels(block)))
  images, variables = jax.eval_shape(
    decoder.Decoder(block, 4).init_with_output, jax.random.key(0), features
  )
  scale = 2 ** (block - 1)
  assert images.shape == (2, 3 * scale, 5 * scale, 3)
  assert max(variables["params"]) == f"conv{block}_1"


@pytest.mark.parametrize(
  # relu1_1 sees 3x3 pixels, relu2_1 10x10: two convolutions, two pixels of the
  # pooling, one convolution of these.
  ("block", "reach"),
  [(1, 1), (2, 4), (3, 10), (4, 30), (5, 70)],
)
def test_a_layer_reaches_as_far_as_its_convolutions(block, reach):
  assert decoder.reach(block) == reach


@pytest.mark.parametrize("strip", [6, 100])
def test_strips_of_rows_are_the_whole(strip):
  features = np.asarray(draw(1, 12, 5, decoder.channels(3)))
  module = decoder.Decoder(3, 8)
  params = jax.jit(module.init)(jax.random.key(0), jnp.asarray(features))
  apply = jax.jit(module.apply)

  def decode(seen):
    return np.asarray(apply(params, jnp.asarray(features[:, seen])))

  whole = decode(slice(None))
  margin = -(-decoder.reach(3) // 4)
  actual = rows.apply(decode, 12, rows=strip, margin=margin, scale=Fraction(4))
  np.testing.assert_allclose(actual, whole, rtol=1e-4, atol=1e-5, strict=True)
  short = rows.apply(decode, 12, rows=strip, margin=0, scale=Fraction(4))
  assert np.allclose(short, whole, atol=1e-3) == (strip == 100)
