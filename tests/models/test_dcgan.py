"""The DCGAN's sizes, its first parameters, and batch normalisation."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan.models import dcgan

NETWORKS = ("generator", "discriminator")


def build(name, size=16, width=16, **options):
  """A network and an example of what it takes, two of them."""
  if name == "generator":
    return dcgan.Generator(size, width, **options), jnp.zeros((2, 100))
  network = dcgan.Discriminator(size, width, 0.2, **options)
  return network, jnp.zeros((2, size, size, 3))


def shapes_of(name, size, width):
  network, example = build(name, size, width)
  init = functools.partial(network.init, train=False)
  return jax.eval_shape(init, jax.random.key(0), example)


@functools.cache
def initialised(name):
  network, example = build(name)
  init = jax.jit(functools.partial(network.init, train=False))
  return init(jax.random.key(0), example)


def leaves_named(name, last):
  """All parameters of that name, flattened into one array."""
  found = [
    np.ravel(leaf)
    for path, leaf in jax.tree.leaves_with_path(initialised(name)["params"])
    if path[-1].key in last
  ]
  return np.concatenate(found)


def draw(*shape, seed=0):
  return jnp.asarray(np.random.default_rng(seed).normal(size=shape), "float32")


@pytest.mark.parametrize(
  ("name", "count"), [("generator", 3_576_704), ("discriminator", 2_765_568)]
)
def test_parameters_at_width_64_and_size_64_are_the_paper_s(name, count):
  params = shapes_of(name, 64, 64)["params"]
  assert sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(params)) == count


@pytest.mark.parametrize("size", [32, 64, 128])
def test_the_generator_draws_images_of_its_size(size):
  network, latents = build("generator", size)
  images, _ = jax.eval_shape(
    functools.partial(network.init_with_output, train=False),
    jax.random.key(0),
    latents,
  )
  assert (images.shape, images.dtype) == ((2, size, size, 3), jnp.float32)


@pytest.mark.parametrize("size", [32, 64, 128])
def test_the_discriminator_gives_one_logit_per_image(size):
  network, images = build("discriminator", size)
  logits, _ = jax.eval_shape(
    functools.partial(network.init_with_output, train=False),
    jax.random.key(0),
    images,
  )
  assert (logits.shape, logits.dtype) == ((2,), jnp.float32)


@pytest.mark.parametrize("size", [32, 64, 128])
def test_the_generator_s_channels_end_at_its_width(size):
  params = shapes_of("generator", size, 8)["params"]
  last = int(math.log2(size)) - 2
  assert params[f"up_{last}"]["kernel"].shape == (4, 4, 3, 8)
  assert params["project"].shape == (100, 4, 4, size)


@pytest.mark.parametrize("name", NETWORKS)
def test_kernels_start_as_the_paper_s_normal_draws(name):
  # 10,000 draws or more: their mean is within 5 standard errors of 0.
  kernels = leaves_named(name, {"kernel", "project", "judge"})
  assert abs(kernels.mean()) < 5 * 0.02 / math.sqrt(kernels.size)
  np.testing.assert_allclose(kernels.std(), 0.02, rtol=0.02)


@pytest.mark.parametrize("name", NETWORKS)
def test_scales_start_as_normal_draws_around_one(name):
  scales = leaves_named(name, {"scale"})
  assert abs(scales.mean() - 1) < 5 * 0.02 / math.sqrt(scales.size)
  # Five standard errors of the deviation of so few draws.
  rtol = 5 / math.sqrt(2 * scales.size)
  np.testing.assert_allclose(scales.std(), 0.02, rtol=rtol)


@pytest.mark.parametrize("name", NETWORKS)
def test_biases_are_those_of_batch_normalisation_and_start_at_zero(name):
  assert not leaves_named(name, {"bias"}).any()


def test_the_discriminator_does_not_normalise_the_pixels_first_response():
  assert set(initialised("discriminator")["params"]) == {
    "down_0", "down_1", "norm_1", "judge",
  }  # fmt: skip


def test_images_lie_between_minus_one_and_one_and_use_both_signs():
  network, _ = build("generator")
  # Kernels of such a size that tanh is driven to its ends.
  variables = jax.tree.map(lambda x: 50 * x, initialised("generator"))
  images = network.apply(variables, draw(4, 100), train=False)
  assert -1 <= images.min() < -0.9 and 0.9 < images.max() <= 1


@pytest.mark.parametrize("name", NETWORKS)
def test_out_of_training_an_example_does_not_see_its_neighbours(name):
  network, example = build(name)
  examples = draw(4, *example.shape[1:])
  apply = functools.partial(network.apply, initialised(name), train=False)
  np.testing.assert_allclose(
    apply(examples)[:1], apply(examples[:1]), rtol=1e-5, atol=1e-7, strict=True
  )


@pytest.mark.parametrize("name", NETWORKS)
def test_in_training_an_example_sees_its_neighbours(name):
  network, example = build(name)
  examples = draw(4, *example.shape[1:])

  def apply(examples):
    return network.apply(
      initialised(name), examples, train=True, mutable=["batch_stats"]
    )[0]

  assert np.abs(apply(examples)[:2] - apply(examples[:2])).max() > 1e-3


def test_training_moves_the_running_mean_a_tenth_of_the_way():
  network, _ = build("discriminator")
  variables, images = initialised("discriminator"), draw(4, 16, 16, 3)
  _, moved = network.apply(
    variables, images, train=True, mutable=["batch_stats"]
  )
  # From zero towards the mean of what the first normalisation takes in.
  params = variables["params"]
  response = jax.nn.leaky_relu(
    dcgan.layers.strided_conv(images, params["down_0"]["kernel"]), 0.2
  )
  response = dcgan.layers.strided_conv(response, params["down_1"]["kernel"])
  np.testing.assert_allclose(
    moved["batch_stats"]["norm_1"]["mean"],
    0.1 * np.mean(response, (0, 1, 2)),
    rtol=1e-4,
    atol=1e-8,
    strict=True,
  )


@pytest.mark.parametrize("name", NETWORKS)
def test_bfloat16_computes_near_float32_and_keeps_parameters_float32(name):
  network, example = build(name, dtype=jnp.bfloat16)
  precise, _ = build(name)
  variables, examples = initialised(name), draw(4, *example.shape[1:])
  options = {"train": True, "mutable": ["batch_stats"]}
  # Flax's own batch normalisation promotes bfloat16.
  with jax.numpy_dtype_promotion("standard"):
    rough, moved = network.apply(variables, examples, **options)
  exact, _ = precise.apply(variables, examples, **options)
  assert {leaf.dtype for leaf in jax.tree.leaves(moved)} == {jnp.float32.dtype}
  assert rough.dtype == jnp.float32
  np.testing.assert_allclose(rough, exact, atol=0.05 * np.abs(exact).max())
  assert np.abs(rough - exact).max() > 0


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("size", [4, 48, 0])
def test_a_size_that_no_doubling_reaches_is_refused(name, size):
  with pytest.raises(ValueError, match=f"power of two from 8, got {size}"):
    shapes_of(name, size, 8)
