"""System `vaegan`: who learns what, and what it shows and keeps."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan import errors
from astgan.models import vaegan as models
from astgan.systems import vaegan, vaegan_sheets, vaegan_update
from configs import vaegan as page
from tests.train import tiny

GAMMA = 3e-3


def make_config(**changes):
  fields = {
    "model__encoder_units": 8,
    "loss__reconstruction_weight": GAMMA,
    "train__ema_decay": 0.75,
  }
  return tiny.make_config(page, **(fields | changes))


def normal(*shape, seed=0):
  return jnp.asarray(np.random.default_rng(seed).normal(size=shape), "float32")


IMAGES = jnp.tanh(normal(4, tiny.SIZE, tiny.SIZE, 3))
DRAWS = {"latents": normal(4, 5, seed=1), "noise": normal(4, 5, seed=2)}


@functools.cache
def compile_update(**changes):
  system = vaegan.VAEGAN(make_config(**changes))
  return jax.jit(
    functools.partial(
      system.update, phase=system.phases[0], turn="all", axis_name=None
    )
  )


@functools.cache
def updated(**changes):
  """A state, its successor and the scalars between them, as host arrays."""
  old = tiny.init(make_config(**changes))
  update = compile_update(**changes)
  new, scalars = update(old, {"paintings": IMAGES}, DRAWS, None)
  return jax.device_get((old, new, scalars))


SHARED = {"size": tiny.SIZE, "width": 4}
MODULES = {
  "encoder": models.Encoder(latent_dim=5, units=8, **SHARED),
  "decoder": models.Decoder(**SHARED),
  "discriminator": models.Discriminator(**SHARED),
  "features": models.Discriminator(part="features", **SHARED),
}


def by_hand(params, collections):
  """The three losses of algorithm 1, and all collections afterwards."""
  moved = dict(collections)

  def apply(name, inputs, of=None):
    of = of or name
    variables = {"params": params[of], **moved[of]}
    outputs, moved[of] = MODULES[name].apply(
      variables, inputs, train=True, mutable=["batch_stats"]
    )
    return outputs

  mean, log_variance = apply("encoder", IMAGES)
  deviation = jnp.exp(log_variance) ** 0.5
  latents = mean + deviation * DRAWS["noise"]
  images = [IMAGES, apply("decoder", latents)]
  images += [apply("decoder", DRAWS["latents"])]
  before = moved["discriminator"]
  # Looking at features alone moves no statistics that anyone keeps.
  features = [apply("features", x, "discriminator") for x in images[:2]]
  moved["discriminator"] = before
  logits = [apply("discriminator", x) for x in images]
  log_density = -0.5 * mean**2 - 0.5 * deviation**2 + 0.5 * log_variance + 0.5
  real, *fakes = map(jax.nn.sigmoid, logits)
  losses = {
    "prior": -jnp.mean(jnp.sum(log_density, axis=1)),
    "reconstruction": 0.5
    * jnp.sum((features[0] - features[1]) ** 2)
    / len(IMAGES),
    "gan": -jnp.mean(jnp.log(real))
    - (jnp.mean(jnp.log(1 - fakes[0])) + jnp.mean(jnp.log(1 - fakes[1]))) / 2,
  }
  return losses, moved


# Of each loss in the objective of each network.
WEIGHTS = {
  "encoder": {"prior": 1.0, "reconstruction": 1.0, "gan": 0.0},
  "decoder": {"prior": 0.0, "reconstruction": GAMMA, "gan": -1.0},
  "discriminator": {"prior": 0.0, "reconstruction": 0.0, "gan": 1.0},
}


@functools.cache
def learnt_by_hand():
  """Losses, each network's gradient of its objective, and collections."""
  networks = updated()[0].networks
  params, collections = (
    {name: getattr(network, field) for name, network in networks.items()}
    for field in ("params", "collections")
  )

  @jax.jit
  def learn(params, collections):
    losses, pull, moved = jax.vjp(
      lambda params: by_hand(params, collections), params, has_aux=True
    )
    gradients = {
      name: pull(jax.tree.map(jnp.float32, weights))
      for name, weights in WEIGHTS.items()
    }
    return losses, {name: x[name] for name, (x,) in gradients.items()}, moved

  return jax.device_get(learn(params, collections))


