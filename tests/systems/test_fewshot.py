"""System `fewshot`: its augmentation, its inputs and what it refuses."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan import errors, runs
from astgan.data import diff_augment
from astgan.features import vgg, weights
from astgan.systems import (
  fewshot,
  fewshot_features,
  fewshot_inputs,
  fewshot_networks,
  networks,
)
from astgan.train import loop
from configs import fewshot as page
from tests.train import tiny

ADAPTIVE = {
  "diff_augment__policy": ("colour",),
  "diff_augment__target": 0.6,
  "diff_augment__images": 16,
}
FEATURES = {"features__layers": ("relu1_2",), "features__weights": "random"}


def make_config(**changes):
  fields = {"model__discriminator_width": 4, "train__ema_half_life": 8}
  return tiny.make_config(page, **(fields | changes))


def normal(*shape, seed=0):
  return jnp.asarray(np.random.default_rng(seed).normal(size=shape), "float32")


IMAGES = jnp.tanh(normal(4, tiny.SIZE, tiny.SIZE, 3))


@functools.cache
def compile_update(*, turn="both", **changes):
  system = fewshot.FewShot(make_config(**changes))
  (phase,) = system.phases
  key = jax.random.key(3)
  draws = system.draw(key, 4, phase=phase)
  update = functools.partial(
    system.update, phase=phase, turn=turn, axis_name=None
  )
  return jax.jit(update), draws, system.load_frozen()


def start(strength, **changes):
  """A first state of that strength of the augmentation."""
  state = tiny.init(make_config(**(ADAPTIVE | changes)))
  if state.extra:
    extra = state.extra | {"strength": jnp.float32(strength)}
    state = state.replace(extra=extra)
  return state


def updated(strength, **changes):
  """A state of that strength of the augmentation, its successor, scalars."""
  update, draws, frozen = compile_update(**(ADAPTIVE | changes))
  old = start(strength, **changes)
  return old, *update(old, {"paintings": IMAGES}, draws, frozen)


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
  module = fewshot_networks.build(config).discriminator
  for kind, sign in (("real", 1), ("fake", -1)):
    seen = fewshot_inputs.inputs(
      config,
      frozen,
      state.extra["moments"],
      sign * images,
      fewshot_features.features(config, frozen, sign * images),
    )
    heads = {"discriminator": "pixels", "feature_discriminator": "relu2_2"}
    assert seen.keys() == heads.keys()
    for name, head in heads.items():
      critic = state.networks[name]
      logits, _ = networks.apply(
        module, critic.params, critic.collections, seen[name]
      )
      drawn_logits = drawn[f"{name}/{kind}_logits"]
      tiny.assert_close(drawn_logits, logits[head].reshape(-1), rtol=1e-3)


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


def look(config, frozen, images):
  found = fewshot_features.features(config, frozen, images)
  moments = fewshot_features.first_moments(config)
  return found, fewshot_inputs.inputs(config, frozen, moments, images, found)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_inputs_have_the_shapes_that_the_heads_were_made_for(dtype):
  config = make_config(
    data__size=64,
    features__layers=("relu2_2", "relu3_3", "relu4_3"),
    features__weights="random",
    model__dtype=dtype,
  )
  frozen = fewshot_features.load(config)
  found, seen = jax.eval_shape(
    functools.partial(look, config), frozen, jnp.zeros((2, 64, 64, 3))
  )
  shapes = functools.partial(jax.tree.map, lambda x: x.shape)
  assert shapes(seen) == shapes(fewshot_inputs.examples(config))
  features = (found, seen["feature_discriminator"])
  assert {x.dtype.name for x in jax.tree.leaves(features)} == {dtype}
  assert fewshot.FewShot(config).feature_nets == ("vgg16", "vgg19")


def test_channels_are_standardised_on_the_first_64_training_images():
  update, draws, frozen = compile_update(**ADAPTIVE, **FEATURES)
  # Nothing is augmented.
  state, expected = start(0.0, **FEATURES), []
  for step, scale in ((0, 1.0), (1, 0.5), (16, 0.1)):
    images = scale * IMAGES
    state = state.replace(step=jnp.int32(step))
    state, _ = update(state, {"paintings": images}, draws, frozen)
    x = vgg.apply(frozen["net"], (images + 1) / 2, ("relu1_2",))["relu1_2"]
    expected.append({
      "mean": np.mean(x, axis=(0, 1, 2)),
      "square": np.mean(np.square(x), axis=(0, 1, 2)),
    })  # fmt: skip
    # Four images an update: those of the seventeenth come too late.
    means = jax.tree.map(lambda *x: np.mean(x, axis=0), *expected[:2])
    tiny.assert_close(state.extra["moments"], {"relu1_2": means}, rtol=1e-5)


def test_heads_on_features_learn_in_the_last_of_every_few_updates():
  system = fewshot.FewShot(make_config(features__every=3, **FEATURES))
  (phase,) = system.phases
  turns = [system.turns(step, phase) for step in range(6)]
  assert turns == 2 * [("pixels",), ("pixels",), ("both",)]
  update, draws, _ = compile_update(turn="pixels", **ADAPTIVE, **FEATURES)
  _, old, _ = updated(0.5, **FEATURES)
  new, scalars = update(old, {"paintings": IMAGES}, draws, None)
  kept = [
    (state.networks["feature_discriminator"], state.extra["moments"])
    for state in (old, new)
  ]
  tiny.assert_equal(*kept)
  assert "discriminator/loss" in scalars
  assert "feature_discriminator/loss" not in scalars
  before, after = (state.networks["discriminator"] for state in (old, new))
  moved = jax.tree.map(lambda a, b: np.any(a != b), before.params, after.params)
  assert all(jax.tree.leaves(moved))


def test_a_run_killed_between_checkpoints_ends_as_one_that_was_not(
  tmp_path, decoded
):
  adaptive = ADAPTIVE | {"diff_augment__target": 0.01}
  config = make_config(data__cache=str(decoded), **adaptive, **FEATURES)
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
  changes = ADAPTIVE | FEATURES
  _, draws, frozen = compile_update(**changes)
  first = tiny.update_on_two_devices(
    fewshot.FewShot(make_config(**changes)),
    start(0.5, **FEATURES),
    {"paintings": IMAGES},
    draws,
    "both",
    frozen=frozen,
  )
  _, new, scalars = updated(0.5, **FEATURES)
  # Adam's first step is the sign of a gradient: where it is nearly zero the
  # devices may round to the other one.
  tiny.assert_close(first[1], scalars, rtol=1e-3)
  tiny.assert_close(first[0].extra, new.extra, rtol=1e-5)


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
    (
      {"model__sees_pixels": False, "features__every": 2, **FEATURES},
      "features.every",
    ),
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
