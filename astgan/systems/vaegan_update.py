"""The update of system `vaegan`: what one batch changes."""

import functools
from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
import ml_collections
from jaxtyping import PyTree

from astgan.arrays import Images, Latents
from astgan.systems import interface, networks, states, vaegan_gradients


def update(
  config: ml_collections.ConfigDict,
  modules: vaegan_gradients.Modules,
  state: interface.TrainState,
  real_images: Images,
  draws: Mapping[str, Latents],
  *,
  mean: Callable[[PyTree], PyTree],
) -> tuple[interface.TrainState, interface.Scalars]:
  """The state after one update of all three networks, and its scalars.

  Args:
    config: the whole config.
    modules: the networks.
    state: before the update.
    real_images: in [-1, 1], this device's share.
    draws: from `VAEGAN.draw`.
    mean: over the devices.
  """
  gradients, moved, scalars = mean(
    vaegan_gradients.differentiate(
      modules,
      state.networks,
      real_images,
      draws,
      gamma=config.loss.reconstruction_weight,
    )
  )
  for name, tree in gradients.items():
    scalars[f"{name}/gradient_norm"] = networks.global_norm(tree)
  new = {
    name: networks.apply_gradients(
      network, gradients[name], moved[name], config[name], state
    )
    for name, network in state.networks.items()
  }
  if config.loss.margin:
    trained = gate(config.loss, scalars)
    for name, is_trained in trained.items():
      idle = state.networks[name].replace(collections=moved[name])
      new[name] = jax.tree.map(
        functools.partial(jnp.where, is_trained), new[name], idle
      )
      scalars[f"{name}/trained"] = is_trained.astype(jnp.float32)
  state = states.next_state(state, new, train=config.train)
  return state, scalars


def gate(
  loss: ml_collections.ConfigDict, scalars: interface.Scalars
) -> dict[str, jax.Array]:
  """Whether the decoder and the discriminator are trained.

  The discriminator is not where its loss on real or on generated images is
  below the equilibrium by more than the margin, the decoder not where one of
  them is above it by more; where neither would be, both are.

  References: the code of Larsen et al., 2016.
  """
  real, fake = (scalars[f"discriminator/{x}_loss"] for x in ("real", "fake"))
  low, high = loss.equilibrium - loss.margin, loss.equilibrium + loss.margin
  discriminator = (real >= low) & (fake >= low)
  decoder = (real <= high) & (fake <= high)
  neither = ~(discriminator | decoder)
  return {
    "decoder": decoder | neither,
    "discriminator": discriminator | neither,
  }
