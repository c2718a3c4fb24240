"""System `superres`: its network, its losses by hand, its upscaler, runs."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan import arrays, errors, runs, sample, sampling
from astgan.data import images
from astgan.losses import adversarial
from astgan.models import superres as model
from astgan.systems import (
  decoding,
  generators,
  interface,
  networks,
  registry,
  upscalers,
)
from astgan.train import loop
from configs import sample as sample_page
from configs import superres as page
from tests.systems import painters
from tests.train import tiny

RATE = 1e-2
GAN = {"loss__adversarial_weight": 0.5, "loss__feature_weight": 0.1}
# Steps in proportion to the gradients, where Adam's first are their signs.
SGD = {
  f"{name}__{field}": value
  for name in ("generator", "discriminator")
  for field, value in (
    ("optimizer", "sgd"), ("beta1", 0.0), ("learning_rate", RATE)
  )
} | {"train__ema_decay": 0.75}  # fmt: skip


def make_config(**changes):
  fields = {"features__weights": "random", "data__crop": "centre"}
  return tiny.make_config(page, **(fields | changes))


@functools.cache
def one(**changes):
  """A system, its first state, a batch, frozen parameters and an update."""
  config = make_config(**changes)
  system = registry.make(config)
  frozen, state = system.load_frozen(), tiny.init(config)
  batch = painters.draw_batch(system, 0)
  update = jax.jit(
    functools.partial(
      system.update, phase=system.phases[0], turn="all", axis_name=None
    )
  )
  return system, state, batch, frozen, update(state, batch, {}, frozen)


def test_the_network_has_as_many_parameters_as_the_papers():
  module = model.Autoencoder()
  shapes = jax.eval_shape(
    lambda key: module.init(key, jnp.zeros((1, 8, 8, 3))), jax.random.key(0)
  )
  assert sum(leaf.size for leaf in jax.tree.leaves(shapes)) == 1_110_403


def test_it_begins_with_the_enlarged_image():
  system, state, batch, *_ = one()
  small = upscalers.reduce(batch["paintings"], 4)
  tiny.assert_close(
    system.sampler(state).enlarge(small),
    jnp.clip(upscalers.enlarge(small, 4), -1, 1),
    rtol=1e-5,
  )


def test_flat_images_stay_flat_and_the_sides_grow():
  small = jnp.full((2, 8, 12, 3), 0.25)
  large = upscalers.enlarge(small, 2)
  assert large.shape == (2, 16, 24, 3)
  np.testing.assert_allclose(large, 0.25, rtol=1e-6)
  np.testing.assert_allclose(upscalers.reduce(large, 2), small, rtol=1e-6)


def test_the_squared_error_and_the_psnr_are_those_of_the_enlarged_image():
  system, _, batch, _, (_, scalars) = one()
  real = batch["paintings"]
  small = upscalers.reduce(real, 4)
  squares = np.mean((upscalers.enlarge(small, 4) - real) ** 2, axis=(1, 2, 3))
  expected = {
    "generator/loss": squares.mean(),
    "generator/pixel_loss": squares.mean(),
    "generator/psnr": 10 * np.log10(4 / squares).mean(),
    "generator/psnr_of_cubic": 10 * np.log10(4 / squares).mean(),
  }
  for name, value in expected.items():
    np.testing.assert_allclose(scalars[name], value, rtol=1e-5)
  assert "discriminator/loss" not in scalars
  assert set(system.modules()) == {"generator"}


def test_the_psnr_of_an_exact_image_is_100():
  images = jnp.zeros((2, 4, 4, 3)).at[1].set(0.2)
  found = decoding.reconstruction(jnp.zeros_like(images), images)
  # That of the other, 10 log10 (4 / 0.2^2), is 20.
  np.testing.assert_allclose(found["psnr"], 60, rtol=1e-5)


def test_each_network_has_the_gradient_of_its_own_loss():
  system, state, batch, frozen, (new, scalars) = one(**GAN, **SGD)
  modules, fields = system.modules(), system.config.loss
  params = {name: net.params for name, net in state.networks.items()}
  real = batch["paintings"]
  blurred = upscalers.enlarge(upscalers.reduce(real, 4), 4)

  def apply(name, params, inputs):
    return modules[name].apply({"params": params}, inputs)

  def generator_loss(params_of_it):
    sharp = apply("generator", params_of_it, blurred)
    logits = apply("discriminator", params["discriminator"], sharp)
    seen = system._features(frozen, sharp) - system._features(frozen, real)
    return (
      fields.pixel_weight * jnp.mean((sharp - real) ** 2)
      + fields.feature_weight * jnp.mean(seen**2)
      + fields.adversarial_weight * jnp.mean(jax.nn.softplus(-logits))
    )

  def discriminator_loss(params_of_it):
    sharp = apply("generator", params["generator"], blurred)
    return jnp.mean(
      adversarial.logistic_discriminator(
        apply("discriminator", params_of_it, real).reshape(-1),
        apply("discriminator", params_of_it, sharp).reshape(-1),
      )
    )

  logits = apply("discriminator", params["discriminator"], real)
  np.testing.assert_allclose(
    scalars["discriminator/real_accuracy"], np.mean(logits > 0), rtol=1e-5
  )
  for name, loss in (
    ("generator", generator_loss),
    ("discriminator", discriminator_loss),
  ):
    value, gradient = jax.jit(jax.value_and_grad(loss))(params[name])
    np.testing.assert_allclose(scalars[f"{name}/loss"], value, rtol=1e-5)
    expected = jax.tree.map(lambda p, g: p - RATE * g, params[name], gradient)
    tiny.assert_close(new.networks[name].params, expected, rtol=1e-4)
    norm = networks.global_norm(gradient)
    np.testing.assert_allclose(
      scalars[f"{name}/gradient_norm"], norm, rtol=1e-4
    )


def test_two_devices_do_what_one_does():
  system, state, batch, frozen, updated = one(**GAN, **SGD)
  found = tiny.update_on_two_devices(
    system, state, batch, {}, "all", frozen=frozen
  )
  for name, value in updated[1].items():
    tiny.assert_close(found[1][name], value, rtol=1e-3)


def test_the_autoencoder_alone_has_a_moving_average():
  system, first, _, _, (state, _) = one(**GAN, **SGD)
  assert set(state.ema) == {"generator"}
  tiny.assert_equal(system.sampler(state).params, state.ema["generator"])
  updated = state.networks["generator"].params
  averaged = jax.tree.map(
    lambda e, x: 0.75 * e + 0.25 * x,
    first.networks["generator"].params,
    updated,
  )
  tiny.assert_close(state.ema["generator"], averaged, rtol=1e-5)


def test_sheets_show_the_enlarged_the_sharpened_and_the_painting():
  system, _, batch, frozen, (state, _) = one()
  ((name, sheet),) = system.samples(state, frozen, batch).items()
  assert name == "enlarged" and sheet.shape == (2, tiny.SIZE, 3 * tiny.SIZE, 3)
  tiny.assert_equal(sheet[:, :, 2 * tiny.SIZE :], batch["paintings"])


def test_the_feature_network_is_loaded_where_its_loss_has_a_weight():
  assert registry.make(make_config()).load_frozen() is None
  assert "conv1_1" in registry.make(make_config(**GAN)).load_frozen()


def test_it_learns_what_the_enlargement_lost():
  # Stripes, which cubic interpolation of a quarter of the pixels cannot draw.
  system = registry.make(make_config(model__width=8, model__factor=2))
  stripes = np.zeros((2, tiny.SIZE, tiny.SIZE, 3), "float32")
  stripes[:, ::4] = stripes[:, 1::4] = 1
  batch = {"paintings": jnp.asarray(stripes)}
  state = tiny.init(system.config)
  update = jax.jit(
    functools.partial(
      system.update, phase=system.phases[0], turn="all", axis_name=None
    )
  )
  for _ in range(60):
    state, scalars = update(state, batch, {}, None)
  assert scalars["generator/psnr"] > scalars["generator/psnr_of_cubic"] + 3


@pytest.fixture(scope="module")
def upscaler(tmp_path_factory, decoded):
  """A run folder, twice trained: the second time killed on the way."""
  folder = tmp_path_factory.mktemp("superres")
  config = make_config(data__cache=str(decoded), **GAN)
  run, whole, killed = tiny.train_twice(config, folder)
  tiny.assert_equal(killed, whole)
  return run


def test_a_run_is_an_upscaler(upscaler):
  trained = sampling.load(upscaler)
  assert interface.kind(trained.sampler) == "upscaler"
  drawn = trained.upscaler.enlarge(jnp.zeros((3, 8, 8, 3)))
  assert drawn.shape == (3, 32, 32, 3)
  with pytest.raises(errors.UserError, match="trained no generator; enlarge"):
    trained.generator  # noqa: B018
  with pytest.raises(errors.UserError, match="trained no painter; enlarge"):
    trained.painter("")


def test_its_last_line_says_what_it_is_for(upscaler, caplog):
  with caplog.at_level("INFO"):
    loop.train(runs.read_training(upscaler), upscaler)
  assert f"--config.sample.upscale={upscaler}" in caplog.text


def draw_samples(folder, **changes):
  config = sample_page.get_config()
  named = {name: str(path) for name, path in changes.items()}
  config.sample.update(count=4, rows=2, columns=2, **named)
  sample.sample(config, folder)
  return images.read(folder / "samples" / "grid_00.png")


def test_samples_are_enlarged(trained, upscaler, tmp_path, monkeypatch):
  counts, convert = [], arrays.unit_to_bytes

  def note(drawn):
    counts.append(len(drawn))
    return convert(drawn)

  monkeypatch.setattr(generators, "_CHUNK", 2)
  monkeypatch.setattr(arrays, "unit_to_bytes", note)
  small = draw_samples(tmp_path / "small", run=trained)
  large = draw_samples(tmp_path / "large", run=trained, upscale=upscaler)
  assert large.shape[0] > 3 * small.shape[0]
  # No device holds all of them.
  assert counts == [2] * 8
  with pytest.raises(errors.UserError, match="trained no upscaler; paint with"):
    draw_samples(tmp_path / "no", run=trained, upscale=trained)


@pytest.mark.parametrize(
  ("changes", "told"),
  [
    ({"model__factor": 3}, r"model\.factor"),
    ({"data__size": 36}, r"data\.size=36 is no multiple of 8"),
    ({"loss__pixel_weight": 0.0}, "are all 0; give one a weight"),
    ({"loss__feature_weight": -1.0}, r"loss\.feature_weight"),
    ({"loss__feature_layer": "relu9_9"}, r"loss\.feature_layer: vgg19 has no"),
    ({"features__net": "vgg11"}, r"features\.net"),
    ({"discriminator__beta1": 1.0}, r"discriminator\.beta1"),
  ],
)
def test_what_cannot_be_is_named_in_one_line(changes, told):
  with pytest.raises(errors.UserError, match=told) as caught:
    registry.make(make_config(**changes))
  assert "\n" not in str(caught.value)
