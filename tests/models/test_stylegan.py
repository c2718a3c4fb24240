"""Networks that grow, and their layers."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan.models import equalised, growing, resampling, stylegan
from tests.models.numbers import close, draw


def shapes_of(module, *shape):
  init = functools.partial(module.init_with_output, train=False)
  return jax.eval_shape(init, jax.random.key(0), jnp.zeros(shape))


def count(tree):
  return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(tree))


@pytest.mark.parametrize(
  ("size", "has_styles", "expected"),
  [
    # Counted by hand from the papers' tables; those of 64 are published.
    (64, True, 25_137_935),
    (128, True, 25_843_858),
    (256, True, 26_086_229),
    (64, False, 22_490_383),
  ],
)
def test_a_generator_has_as_many_parameters_as_published(
  size, has_styles, expected
):
  module = stylegan.Generator(size, 512, has_styles)
  images, variables = shapes_of(module, 2, 512)
  assert images.shape == (2, size, size, 3)
  assert count(variables["params"]) == expected
  if has_styles:
    assert count(variables["params"]["mapping"]) == 2_101_248


def test_a_discriminator_has_as_many_parameters_as_published():
  module = growing.Discriminator(64, 512, blurs=False)
  logits, variables = shapes_of(module, 2, 64, 64, 3)
  assert logits.shape == (2,)
  assert count(variables["params"]) == 22_498_049


def test_a_linear_layer_is_scaled_when_it_is_called():
  layer = equalised.Linear(jnp.matmul, (8, 500), jnp.float32, 3.0, rate=0.01)
  inputs = draw(2, 8)
  params = layer.init(jax.random.key(0), inputs)["params"]
  np.testing.assert_allclose(jnp.std(params["kernel"]), 100, rtol=0.05)
  params["bias"] += 7
  expected = inputs @ (0.01 * 3 / math.sqrt(8) * params["kernel"]) + 0.07
  close(layer.apply({"params": params}, inputs), expected)


def test_pixel_norm_divides_by_the_root_of_the_mean_square():
  x = jnp.array([[3.0, 4.0], [0.0, 0.0]])
  expected = np.float32([[3, 4], [0, 0]]) / math.sqrt(12.5)
  close(equalised.pixel_norm(x), expected)


def test_the_deviation_is_that_of_four_neighbours():
  values = jnp.array([1.0, 3, 1, 3, 5, 5, 5, 5])
  x = jnp.broadcast_to(values[:, None, None, None], (8, 2, 2, 3))
  appended = equalised.append_deviation(x)
  assert appended.shape == (8, 2, 2, 4)
  close(appended[..., :3], x)
  # The epsilon under the root is 1e-8.
  close(appended[:, 1, 0, 3], np.repeat(np.float32([1, 1e-4]), 4))


@pytest.mark.parametrize(("count", "size"), [(6, 3), (9, 3), (10, 2), (5, 5)])
def test_groups_of_the_deviation_divide_the_batch(count, size):
  x = np.random.default_rng(0).normal(size=(count, 2, 2, 3)).astype("float32")
  found = np.asarray(equalised.append_deviation(jnp.asarray(x)))[:, 0, 0, 3]
  groups = x.reshape(-1, size, 12)
  expected = np.sqrt(groups.var(axis=1) + 1e-8).mean(axis=1)
  np.testing.assert_allclose(found, expected.repeat(size), rtol=1e-5)


def test_a_blur_weighs_neighbours_1_2_1_and_keeps_a_constant():
  impulse = jnp.zeros((1, 5, 5, 1)).at[0, 2, 2, 0].set(16.0)
  weights = np.outer([0, 1, 2, 1, 0], [0, 1, 2, 1, 0]).astype("float32")
  close(equalised.blur(impulse)[0, ..., 0], weights)
  constant = jnp.full((1, 4, 4, 2), 3.0)
  close(equalised.blur(constant), constant)


def with_level(variables, level):
  return variables | {"growth": {"level": jnp.float32(level)}}


@functools.cache
def build(size, has_styles=False, truncation=1.0):
  """Variables of 16 pixels, and the generator as far as a size."""
  options = {"has_styles": has_styles, "truncation": truncation}
  whole = stylegan.Generator(16, 4, **options)
  init = jax.jit(functools.partial(whole.init, train=False))
  variables = init(jax.random.key(0), draw(2, 6))
  module = stylegan.Generator(size, 4, **options)
  return variables, jax.jit(functools.partial(module.apply, train=False))


def test_a_level_between_two_sides_blends_their_images():
  variables, generate = build(16)
  # Small images, which are not clipped.
  variables["params"] = jax.tree.map(lambda x: x / 5, variables["params"])
  before, between, after = (
    generate(with_level(variables, level), draw(2, 6)) for level in (1, 1.3, 2)
  )
  assert max(jnp.max(abs(before)), jnp.max(abs(after))) < 1
  close(between, 0.7 * before + 0.3 * after, rtol=1e-4)


def test_at_an_earlier_level_the_images_of_its_side_are_enlarged():
  variables, generate = build(16)
  variables = with_level(variables, 1)
  small = build(8)[1](variables, draw(2, 6))
  assert small.shape == (2, 8, 8, 3)
  close(generate(variables, draw(2, 6)), resampling.upsample(small), rtol=1e-4)


def test_at_an_earlier_level_a_discriminator_sees_halves():
  whole, half = (growing.Discriminator(size, 4, blurs=True) for size in (16, 8))
  images = draw(4, 16, 16, 3)
  init = jax.jit(functools.partial(whole.init, train=False))
  variables = with_level(init(jax.random.key(0), images), 1)
  apply = jax.jit(lambda m, v, x: m.apply(v, x, train=True), static_argnums=0)
  expected = apply(half, variables, resampling.downsample(images))
  close(apply(whole, variables, images), expected, rtol=1e-4)


def bound(variables, truncation=1.0):
  """StyleGAN's generator of 16 pixels whose methods can be called."""
  module = stylegan.Generator(16, 4, True, truncation)
  return functools.partial(module.apply, variables)