def gradient_of(network):
  """Of a first update by Adam, whose first moment is (1 - beta1) times it."""
  return jax.tree.map(lambda m: 2 * m, network.opt_state[0].mu)


@pytest.mark.parametrize("name", WEIGHTS)
def test_each_network_learns_its_own_sum_of_losses(name):
  actual = updated()[1].networks[name]
  _, gradients, moved = learnt_by_hand()
  tiny.assert_close(gradient_of(actual), gradients[name], rtol=2e-4)
  tiny.assert_close(actual.collections, moved[name], rtol=1e-4)


def test_scalars_are_the_losses_and_the_norms_of_the_gradients():
  (_, new, scalars), (losses, _, _) = updated(), learnt_by_hand()
  for name, of in (
    ("encoder/prior_loss", "prior"),
    ("encoder/reconstruction_loss", "reconstruction"),
    ("discriminator/loss", "gan"),
  ):
    np.testing.assert_allclose(scalars[name], losses[of], rtol=1e-5)
  for name, network in new.networks.items():
    leaves = jax.tree.leaves(gradient_of(network))
    norm = np.linalg.norm(np.concatenate([np.ravel(x) for x in leaves]))
    np.testing.assert_allclose(
      scalars[f"{name}/gradient_norm"], norm, rtol=1e-4
    )


@pytest.mark.parametrize(
  ("real", "fake", "decoder", "discriminator"),
  [
    # The equilibrium is 0.5 to 0.9.
    (0.6, 0.8, True, True),
    (0.4, 0.8, True, False),
    (0.6, 0.4, True, False),
    (1.0, 0.6, False, True),
    (0.6, 1.0, False, True),
    # Both would wait.
    (0.4, 1.0, True, True),
  ],
)
def test_out_of_its_equilibrium_one_player_waits(
  real, fake, decoder, discriminator
):
  config = make_config(loss__margin=0.2, loss__equilibrium=0.7)
  losses = {"real": real, "fake": fake}
  trained = vaegan_update.gate(
    config.loss,
    {f"discriminator/{k}_loss": jnp.float32(v) for k, v in losses.items()},
  )
  assert trained == {"decoder": decoder, "discriminator": discriminator}


def test_a_player_that_waits_moves_its_statistics_alone():
  old, new, scalars = updated(loss__margin=0.2, loss__equilibrium=2.0)
  assert scalars["discriminator/trained"] == 0 < scalars["decoder/trained"]
  before, after = (x.networks["discriminator"] for x in (old, new))
  tiny.assert_equal(after.params, before.params)
  tiny.assert_equal(after.opt_state, before.opt_state)
  _, free, _ = updated()
  for name in ("encoder", "decoder"):
    tiny.assert_close(new.networks[name], free.networks[name], rtol=1e-4)
  expected = free.networks["discriminator"].collections
  tiny.assert_close(after.collections, expected, rtol=1e-5)


def test_the_moving_average_is_sampled_with_standing_statistics():
  old, new, _ = updated()
  expected = jax.tree.map(
    lambda e, x: 0.75 * e + 0.25 * x,
    old.networks["decoder"].params,
    new.networks["decoder"].params,
  )
  tiny.assert_close(new.ema["decoder"], expected, rtol=1e-6)
  system = vaegan.VAEGAN(make_config())
  variables = system.sampler(new).variables
  tiny.assert_equal(variables["params"], new.ema["decoder"])
  stored = new.networks["decoder"].collections["batch_stats"]
  standing = variables["batch_stats"]
  assert np.any(standing["norm_0"]["var"] != stored["norm_0"]["var"])


def test_draws_are_independent_and_have_the_examples_first():
  system = vaegan.VAEGAN(make_config())
  draws = system.draw(jax.random.key(0), 6, phase=system.phases[0])
  assert {name: x.shape for name, x in draws.items()} == {
    "latents": (6, 5), "noise": (6, 5)
  }  # fmt: skip
  assert np.all(draws["latents"] != draws["noise"])


