"""VAE-GAN's networks: their sizes, their layers and what is refused."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan.models import layers, vaegan
from tests.models.numbers import close, draw

KEY = jax.random.key(0)
LATENTS = 128
NETWORKS = {
  "encoder": functools.partial(vaegan.Encoder, latent_dim=LATENTS, units=1024),
  "larger encoder": functools.partial(
    vaegan.Encoder, latent_dim=LATENTS, units=2048
  ),
  "decoder": vaegan.Decoder,
  "discriminator": vaegan.Discriminator,
}


def build(name, size=64, width=64):
  examples = draw(4, LATENTS) if name == "decoder" else draw(4, size, size, 3)
  return NETWORKS[name](size=size, width=width), examples


def shapes_of(name, **options):
  network, examples = build(name, **options)
  init = functools.partial(network.init_with_output, train=False)
  return jax.eval_shape(init, KEY, examples)


@pytest.mark.parametrize(
  ("name", "count"),
  [
    ("encoder", 18_071_360),
    ("larger encoder", 35_112_768),
    ("decoder", 4_693_155),
    ("discriminator", 10_953_857),
  ],
)
def test_parameters_are_as_many_as_published(name, count):
  params = shapes_of(name)[1]["params"]
  assert sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(params)) == count


@pytest.mark.parametrize("size", [8, 32, 128])
def test_outputs_have_the_size_asked_for(size):
  outputs = {name: shapes_of(name, size=size, width=8)[0] for name in NETWORKS}
  mean, log_variance = outputs["encoder"]
  assert mean.shape == log_variance.shape == (4, LATENTS)
  assert outputs["decoder"].shape == (4, size, size, 3)
  assert outputs["discriminator"].shape == (4,)
  assert {x.dtype for x in jax.tree.leaves(outputs)} == {jnp.float32.dtype}


def test_the_parts_of_the_discriminator_make_the_whole():
  network, images = build("discriminator", size=32, width=4)
  variables = jax.jit(functools.partial(network.init, train=False))(KEY, images)
  whole, moved = network.apply(
    variables, images, train=True, mutable=["batch_stats"]
  )
  features, half_moved = network.clone(part="features").apply(
    variables, images, train=True, mutable=["batch_stats"]
  )
  logits, all_moved = network.clone(part="logits").apply(
    variables | half_moved, features, train=True, mutable=["batch_stats"]
  )
  close(logits, whole)
  jax.tree.map(close, all_moved, moved)


def test_features_are_the_third_strided_convolution_s_own():
  # What the kernel maps linearly: twice the kernel, twice the features.
  network, images = build("discriminator", size=32, width=4)
  network = network.clone(part="features")
  init = functools.partial(network.clone(part="whole").init, train=False)
  variables = jax.jit(init)(KEY, images)
  features = network.apply(variables, images, train=False)
  assert features.shape == (4, 4, 4, 16) and np.min(features) < 0
  kernel = variables["params"]["down_2"]
  kernel["kernel"] = 2 * kernel["kernel"]
  close(network.apply(variables, images, train=False), 2 * features)


def test_a_convolution_of_stride_one_keeps_the_size():
  kernel = jnp.zeros((5, 5, 1, 1)).at[2, 2].set(1.0)
  images = draw(1, 6, 8, 1)
  close(layers.conv(images, kernel), images)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("size", [0, 4, 60])
def test_sizes_that_do_not_halve_three_times_are_refused(name, size):
  with pytest.raises(ValueError, match=f"multiple of 8, got {size}"):
    shapes_of(name, size=size)
