"""Optimisers and schedules by hand; sampling variables."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan.systems import devices, gan, generators, interface, networks, states
from configs import gan as page
from configs import wgan_gp
from tests.train import tiny


def section(**changes):
  config = page.get_config().generator
  config.update(changes)
  return config


def factors(steps, **changes):
  return [
    float(networks.learning_rate_factor(section(**changes), jnp.int32(step)))
    for step in steps
  ]


def test_a_constant_learning_rate_has_no_factor():
  assert networks.learning_rate_factor(section(), jnp.int32(3)) is None


def test_a_linear_schedule_ends_at_its_factor():
  linear = {"schedule": "linear", "decay_start": 10, "decay_steps": 4}
  np.testing.assert_allclose(
    factors([0, 10, 11, 14, 99], **linear, decay_factor=0.2),
    [1, 1, 0.8, 0.2, 0.2],
    rtol=1e-6,
  )


def test_a_step_schedule_multiplies_every_period():
  steps = {"schedule": "step", "decay_start": 10, "decay_steps": 4}
  np.testing.assert_allclose(
    factors([0, 9, 10, 13, 14, 18], **steps, decay_factor=0.1),
    [1, 1, 0.1, 0.1, 0.01, 0.001],
    rtol=1e-5,
  )


# Two steps with gradients 2 and -1 from x = 1, at a rate of 0.1.
@pytest.mark.parametrize(
  ("changes", "expected"),
  [
    # x - 0.1 (2), then - 0.1 (-1 + 0.5 2).
    ({"optimizer": "sgd"}, 0.8),
    ({"optimizer": "sgd", "beta1": 0.0}, 0.9),
    # Roots of 0.1 4 and of 0.9 0.4 + 0.1 1.
    (
      {"optimizer": "rmsprop", "beta2": 0.9},
      1 - 0.1 * 2 / 0.4**0.5 + 0.1 / 0.46**0.5,
    ),
    # Bias-corrected: 2 / 2, then (0.25 2 - 0.5) / 0.75 = 0.
    ({"optimizer": "adam"}, 0.9),
    # Half the rate in the second step.
    (
      {
        "optimizer": "sgd",
        "beta1": 0.0,
        "schedule": "step",
        "decay_start": 1,
        "decay_factor": 0.5,
      },
      0.85,
    ),
  ],
)
def test_optimisers_are_those_of_their_formulas(changes, expected):
  config = section(learning_rate=0.1, **changes)
  params = {"x": jnp.ones(())}
  opt_state = networks.make_optimizer(config).init(params)
  network = interface.NetworkState(params, {}, opt_state)
  for step, gradient in enumerate((2.0, -1.0)):
    state = interface.TrainState(jnp.int32(step), jnp.uint32([0, 0]), {}, {})
    network = networks.apply_gradients(
      network, {"x": jnp.float32(gradient)}, {}, config, state
    )
  np.testing.assert_allclose(network.params["x"], expected, rtol=1e-5)


def test_rmsprop_steps_are_as_long_for_gradients_of_any_size():
  optimizer = networks.make_optimizer(
    section(optimizer="rmsprop", learning_rate=0.1, beta2=0.9)
  )
  params = {"x": jnp.ones(())}
  updates, _ = optimizer.update(
    {"x": jnp.float32(1e-5)}, optimizer.init(params), params
  )
  # The mean square is 0.1 (1e-5)^2.
  expected = -0.1 * 1e-5 / (0.1**0.5 * 1e-5 + 1e-8)
  np.testing.assert_allclose(updates["x"], expected, rtol=1e-5)


def test_without_an_average_the_trained_variables_are_sampled():
  state = tiny.init(tiny.make_config())
  sampler = gan.GAN(tiny.make_config()).sampler(state)
  tiny.assert_equal(sampler.variables, state.networks["generator"].variables)


def test_an_average_is_sampled_with_standing_statistics():
  config = tiny.make_config(train__ema_decay=0.9)
  state = tiny.init(config)
  doubled = jax.tree.map(lambda x: 2 * x, state.ema["generator"])
  sampler = gan.GAN(config).sampler(state.replace(ema={"generator": doubled}))
  tiny.assert_equal(sampler.variables["params"], doubled)
  # The first layer is linear: its mean over z ~ N(0, I) is 0, its variance
  # the kernel's sum of squares, here over 512 draws.
  statistics = sampler.variables["batch_stats"]["norm_0"]
  kernel = doubled["project"]  # [z, 4, 4, c]
  expected = jnp.mean(jnp.sum(kernel**2, axis=0), axis=(0, 1))
  np.testing.assert_allclose(statistics["var"], expected, rtol=0.2)
  assert jnp.max(jnp.abs(statistics["mean"])) < 0.2 * jnp.max(expected) ** 0.5


@pytest.mark.parametrize("layers", [page, wgan_gp])
def test_statistics_of_parts_are_those_of_one_batch_in_every_layer(layers):
  config = tiny.make_config(layers)
  module, variables, _ = gan.GAN(config).sampler(tiny.init(config))
  latents = jax.random.normal(jax.random.key(0), (512, 5))
  whole, parts = (
    generators.batch_statistics(module, variables, latents, batch_size=size)
    for size in (512, 64)
  )
  tiny.assert_close(parts, whole, rtol=1e-5)


def test_many_images_are_those_drawn_a_few_at_a_time():
  config = tiny.make_config()
  sampler = gan.GAN(config).sampler(tiny.init(config))
  assert isinstance(sampler, generators.Generator)
  latents = jax.random.normal(jax.random.key(0), (300, 5))
  many = sampler.apply(latents)
  assert (many.shape, many.dtype) == ((300, 32, 32, 3), jnp.float32)
  tiny.assert_close(many[298:], sampler.apply(latents[298:]), rtol=1e-5)
  tiny.assert_equal(sampler.sample(jax.random.key(0), 300), many)


def test_frozen_layers_keep_what_they_start_with():
  config = tiny.make_config(discriminator__frozen=("down_0", "norm_1"))
  state = tiny.init(config)
  old = state.networks["discriminator"]
  gradients = jax.tree.map(jnp.ones_like, old.params)
  new = networks.apply_gradients(
    old, gradients, old.collections, config.discriminator, state
  )
  for name, layer in new.params.items():
    moved = jax.tree.map(
      lambda a, b: bool((a != b).all()), layer, old.params[name]
    )
    expected = name not in config.discriminator.frozen
    assert all(value == expected for value in jax.tree.leaves(moved))


def test_a_half_life_counts_images_from_a_twentieth_of_those_seen():
  train = page.get_config().train
  train.update({"batch_size": 10, "ema_half_life": 100})
  # After 30 images 1.5, after 1,000 and 5,000 of them 50 and at most 100.
  for step, half_life in ((2, 1.5), (99, 50), (499, 100)):
    decay = states.ema_decay(train, jnp.int32(step))
    np.testing.assert_allclose(decay, 2 ** (-10 / half_life), rtol=1e-5)


def test_the_mean_over_devices_is_one_sum_however_many_arrays():
  draws = np.random.default_rng(0)
  tree = {
    "scalar": jnp.asarray(draws.normal(size=2), jnp.float32),
    "kernel": jnp.asarray(draws.normal(size=(2, 3, 4)), jnp.float32),
    "bias": [jnp.asarray(draws.normal(size=(2, 4)), jnp.float32)],
  }
  mapped = jax.pmap(
    lambda tree: devices.mean_over("devices", tree), axis_name="devices"
  )
  actual = mapped(tree)
  assert mapped.lower(tree).as_text().count("all_reduce") == 1
  for one, other in zip(
    jax.tree.leaves(actual), jax.tree.leaves(tree), strict=True
  ):
    expected = np.broadcast_to(np.mean(other, axis=0), other.shape)
    np.testing.assert_allclose(one, expected, rtol=1e-6)
