"""The update of system `gan`: what one batch changes."""

from collections.abc import Callable, Mapping, Sequence

import jax
import ml_collections
from jaxtyping import PyTree

from astgan.arrays import Images
from astgan.data import diff_augment
from astgan.systems import gan_losses, interface, logits, networks, states

# score(params, collections, "real" or "fake", images) -> (logits, collections).
_Score = Callable[[PyTree, PyTree, str, Images], tuple[jax.Array, PyTree]]


def update(
  config: ml_collections.ConfigDict,
  modules: networks.Pair,
  state: interface.TrainState,
  real_images: Images,
  draws: Mapping[str, PyTree],
  *,
  phases: Sequence[interface.Phase],
  turn: str,
  mean: Callable[[PyTree], PyTree],
) -> tuple[interface.TrainState, interface.Scalars]:
  """The state after one turn, and its scalars.

  Args:
    config: the whole config.
    modules: the networks.
    state: before the turn.
    real_images: in [-1, 1], this device's share.
    draws: from `GAN.draw`.
    phases: all of the system.
    turn: one of `GAN.turns`.
    mean: over the devices.
  """
  generator = state.networks["generator"]

  def score(params, collections, kind, images):
    if config.diff_augment.policy:
      images = diff_augment.apply(images, draws[kind])
    return networks.apply(modules.discriminator, params, collections, images)

  # fakes = G(z), once; its vjp serves the update of the generator below.
  fake_images, generator_vjp, moved = jax.vjp(
    lambda params: networks.apply(
      modules.generator, params, generator.collections, draws["latents"]
    ),
    generator.params,
    has_aux=True,
  )
  discriminator, scalars = _train_discriminator(
    config, score, state, real_images, fake_images, draws, turn, mean
  )
  new = {"generator": generator, "discriminator": discriminator}
  if turn.startswith("discriminator"):
    return state.replace(networks=new), mean(scalars)

  # To the pixels through D, then to the parameters through G.
  def loss_of(fake_images: Images) -> jax.Array:
    critic = (discriminator.params, discriminator.collections)
    fake_logits, _ = score(*critic, "fake", fake_images)
    return gan_losses.generator_loss(
      config.loss,
      lambda: score(*critic, "real", real_images)[0],
      fake_logits,
    )

  scalars["generator/loss"], pixel_gradients = jax.value_and_grad(loss_of)(
    fake_images
  )
  gradients = mean(generator_vjp(pixel_gradients)[0])
  scalars["generator/gradient_norm"] = networks.global_norm(gradients)
  new["generator"] = networks.apply_gradients(
    generator, gradients, mean(moved), config.generator, state
  )
  state = states.next_state(state, new, train=config.train, phases=phases)
  return state, mean(scalars)


def _train_discriminator(
  config: ml_collections.ConfigDict,
  score: _Score,
  state: interface.TrainState,
  real_images: Images,
  fake_images: Images,
  draws: Mapping[str, PyTree],
  turn: str,
  mean: Callable[[PyTree], PyTree],
) -> tuple[interface.NetworkState, interface.Scalars]:
  """The discriminator after its update, and this device's scalars."""
  old = state.networks["discriminator"]

  def objective(params: PyTree) -> tuple[jax.Array, tuple]:
    # Two batches, as batch normalisation sees them.
    real_logits, moved = score(params, old.collections, "real", real_images)
    fake_logits, moved = score(params, moved, "fake", fake_images)
    loss = gan_losses.discriminator_loss(
      config.loss, real_logits, fake_logits, step=state.step, draws=draws
    )
    scalars = logits.scalars(config.loss.name, real_logits, fake_logits)
    scalars["discriminator/loss"] = loss
    if turn.endswith("+penalty"):
      penalty = gan_losses.penalty(
        config.loss,
        lambda images: score(params, moved, "real", images)[0],
        lambda images: score(params, moved, "fake", images)[0],
        real_images,
        fake_images,
        draws,
      )
      scalars["discriminator/penalty"] = penalty
      # One that is due every n turns counts n times.
      loss = loss + config.loss.penalty_every * penalty
    return loss, (moved, scalars)

  gradients, (moved, scalars) = jax.grad(objective, has_aux=True)(old.params)
  gradients = mean(gradients)
  scalars["discriminator/gradient_norm"] = networks.global_norm(gradients)
  new = networks.apply_gradients(
    old, gradients, mean(moved), config.discriminator, state
  )
  if config.loss.weight_clip:
    bound, frozen = config.loss.weight_clip, config.discriminator.frozen
    clipped = {
      name: jax.tree.map(lambda x: x.clip(-bound, bound), layer)
      for name, layer in new.params.items()
      if name not in frozen
    }
    new = new.replace(params=new.params | clipped)
  return new, scalars
