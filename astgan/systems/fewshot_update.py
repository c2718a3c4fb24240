"""The update of system `fewshot`: what one batch changes."""

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
import ml_collections
from jaxtyping import PyTree

from astgan.arrays import Features, Images
from astgan.data import diff_augment
from astgan.systems import (
  gan_losses,
  interface,
  logits,
  networks,
  states,
)

# Images in [-1, 1] to the inputs of a discriminator, by head.
Extract = Callable[[Images], dict[str, Features]]


def update(
  config: ml_collections.ConfigDict,
  modules: networks.Pair,
  extract: Extract,
  state: interface.TrainState,
  real_images: Images,
  draws: Mapping[str, PyTree],
  *,
  mean: Callable[[PyTree], PyTree],
) -> tuple[interface.TrainState, interface.Scalars]:
  """The state after one step, and its scalars.

  Images are generated once, and features of them are extracted once: both
  updates use them, the second by their vjp.

  Args:
    config: the whole config.
    modules: the networks.
    extract: called with augmented images.
    state: before the step.
    real_images: in [-1, 1], this device's share.
    draws: from `FewShot.draw`.
    mean: over the devices.
  """
  generator = state.networks["generator"]
  discriminator = state.networks["discriminator"]
  strength = None if state.extra is None else state.extra["strength"]

  def features_of(images: Images, kind: str) -> dict[str, Features]:
    return extract(_augment(images, draws.get(kind), strength))

  fake_images, generator_vjp, moved = jax.vjp(
    lambda params: networks.apply(
      modules.generator, params, generator.collections, draws["latents"]
    ),
    generator.params,
    has_aux=True,
  )
  real_features = features_of(real_images, "real")
  fake_features, features_vjp = jax.vjp(
    lambda images: features_of(images, "fake"), fake_images
  )

  def objective(params: PyTree) -> tuple[jax.Array, tuple]:
    # Two batches, as batch normalisation sees them.
    real_logits, changed = networks.apply(
      modules.discriminator, params, discriminator.collections, real_features
    )
    fake_logits, changed = networks.apply(
      modules.discriminator, params, changed, fake_features
    )
    loss = sum(
      jnp.mean(
        gan_losses.LOSSES[config.loss.name].discriminator(
          real_logits[head].reshape(-1), fake_logits[head].reshape(-1)
        )
      )
      for head in real_logits
    )
    return loss, (changed, _scalars(config, loss, real_logits, fake_logits))

  gradients, (changed, scalars) = jax.grad(objective, has_aux=True)(
    discriminator.params
  )
  gradients = mean(gradients)
  scalars["discriminator/gradient_norm"] = networks.global_norm(gradients)
  discriminator = networks.apply_gradients(
    discriminator, gradients, mean(changed), config.discriminator, state
  )

  def score(features: dict[str, Features]) -> dict[str, jax.Array]:
    critic = (discriminator.params, discriminator.collections)
    return networks.apply(modules.discriminator, *critic, features)[0]

  def loss_of(features: dict[str, Features]) -> jax.Array:
    return sum(
      gan_losses.generator_loss(
        config.loss,
        lambda head=head: score(real_features)[head].reshape(-1),
        fake_logits.reshape(-1),
      )
      for head, fake_logits in score(features).items()
    )

  scalars["generator/loss"], feature_gradients = jax.value_and_grad(loss_of)(
    fake_features
  )
  gradients = mean(generator_vjp(*features_vjp(feature_gradients))[0])
  scalars["generator/gradient_norm"] = networks.global_norm(gradients)
  generator = networks.apply_gradients(
    generator, gradients, mean(moved), config.generator, state
  )
  scalars = mean(scalars)
  new = {"generator": generator, "discriminator": discriminator}
  state = states.next_state(state, new, train=config.train)
  if strength is not None:
    state = state.replace(extra=_adapt(config, strength, scalars))
    scalars["augmentation/strength"] = strength
  return state, scalars


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
  config: ml_collections.ConfigDict,
  strength: jax.Array,
  scalars: interface.Scalars,
) -> dict[str, jax.Array]:
  """The strength a batch further towards the target.

  It is the share of images that are augmented at all, and moves after every
  batch; the authors draw for each transformation and move after every fourth.

  References: Karras et al., Training Generative Adversarial Networks with
    Limited Data, 2020, section 3.
  """
  augment = config.diff_augment
  direction = jnp.sign(scalars["discriminator/real_sign"] - augment.target)
  moved = strength + direction * config.train.batch_size / augment.images
  return {"strength": jnp.clip(moved, 0, 1)}


def _scalars(
  config: ml_collections.ConfigDict,
  loss: jax.Array,
  real_logits: Mapping[str, jax.Array],
  fake_logits: Mapping[str, jax.Array],
) -> interface.Scalars:
  real, fake = (
    jnp.concatenate([head.reshape(-1) for head in heads.values()])
    for heads in (real_logits, fake_logits)
  )
  scalars = logits.scalars(config.loss.name, real, fake)
  scalars["discriminator/loss"] = loss
  boundary = gan_losses.LOSSES[config.loss.name].boundary
  if boundary is None:
    return scalars
  # What adapts the augmentation: 0 for a discriminator that cannot tell, 1 for
  # one that knows every image it was trained on.
  sign = jnp.mean(jnp.sign(real - boundary))
  return scalars | {"discriminator/real_sign": sign}
