"""The light generator, heads of patches and the projection of features."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan.models import fastgan, noise, patches, projection
from tests.models.numbers import close, draw


def parameters(size, width, latent_dim):
  """Counted by hand: kernels, and a scale and a bias for each channel."""
  channels = {s: int(n * width) for s, n in fastgan.CHANNELS.items()}
  total = latent_dim * 16 * 2 * channels[4] + 4 * channels[4]
  side = 8
  while side <= size:
    inputs, outputs = channels[side // 2], channels[side]
    # A kernel; scale, bias and strength of the noise.
    total += 9 * inputs * 2 * outputs + 6 * outputs
    if side >= 64:
      total += (16 * channels[side // 16] + outputs) * outputs
    side *= 2
  return total + 9 * channels[size] * 3


@pytest.mark.parametrize("size", fastgan.SIZES)
def test_sizes_of_images_and_of_parameters(size):
  module = fastgan.Generator(size=size, width=8)
  latents = jnp.zeros((2, 6))
  images, variables = jax.eval_shape(
    lambda key: module.init_with_output(key, latents, train=False),
    jax.random.key(0),
  )
  assert (images.shape, images.dtype) == ((2, size, size, 3), jnp.float32)
  leaves = jax.tree.leaves(variables["params"])
  count = sum(math.prod(leaf.shape) for leaf in leaves)
  assert count == parameters(size, 8, 6)


def build(latents):
  """Variables of a generator, and the compiled network."""
  module = fastgan.Generator(size=32, width=4)
  init = jax.jit(lambda key: module.init(key, latents, train=False))
  apply = jax.jit(lambda v, z: module.apply(v, z, train=False))
  return init(jax.random.key(0)), apply


def test_without_noise_the_length_of_a_latent_does_not_matter():
  latents = draw(3, 6)
  variables, apply = build(latents)
  close(apply(variables, 7 * latents), apply(variables, latents), rtol=1e-4)


def test_noise_is_of_a_latent_whatever_its_neighbours():
  latents = draw(3, 6)
  variables, apply = build(latents)
  variables["params"]["noise_16"] += 1.0
  images = apply(variables, latents)
  close(apply(variables, latents[::-1]), images[::-1])
  assert jnp.max(abs(apply(variables, 7 * latents) - images)) > 1e-3


def test_noise_is_standard_normal_and_another_one_for_each_latent_and_octave():
  noises = noise.of_latents(draw(300, 6), (8, 16, 16))
  assert [x.shape for x in noises] == [(300, n, n) for n in (8, 16, 16)]
  np.testing.assert_allclose(jnp.mean(noises[0]), 0, atol=0.02)
  np.testing.assert_allclose(jnp.std(noises[0]), 1, atol=0.02)
  corners = [x[:, 0, 0] for x in noises]
  corners += [jnp.roll(corners[0], 1)]
  correlations = np.corrcoef(np.stack(corners)) - np.eye(4)
  assert np.abs(correlations).max() < 0.2


def test_heads_halve_to_8_pixels_and_give_25_logits():
  module = patches.Heads(width=4, size=64, largest=12)
  inputs = {
    "pixels": jnp.zeros((2, 64, 64, 3)),
    "deep": jnp.zeros((2, 8, 8, 5)),
    "middle": jnp.zeros((2, 16, 16, 5)),
  }
  logits, variables = jax.eval_shape(
    lambda key: module.init_with_output(key, inputs, train=False),
    jax.random.key(0),
  )
  assert {name: x.shape for name, x in logits.items()} == {
    "pixels": (2, 5, 5), "deep": (2, 5, 5), "middle": (2, 5, 5)
  }  # fmt: skip
  kernels = {
    name: layer["kernel"].shape
    for name, layer in variables["params"].items()
    if "kernel" in layer
  }
  assert kernels == {
    "pixels_0": (4, 4, 3, 4),
    "pixels_1": (4, 4, 4, 8),
    "pixels_2": (4, 4, 8, 12),
    "pixels_logits": (4, 4, 12, 1),
    "middle_0": (4, 4, 5, 12),
    "middle_logits": (4, 4, 12, 1),
    "deep_logits": (4, 4, 5, 1),
  }
  norms = {name for name in variables["params"] if "norm" in name}
  assert norms == {"pixels_norm_1", "pixels_norm_2", "middle_norm_0"}


def test_the_projection_mixes_standardised_channels_from_deep_to_shallow():
  features = {"a": draw(3, 8, 8, 5), "b": 4 + 2 * draw(3, 4, 4, 7, seed=1)}
  params = projection.init({"a": 5, "b": 7})
  mixed = projection.apply(params, projection.moments(features), features)

  def standard(tap):
    x = np.asarray(features[tap], np.float64)
    return (x - x.mean((0, 1, 2))) / x.std((0, 1, 2))

  deep = standard("b") @ np.asarray(params["b"]["C"], np.float64)
  larger = np.repeat(np.repeat(deep, 2, axis=1), 2, axis=2)
  shallow = standard("a") @ np.asarray(params["a"]["C"], np.float64)
  shallow = shallow + larger @ np.asarray(params["a"]["M"], np.float64)
  close(mixed["b"], deep.astype("f"), rtol=1e-4)
  close(mixed["a"], shallow.astype("f"), rtol=1e-4)
  assert mixed["a"].shape == (3, 8, 8, 64)
  # 7 inputs of variance 1, mixed by kernels of variance 1/7.
  np.testing.assert_allclose(np.std(mixed["b"]), 1, atol=0.3)


def test_a_channel_that_never_varied_does_not_fill_the_others():
  # Deviations 1, 2, 0, 3 and 1, of which a tenth of the median is 0.1.
  squares = jnp.float32([1, 4, 0, 9, 1])
  moments = {"a": {"mean": jnp.zeros(5), "square": squares}}
  params = {"a": {"C": jnp.eye(5)}}
  mixed = projection.apply(params, moments, {"a": jnp.ones((1, 1, 1, 5))})
  np.testing.assert_allclose(
    mixed["a"][0, 0, 0], [1, 1 / 2, 10, 1 / 3, 1], rtol=1e-5
  )
