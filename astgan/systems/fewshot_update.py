"""The update of system `fewshot`: what one batch changes."""

import functools
from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
import ml_collections
from jaxtyping import PyTree

from astgan.arrays import Images
from astgan.data import diff_augment
from astgan.features import vgg
from astgan.systems import (
  fewshot_critics,
  fewshot_features,
  fewshot_inputs,
  interface,
  networks,
  states,
)


def update(
  config: ml_collections.ConfigDict,
  modules: networks.Pair,
  frozen: fewshot_features.Frozen,
  state: interface.TrainState,
  real_images: Images,
  draws: Mapping[str, PyTree],
  *,
  turn: str,
  mean: Callable[[PyTree], PyTree],
) -> tuple[interface.TrainState, interface.Scalars]:
  """The state after one step, and its scalars.

  Images are generated once, and features of them are extracted once: both
  updates use them, the second by their vjp.

  Args:
    config: the whole config.
    modules: the networks.
    frozen: from `fewshot_features.load`.
    state: before the step.
    real_images: in [-1, 1], this device's share.
    draws: from `FewShot.draw`.
    turn: "both", or "pixels" without the heads on features, which stay.
    mean: over the devices.
  """
  generator = state.networks["generator"]
  extra = state.extra or {}
  strength, moments = extra.get("strength"), extra.get("moments", {})

  def look(images: Images, kind: str) -> tuple[Images, vgg.Layers]:
    images = _augment(images, draws.get(kind), strength)
    if turn == "pixels":
      return images, {}
    return images, fewshot_features.features(config, frozen, images)

  fake_images, generator_vjp, moved = jax.vjp(
    lambda params: networks.apply(
      modules.generator, params, generator.collections, draws["latents"]
    ),
    generator.params,
    has_aux=True,
  )
  real = look(real_images, "real")
  if real[1]:
    moments = fewshot_features.measure(
      config, moments, real[1], state.step, mean=mean
    )
  see = functools.partial(fewshot_inputs.inputs, config, frozen, moments)
  real_inputs = see(*real)
  fake_inputs, inputs_vjp = jax.vjp(
    lambda images: see(*look(images, "fake")), fake_images
  )
  critic, taught, scalars = modules.discriminator, {}, {}
  for name, inputs in real_inputs.items():
    taught[name], found = fewshot_critics.teach(
      config, critic, state, name, inputs, fake_inputs[name], mean=mean
    )
    scalars |= found

  def loss_of(fake_inputs: fewshot_inputs.Inputs) -> jax.Array:
    return sum(
      fewshot_critics.generator_loss(
        config, critic, taught[name], real_inputs[name], inputs
      )
      for name, inputs in fake_inputs.items()
    )

  scalars["generator/loss"], gradients = jax.value_and_grad(loss_of)(
    fake_inputs
  )
  gradients = mean(generator_vjp(*inputs_vjp(gradients))[0])
  scalars["generator/gradient_norm"] = networks.global_norm(gradients)
  generator = networks.apply_gradients(
    generator, gradients, mean(moved), config.generator, state
  )
  scalars = mean(scalars)
  new = state.networks | taught | {"generator": generator}
  state = states.next_state(state, new, train=config.train)
  if moments:
    extra = extra | {"moments": moments}
  if strength is not None:
    signs = [scalars[f"{name}/real_sign"] for name in taught]
    strength = _adapt(config, strength, sum(signs) / len(signs))
    scalars["augmentation/strength"] = extra["strength"]
    extra = extra | {"strength": strength}
  return state.replace(extra=extra or None), scalars


def _augment(
  images: Images, draws: PyTree, strength: jax.Array | None
) -> Images:
  """The images changed as drawn, all of them or as large a share as asked."""
  if draws is None:
    return images
  changed = diff_augment.apply(images, draws["changes"])
  if strength is None:
    return changed
  chosen = draws["chance"] < strength
  return jnp.where(chosen[:, None, None, None], changed, images)


def _adapt(
  config: ml_collections.ConfigDict, strength: jax.Array, sign: jax.Array
) -> jax.Array:
  """The strength a batch further towards the target.

  It is the share of images that are augmented at all, and moves after every
  batch; the authors draw for each transformation and move after every fourth.

  References: Karras et al., Training Generative Adversarial Networks with
    Limited Data, 2020, section 3.
  """
  augment = config.diff_augment
  direction = jnp.sign(sign - augment.target)
  moved = strength + direction * config.train.batch_size / augment.images
  return jnp.clip(moved, 0, 1)
