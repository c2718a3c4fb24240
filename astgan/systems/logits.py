"""What the logits of a discriminator say of it: scalars and histograms."""

import functools
from collections.abc import Callable, Mapping

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from astgan.arrays import Images
from astgan.systems import gan_losses, interface, networks


def scalars(
  loss: str,
  real_logits: Float[Array, "_"],
  fake_logits: Float[Array, "_"],
  *,
  network: str = "discriminator",
) -> interface.Scalars:
  """Mean logits, and accuracies where the loss has a boundary.

  Args:
    loss: one of `gan_losses.LOSSES`.
    real_logits, fake_logits: of real and of generated images or patches.
    network: the name of the discriminator.
  """
  found = {
    f"{network}/real_logit": jnp.mean(real_logits),
    f"{network}/fake_logit": jnp.mean(fake_logits),
  }
  boundary = gan_losses.LOSSES[loss].boundary
  if boundary is None:
    return found
  is_right = {"real": real_logits > boundary, "fake": fake_logits < boundary}
  return found | {
    f"{network}/{kind}_accuracy": jnp.mean(right, dtype=jnp.float32)
    for kind, right in is_right.items()
  }


def histograms(
  module: nn.Module,
  state: interface.NetworkState,
  inputs: Mapping[str, PyTree],
  *,
  network: str = "discriminator",
) -> dict[str, Float[Array, "_"]]:
  """All logits of each batch, as an update sees them, without augmentation.

  Args:
    module: the discriminator.
    state: its parameters and collections.
    inputs: of the module, by kind: "real" and "fake".
    network: the name of the discriminator.
  """
  found = _apply(module, state.params, state.collections, dict(inputs))
  return {f"{network}/{kind}_logits": x for kind, x in found.items()}


def of_samples(
  module: nn.Module,
  state: interface.TrainState,
  sheets: Mapping[str, Images],
  batch: Mapping[str, Images],
  *,
  see: Callable[[Images], dict[str, PyTree]] = lambda x: {"discriminator": x},
) -> dict[str, Float[Array, "_"]]:
  """All logits of the real paintings and of as many samples.

  Args:
    module: the discriminator, or each of several.
    state: of the training.
    sheets, batch: as `System.histograms` is given them.
    see: of images, what each discriminator is given of them, by its name.
  """
  seen = {"real": see(batch["paintings"]), "fake": see(sheets["samples"])}
  found = {}
  for name in seen["real"]:
    inputs = {kind: x[name] for kind, x in seen.items()}
    found |= histograms(module, state.networks[name], inputs, network=name)
  return found


@functools.partial(jax.jit, static_argnums=0)
def _apply(module, params, collections, inputs):
  found = {}
  for kind, one in inputs.items():
    outputs, _ = networks.apply(module, params, collections, one)
    # Grids of patches, of several heads.
    parts = [x.reshape(-1) for x in jax.tree.leaves(outputs)]
    found[kind] = jnp.concatenate(parts)
  return found
