"""System `fewshot`: its augmentation, its inputs and what it refuses."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan import errors, runs
from astgan.data import diff_augment
from astgan.features import weights
from astgan.systems import fewshot, fewshot_inputs, fewshot_networks, networks
from astgan.train import loop
from configs import fewshot as page
from tests.train import tiny

ADAPTIVE = {
  "diff_augment__policy": ("colour",),
  "diff_augment__target": 0.6,
  "diff_augment__images": 16,
}


def make_config(**changes):
  fields = {"model__discriminator_width": 4, "train__ema_half_life": 8}
  return tiny.make_config(page, **(fields | changes))


def normal(*shape, seed=0):
  return jnp.asarray(np.random.default_rng(seed).normal(size=shape), "float32")


IMAGES = jnp.tanh(normal(4, tiny.SIZE, tiny.SIZE, 3))


@functools.cache
def compile_update(**changes):
  system = fewshot.FewShot(make_config(**changes))
  (phase,) = system.phases
  key = jax.random.key(3)
  draws = system.draw(key, 4, phase=phase)
  update = functools.partial(
    system.update, phase=phase, turn="both", axis_name=None
  )
  return jax.jit(update), draws


def updated(strength, **changes):
  """A state of that strength of the augmentation, its successor, scalars."""
  update, draws = compile_update(**(ADAPTIVE | changes))
  old = tiny.init(make_config(**(ADAPTIVE | changes)))
  if old.extra:
    old = old.replace(extra={"strength": jnp.float32(strength)})
  return old, *update(old, {"paintings": IMAGES}, draws, None)


def real_logits(old, images):
  """What the discriminator says of real images at the start of an update."""
  critic = old.networks["discriminator"]
  module = fewshot_networks.build(make_config(**ADAPTIVE)).discriminator
  logits, _ = networks.apply(
    module, critic.params, critic.collections, {"pixels": images}
  )
  return logits["pixels"]


def test_as_large_a_share_of_images_is_augmented_as_the_strength_says():
  draws = compile_update(**ADAPTIVE)[1]["real"]
  changed = diff_augment.apply(IMAGES, draws["changes"])
  strength = float(np.median(draws["chance"]))
  chosen = np.asarray(draws["chance"]) < strength
  assert 0 < chosen.sum() < 4
  seen = jnp.where(chosen[:, None, None, None], changed, IMAGES)
  for value, images in ((0.0, IMAGES), (strength, seen), (1.0, changed)):
    old, _, scalars = updated(value)
    expected = jnp.mean(real_logits(old, images))
    np.testing.assert_allclose(
      scalars["discriminator/real_logit"], expected, rtol=1e-4
    )


@pytest.mark.parametrize("target", [0.05, 0.95])
def test_the_strength_moves_towards_the_target(target):
  old, new, scalars = updated(0.5, diff_augment__target=target)
  sign = np.mean(np.sign(real_logits(old, seen_by(old))))
  np.testing.assert_allclose(
    scalars["discriminator/real_sign"], sign, rtol=1e-5
  )
  # Batches of 4, and 16 images for the whole range.
  moved = 0.5 + 4 / 16 * np.sign(sign - target)
  np.testing.assert_allclose(new.extra["strength"], moved, rtol=1e-6)


def test_signs_and_accuracies_are_those_of_the_boundary_of_the_loss():
  old, _, scalars = updated(0.5, loss__name="least_squares")
  above = np.asarray(real_logits(old, seen_by(old))) - 0.5
  np.testing.assert_allclose(
    [scalars[f"discriminator/real_{x}"] for x in ("sign", "accuracy")],
    [np.mean(np.sign(above)), np.mean(above > 0)],
    rtol=1e-5,
  )


def test_histograms_are_the_logits_of_all_heads():
  config = make_config(
    data__size=64, features__layers=("relu2_2",), features__weights="random"
  )
  system, state = fewshot.FewShot(config), tiny.init(config)
  frozen, images = system.load_frozen(), jnp.tanh(normal(4, 64, 64, 3))
  sheets, batch = {"samples": -images}, {"paintings": images}
  drawn = system.histograms(state, frozen, sheets, batch)
  critic = state.networks["discriminator"]
  module = fewshot_networks.build(config).discriminator
  for kind, sign in (("real", 1), ("fake", -1)):
    seen = fewshot_inputs.extract(config, frozen, sign * images)
    logits, _ = networks.apply(module, critic.params, critic.collections, seen)
    expected = [logits[head].reshape(-1) for head in ("pixels", "relu2_2")]
    tiny.assert_close(
      drawn[f"discriminator/{kind}_logits"],
      jnp.concatenate(expected),
      rtol=1e-3,
    )


def seen_by(old):
  draws = compile_update(**ADAPTIVE)[1]["real"]
  changed = diff_augment.apply(IMAGES, draws["changes"])
  chosen = draws["chance"] < old.extra["strength"]
  return jnp.where(chosen[:, None, None, None], changed, IMAGES)


@pytest.mark.parametrize("name", fewshot.LOSSES)
def test_every_loss_leaves_finite_networks_that_moved(name):
  # Its logits have no sign to adapt to.
  changes = {"diff_augment__target": 0.0} if name == "relativistic" else {}
  old, new, scalars = updated(0.5, loss__name=name, **changes)
  assert ("discriminator/real_sign" in scalars) == (name != "relativistic")
  assert all(np.isfinite(value) for value in scalars.values())
  for network in ("generator", "discriminator"):
    before, after = (x.networks[network].params for x in (old, new))
    moved = jax.tree.map(lambda a, b: float(jnp.max(abs(a - b))), before, after)
    assert min(jax.tree.leaves(moved)) > 0


def test_inputs_have_the_shapes_that_the_heads_were_made_for():
  config = make_config(
    data__size=64,
    features__layers=("relu2_2", "relu3_3", "relu4_3"),
    features__weights="random",
  )
  frozen = fewshot_inputs.load(config)
  seen = jax.eval_shape(
    functools.partial(fewshot_inputs.extract, config),
    frozen,
    jnp.zeros((2, 64, 64, 3)),
  )
  examples = fewshot_inputs.examples(config)
  assert {k: v.shape for k, v in seen.items()} == {
    k: v.shape for k, v in examples.items()
  }
  assert fewshot.FewShot(config).feature_nets == ("vgg16", "vgg19")


def test_a_run_killed_between_checkpoints_ends_as_one_that_was_not(
  tmp_path, decoded
):
  adaptive = ADAPTIVE | {"diff_augment__target": 0.01}
  config = make_config(data__cache=str(decoded), **adaptive)
  _, whole, killed = tiny.train_twice(config, tmp_path)
  tiny.assert_equal(killed, whole)
  assert whole["extra"]["strength"] > 0


def test_missing_weights_can_be_corrected_in_the_same_folder(tmp_path, decoded):
  config = make_config(
    data__cache=str(decoded),
    train__steps=1,
    features__layers=("relu2_2",),
    features__weights="/nowhere.h5",
  )
  with pytest.raises(
    errors.UserError,
    match=r"^config\.features\.weights: .*nowhere\.h5.*layers=\(\) trains",
  ):
    loop.train(config, tmp_path)
  assert not (tmp_path / "config.json").exists()
  config.features.layers = ()
  loop.train(config, tmp_path)
  assert (tmp_path / "checkpoints" / "1").exists()


def test_without_layers_no_weights_are_loaded(monkeypatch):
  monkeypatch.setattr(weights, "load", None)
  assert fewshot.FewShot(make_config()).load_frozen() is None


def test_two_devices_give_what_one_gives():
  config = make_config(**ADAPTIVE)
  state = tiny.init(config).replace(extra={"strength": jnp.float32(0.5)})
  _, draws = compile_update(**ADAPTIVE)
  first = tiny.update_on_two_devices(
    fewshot.FewShot(config), state, {"paintings": IMAGES}, draws, "both"
  )
  _, new, scalars = updated(0.5)
  # Adam's first step is the sign of a gradient: where it is nearly zero the
  # devices may round to the other one.
  tiny.assert_close(first[1], scalars, rtol=1e-3)
  tiny.assert_close(first[0].extra, new.extra, rtol=1e-6)


def test_a_run_is_not_continued_with_other_features(tmp_path):
  config = make_config()
  runs.open_run(tmp_path, config)
  config.features.net = "vgg19"
  with pytest.raises(errors.UserError, match=r"features\.net"):
    runs.check_run(tmp_path, config)


@pytest.mark.parametrize(
  ("changes", "told"),
  [
    ({"data__size": 48}, "data.size"),
    ({"model__width": 2}, "model.width"),
    ({"model__latent_dim": 0}, "model.latent_dim"),
    ({"loss__name": "wasserstein"}, "loss.name"),
    ({"diff_augment__target": 1.5}, "diff_augment.target"),
    ({"diff_augment__policy": ("blur",)}, "diff_augment.policy"),
    ({"features__layers": ("relu2_1",)}, "features.layers"),
    ({"features__layers": ("relu1_2", "relu3_3")}, "leave a block out"),
    ({"features__layers": ("relu4_3",)}, "less than 8 a side"),
    ({"model__sees_pixels": False}, "sees nothing"),
    ({"generator__optimizer": "lion"}, "generator.optimizer"),
    (
      {"loss__name": "relativistic", "diff_augment__target": 0.6},
      "without a sign",
    ),
  ],
)
def test_what_cannot_be_is_named(changes, told):
  with pytest.raises(errors.UserError, match=told):
    fewshot.FewShot(make_config(**changes))
