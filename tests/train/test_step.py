"""One update, against the same worked out network by network."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan.models import build
from astgan.train import state, step
from tests.train import tiny

CONFIG = tiny.make_config()


def draw(*shape, seed=0):
  return jnp.asarray(np.random.default_rng(seed).normal(size=shape), "float32")


IMAGES = jnp.clip(draw(8, tiny.SIZE, tiny.SIZE, 3), -1, 1)
LATENTS = draw(8, 5, seed=1)


@functools.cache
def compile_update(**changes):
  return jax.jit(step.make_update(tiny.make_config(**changes)))


@functools.cache
def updated(**changes):
  """A state, its successor and the scalars between them."""
  old = tiny.create(tiny.make_config(**changes))
  return old, *compile_update(**changes)(old, IMAGES, LATENTS)


def generate(params, stats):
  generator, _ = build.build(CONFIG)
  return generator.apply(
    {"params": params, "batch_stats": stats},
    LATENTS,
    train=True,
    mutable=["batch_stats"],
  )


def judge(params, stats, images):
  _, discriminator = build.build(CONFIG)
  return discriminator.apply(
    {"params": params, "batch_stats": stats},
    images,
    train=True,
    mutable=["batch_stats"],
  )


def discriminator_loss(params, old):
  """-log D(x) - log(1 - D(G(z))), by probabilities, and moved statistics."""
  fakes, _ = generate(old.generator.params, old.generator.stats)
  real, moved = judge(params, old.discriminator.stats, IMAGES)
  fake, moved = judge(params, moved["batch_stats"], fakes)
  losses = -jnp.log(jax.nn.sigmoid(real)) - jnp.log(1 - jax.nn.sigmoid(fake))
  return jnp.mean(losses), moved["batch_stats"]


def generator_loss(params, old, discriminator):
  """-log D(G(z)) against the discriminator given."""
  fakes, _ = generate(params, old.generator.stats)
  logits, _ = judge(discriminator.params, discriminator.stats, fakes)
  return jnp.mean(-jnp.log(jax.nn.sigmoid(logits)))


def test_the_discriminator_s_loss_is_the_paper_s():
  old, _, scalars = updated()
  expected, _ = discriminator_loss(old.discriminator.params, old)
  tiny.assert_close(scalars["discriminator/loss"], expected, rtol=1e-5)


def test_the_discriminator_s_gradient_is_that_of_its_loss():
  old, new, _ = updated()
  gradient = jax.grad(discriminator_loss, has_aux=True)
  expected, _ = gradient(old.discriminator.params, old)
  # Adam's first moment after one update is (1 - beta1) times the gradient.
  actual = jax.tree.map(lambda m: 2 * m, new.discriminator.moments[0].mu)
  tiny.assert_close(actual, expected, rtol=1e-4)


def test_the_discriminator_s_statistics_move_by_the_real_then_the_fakes():
  old, new, _ = updated()
  _, expected = discriminator_loss(old.discriminator.params, old)
  tiny.assert_close(new.discriminator.stats, expected, rtol=1e-4)


def test_the_generator_s_loss_is_against_the_discriminator_just_updated():
  old, new, scalars = updated()
  expected = generator_loss(old.generator.params, old, new.discriminator)
  tiny.assert_close(scalars["generator/loss"], expected, rtol=1e-5)
  before = generator_loss(old.generator.params, old, old.discriminator)
  assert abs(before - expected) > 1e-4


def test_the_generator_s_gradient_goes_through_the_same_fakes():
  old, new, _ = updated()
  expected = jax.grad(generator_loss)(
    old.generator.params, old, new.discriminator
  )
  actual = jax.tree.map(lambda m: 2 * m, new.generator.moments[0].mu)
  tiny.assert_close(actual, expected, rtol=1e-4)


def test_the_generator_s_statistics_move_once():
  old, new, _ = updated()
  _, moved = generate(old.generator.params, old.generator.stats)
  tiny.assert_close(new.generator.stats, moved["batch_stats"], rtol=1e-5)


@pytest.mark.parametrize("name", ["generator", "discriminator"])
def test_adam_s_first_step_is_the_learning_rate(name):
  # m / (sqrt(v) + eps) is the gradient's sign; 2e-4 of it.
  old, new, _ = updated()
  moved = jax.tree.map(
    lambda a, b: np.abs(np.asarray(b - a)),
    getattr(old, name).params,
    getattr(new, name).params,
  )
  largest = max(leaf.max() for leaf in jax.tree.leaves(moved))
  np.testing.assert_allclose(largest, 2e-4, rtol=1e-3)


def test_scalars_are_paths_and_numbers():
  _, _, scalars = updated()
  assert set(scalars) == {
    "generator/loss",
    "discriminator/loss",
    "discriminator/real_accuracy",
    "discriminator/fake_accuracy",
    "discriminator/real_probability",
    "discriminator/fake_probability",
  }
  assert all(value.shape == () for value in scalars.values())


def test_accuracies_and_probabilities_are_the_batch_s():
  old, _, scalars = updated()
  fakes, _ = generate(old.generator.params, old.generator.stats)
  stats, params = old.discriminator.stats, old.discriminator.params
  real, _ = judge(params, stats, IMAGES)
  fake, _ = judge(params, stats, fakes)
  expected = {
    "discriminator/real_accuracy": np.mean(real > 0, dtype="float32"),
    "discriminator/fake_accuracy": np.mean(fake < 0, dtype="float32"),
    "discriminator/real_probability": jnp.mean(1 / (1 + jnp.exp(-real))),
    "discriminator/fake_probability": jnp.mean(1 / (1 + jnp.exp(-fake))),
  }
  actual = {name: scalars[name] for name in expected}
  tiny.assert_close(actual, expected, rtol=1e-5)


def test_the_step_counts_and_the_key_stays():
  old, new, _ = updated()
  assert (old.step, new.step) == (0, 1)
  np.testing.assert_array_equal(old.key, new.key)


def test_the_real_label_switches_at_the_late_step():
  def loss_at(done, early, late):
    update = compile_update(
      train__real_label=early, train__real_label_late=late, train__late_step=3
    )
    old, _, _ = updated()
    _, scalars = update(old.replace(step=jnp.int32(done)), IMAGES, LATENTS)
    return scalars["discriminator/loss"]

  assert loss_at(2, 0.85, 0.95) == loss_at(2, 0.85, 0.85)
  assert loss_at(3, 0.85, 0.95) == loss_at(3, 0.95, 0.95)
  assert loss_at(3, 0.85, 0.85) != loss_at(3, 0.95, 0.95)


def test_the_running_mean_moves_by_one_minus_its_decay():
  old, new, _ = updated(train__ema=0.75)
  expected = jax.tree.map(
    lambda e, x: 0.75 * e + 0.25 * x, old.ema, new.generator.params
  )
  tiny.assert_close(new.ema, expected, rtol=1e-6)


def test_there_is_no_running_mean_unless_asked_for():
  _, new, _ = updated()
  assert new.ema is None


def test_the_discriminator_learns_to_tell_noise_from_pictures():
  config = tiny.make_config(train__learning_rate=2e-3)
  update, current = jax.jit(step.make_update(config)), tiny.create(config)
  losses = []
  for _ in range(30):
    current, scalars = update(current, IMAGES, LATENTS)
    losses.append(scalars["discriminator/loss"])
  # It starts at 2 log 2, knowing nothing.
  assert abs(losses[0] - 2 * np.log(2)) < 0.2
  assert losses[-1] < 0.7 * losses[0]


def test_traced_once_whatever_the_step():
  update, traces = step.make_update(CONFIG), []

  @jax.jit
  def counted(*arguments):
    traces.append(1)
    return update(*arguments)

  current = tiny.create(CONFIG)
  for _ in range(3):
    current, _ = counted(current, IMAGES, LATENTS)
  assert len(traces) == 1


def test_a_step_is_the_update_of_its_bytes_and_its_own_latents():
  old, pictures = tiny.create(CONFIG), tiny.draw_pictures(8)
  latent_key, _ = step.step_keys(old.key, old.step, None)
  expected, _ = compile_update()(
    old,
    jnp.asarray(pictures / 127.5 - 1, "float32"),
    jax.random.normal(latent_key, (8, 5)),
  )
  actual, _ = jax.jit(step.make_step(CONFIG))(old, pictures)
  tiny.assert_close(
    actual.generator.moments[0].mu, expected.generator.moments[0].mu, rtol=1e-4
  )


def test_a_step_crops_and_mirrors_where_the_config_says_so():
  config = tiny.make_config(data__crop="random", data__flip=True)
  old, pictures = tiny.create(config), tiny.draw_pictures(8, tiny.SIZE + 2)
  new, _ = jax.jit(step.make_step(config))(old, pictures)
  assert new.step == 1


def latents_of(key, number):
  keys = jax.vmap(
    lambda _: jax.random.key_data(
      jnp.stack(step.step_keys(key, jnp.int32(number), "devices"))
    ),
    axis_name="devices",
  )(jnp.arange(2))
  return {tuple(np.ravel(k).tolist()) for k in keys.reshape(4, -1)}


def test_keys_differ_by_use_device_and_step():
  key = tiny.create(CONFIG).key
  # Two uses on two devices in two steps: eight keys.
  assert len(latents_of(key, 0) | latents_of(key, 1)) == 8


def test_keys_are_a_function_of_key_step_and_device():
  key = tiny.create(CONFIG).key
  assert latents_of(key, 3) == latents_of(key, 3)


def test_the_first_state_is_a_function_of_the_seed():
  first, again = tiny.create(CONFIG), tiny.create(CONFIG)
  tiny.assert_equal(first, again)
  other = tiny.create(tiny.make_config(seed=1))
  assert np.any(first.key != other.key)
  assert np.any(
    first.generator.params["project"] != other.generator.params["project"]
  )


def test_the_first_running_mean_is_a_copy_of_the_generator():
  config = tiny.make_config(train__ema=0.9)
  first = state.create(config)
  tiny.assert_equal(first.ema, first.generator.params)
  assert first.ema["project"] is not first.generator.params["project"]


def test_the_networks_start_from_different_keys():
  first = tiny.create(CONFIG)
  up = first.generator.params["up_1"]["kernel"]
  down = first.discriminator.params["down_1"]["kernel"]
  assert up.shape == down.shape and np.any(up != down)
