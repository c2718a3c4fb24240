"""How a discriminator of system `fewshot` learns, and teaches the generator."""

from collections.abc import Callable, Mapping

import flax.linen as nn
import jax
import jax.numpy as jnp
import ml_collections
from jaxtyping import PyTree

from astgan.features import vgg
from astgan.systems import gan_losses, interface, logits, networks


def teach(
  config: ml_collections.ConfigDict,
  module: nn.Module,
  state: interface.TrainState,
  name: str,
  real_inputs: vgg.Layers,
  fake_inputs: vgg.Layers,
  *,
  mean: Callable[[PyTree], PyTree],
) -> tuple[interface.NetworkState, interface.Scalars]:
  """The discriminator of that name after an update, and its scalars.

  Args:
    config: the whole config.
    module: the discriminator.
    state: before the update.
    name: of the discriminator.
    real_inputs, fake_inputs: what its heads are given.
    mean: over the devices.
  """
  network = state.networks[name]

  def objective(params: PyTree) -> tuple[jax.Array, tuple]:
    # Two batches, as batch normalisation sees them.
    real_logits, changed = networks.apply(
      module, params, network.collections, real_inputs
    )
    fake_logits, changed = networks.apply(module, params, changed, fake_inputs)
    loss = sum(
      jnp.mean(
        gan_losses.LOSSES[config.loss.name].discriminator(
          real_logits[head].reshape(-1), fake_logits[head].reshape(-1)
        )
      )
      for head in real_logits
    )
    scalars = _scalars(config, name, real_logits, fake_logits)
    return loss, (changed, scalars | {f"{name}/loss": loss})

  gradients, (changed, scalars) = jax.grad(objective, has_aux=True)(
    network.params
  )
  gradients = mean(gradients)
  scalars[f"{name}/gradient_norm"] = networks.global_norm(gradients)
  network = networks.apply_gradients(
    network, gradients, mean(changed), config.discriminator, state
  )
  return network, scalars


def generator_loss(
  config: ml_collections.ConfigDict,
  module: nn.Module,
  network: interface.NetworkState,
  real_inputs: vgg.Layers,
  fake_inputs: vgg.Layers,
) -> jax.Array:
  """What the generator loses by that discriminator, summed over its heads.

  Args: as for `teach`, `network` the discriminator's state.
  """

  def score(inputs: vgg.Layers) -> dict[str, jax.Array]:
    critic = (network.params, network.collections)
    return networks.apply(module, *critic, inputs)[0]

  return sum(
    gan_losses.generator_loss(
      config.loss,
      lambda head=head: score(real_inputs)[head].reshape(-1),
      fake_logits.reshape(-1),
    )
    for head, fake_logits in score(fake_inputs).items()
  )


def _scalars(
  config: ml_collections.ConfigDict,
  name: str,
  real_logits: Mapping[str, jax.Array],
  fake_logits: Mapping[str, jax.Array],
) -> interface.Scalars:
  real, fake = (
    jnp.concatenate([head.reshape(-1) for head in heads.values()])
    for heads in (real_logits, fake_logits)
  )
  scalars = logits.scalars(config.loss.name, real, fake, network=name)
  boundary = gan_losses.LOSSES[config.loss.name].boundary
  if boundary is None:
    return scalars
  # What adapts the augmentation: 0 for a discriminator that cannot tell, 1 for
  # one that knows every image it was trained on.
  sign = jnp.mean(jnp.sign(real - boundary))
  return scalars | {f"{name}/real_sign": sign}