def test_sheets_show_samples_reconstructions_and_attributes():
  system, (_, state, _) = vaegan.VAEGAN(make_config()), updated()
  sheets = system.samples(state, None, {"paintings": IMAGES})
  assert list(sheets) == ["samples", "reconstructions", "attributes"]
  size, sampler = tiny.SIZE, system.sampler(state)
  pairs, strips = sheets["reconstructions"], sheets["attributes"]
  assert sheets["samples"].shape == (4, size, size, 3)
  assert (pairs.shape, strips.shape) == (
    (4, 2 * size, size, 3), (4, size, 6 * size, 3)
  )  # fmt: skip
  means, _ = jax.jit(functools.partial(MODULES["encoder"].apply, train=False))(
    state.networks["encoder"].variables, IMAGES
  )
  tiny.assert_equal(pairs[:, :size], IMAGES)
  decode = functools.partial(
    sampler.module.apply, train=True, mutable=["batch_stats"]
  )
  expected, _ = jax.jit(decode)(sampler.variables, means)
  tiny.assert_close(pairs[:, size:], expected, rtol=1e-5)
  tiny.assert_close(strips[:, :, size : 2 * size], pairs[:, size:], rtol=1e-5)


def test_the_first_128_images_are_reconstructed():
  system, (_, state, _) = vaegan.VAEGAN(make_config()), updated()
  images = jax.ShapeDtypeStruct((130, *IMAGES.shape[1:]), "float32")
  sheets = jax.eval_shape(
    lambda images: system.samples(state, None, {"paintings": images}), images
  )
  assert sheets["samples"].shape[0] == 130
  assert sheets["reconstructions"].shape[0] == 128


def test_a_single_image_has_samples_alone():
  system, (_, state, _) = vaegan.VAEGAN(make_config()), updated()
  sheets = system.samples(state, None, {"paintings": IMAGES[:1]})
  assert list(sheets) == ["samples"]


def test_histograms_are_the_logits_of_reals_and_of_samples():
  system, (_, state, _) = vaegan.VAEGAN(make_config()), updated()
  sheets = {"samples": -IMAGES}
  drawn = system.histograms(state, None, sheets, {"paintings": IMAGES})
  score = jax.jit(
    functools.partial(
      MODULES["discriminator"].apply, train=True, mutable=["batch_stats"]
    )
  )
  variables = state.networks["discriminator"].variables
  for kind, images in (("real", IMAGES), ("fake", -IMAGES)):
    expected, _ = score(variables, images)
    actual = drawn[f"discriminator/{kind}_logits"]
    tiny.assert_close(actual, expected, rtol=1e-3)


def test_an_attribute_is_the_upper_half_minus_the_lower_half():
  latents = jnp.array([[1.0, 0.0], [3.0, 4.0], [5.0, 0.0], [7.0, 2.0]])
  vector = vaegan_sheets.attribute_vector(
    latents, jnp.array([0.1, 0.9, -0.3, 0.5])
  )
  # (3 4) and (7 2) against (5 0) and (1 0).
  np.testing.assert_allclose(vector, np.float32([2.0, 3.0]), strict=True)


def test_a_run_killed_between_checkpoints_ends_as_one_that_was_not(
  tmp_path, decoded
):
  config = make_config(data__cache=str(decoded), loss__margin=0.35)
  workdir, whole, killed = tiny.train_twice(config, tmp_path)
  tiny.assert_equal(killed, whole)
  names = {path.name for path in (workdir / "samples").iterdir()}
  assert {f"step_00000004{x}.png" for x in ("", "_attributes")} <= names


@pytest.mark.parametrize("batch_norm", ["synchronised", "per_device"])
def test_nothing_that_comes_back_is_one_device_s_own(batch_norm):
  config = make_config(model__batch_norm=batch_norm)
  first = tiny.update_on_two_devices(
    vaegan.VAEGAN(config),
    tiny.init(config),
    {"paintings": IMAGES},
    DRAWS,
    "all",
  )
  if batch_norm == "synchronised":
    _, new, scalars = updated()
    # Two sums of float32 in another order than one; squares double the error.
    tiny.assert_close(first, (new, scalars), rtol=2e-3)


@pytest.mark.parametrize(
  ("changes", "told"),
  [
    ({"data__size": 48}, "data.size"),
    ({"model__width": 1}, "model.width"),
    ({"model__encoder_units": 0}, "model.encoder_units"),
    ({"loss__reconstruction_weight": -1.0}, "loss.reconstruction_weight"),
    ({"loss__margin": -0.1}, "loss.margin"),
    ({"encoder__optimizer": "lion"}, "encoder.optimizer"),
  ],
)
def test_what_cannot_be_is_named(changes, told):
  with pytest.raises(errors.UserError, match=told):
    vaegan.VAEGAN(make_config(**changes))