def test_layers_from_the_crossover_on_have_the_style_of_the_other_latent():
  variables, _ = build(16, True)
  latents, others = draw(2, 6), draw(2, 6, seed=1)
  draws = {"latents": latents, "others": others, "crossover": jnp.array([2, 6])}
  styles = functools.partial(bound(variables), method="styles")
  mixed, moved = bound(variables)(draws, method="mix", mutable=["average"])
  first, second = styles(latents, 1.0), styles(others, 1.0)
  assert mixed.shape == (2, 6, 6)
  close(mixed[:, :2], first[:, :2])
  close(mixed[0, 2:], second[0, 2:])
  close(mixed[1], first[1])
  mean = jnp.mean(jnp.concatenate([first, second])[:, 0], axis=0)
  close(moved["average"]["mapping"]["w"], 0.005 * mean, rtol=1e-4)


def test_truncation_draws_styles_to_the_average():
  variables, _ = build(16, True)
  average = draw(6, seed=3)
  variables = variables | {"average": {"mapping": {"w": average}}}
  styles = functools.partial(bound(variables), draw(2, 6), method="styles")
  w = styles(1.0)
  assert jnp.max(abs(w - w[::-1])) > 0.01
  expected = average[None, None] + 0.3 * (w - average[None, None])
  close(styles(0.3), expected)


def test_a_sampled_latent_has_one_image_whatever_its_neighbours():
  variables, generate = build(16, True)
  noisy = jax.tree.map_with_path(
    lambda path, x: x + 1 if "noise" in jax.tree_util.keystr(path) else x,
    variables["params"],
  )
  variables = with_level(variables | {"params": noisy}, 2)
  latents = draw(3, 6)
  images = generate(variables, latents)
  close(generate(variables, latents[::-1]), images[::-1], rtol=1e-4)
  # Latents of another length have the same styles, and other noise.
  assert jnp.max(abs(generate(variables, 3 * latents) - images)) > 1e-3


def test_two_of_three_draws_are_mixed_at_any_layer():
  draws = stylegan.draw(
    jax.random.key(0), 6000, size=8, latent_dim=5, mixing=2 / 3
  )
  assert [x.shape for x in draws["noise"]] == [
    (6000, side, side) for side in (4, 4, 8, 8)
  ]
  assert draws["others"].shape == (6000, 5)
  shares = jnp.bincount(draws["crossover"], length=5) / 6000
  # Each of 1, 2, 3 by 2/9; 4 is all layers.
  expected = np.float32([0, 2 / 9, 2 / 9, 2 / 9, 1 / 3])
  np.testing.assert_allclose(shares, expected, atol=0.02, strict=True)
