"""What system `cyclegan` shows: translations there and back, and logits."""

from collections.abc import Mapping

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from astgan.arrays import Images
from astgan.systems import interface, logits, translated
from astgan.systems.cyclegan_update import OTHER

Sheet = Float[Array, "b height width c"]

# Of each domain, what the sheet of its translations is called.
_NAMES = {"painting": "painted", "photograph": "photographed"}


def draw(
  painter: translated.Painter, batch: Mapping[str, Images]
) -> dict[str, Sheet]:
  """Images of the other domain, their translations, and these back."""
  sheets = {}
  for domain, name in _NAMES.items():
    other = OTHER[domain]
    real_images = batch[f"{other}s"]
    there = painter.translate(real_images, domain)
    back = painter.translate(there, other)
    sheets[name] = jnp.concatenate([real_images, there, back], axis=2)
  return sheets


def histograms(
  module: nn.Module,
  networks: Mapping[str, interface.NetworkState],
  sheets: Mapping[str, Sheet],
  batch: Mapping[str, Images],
) -> dict[str, Array]:
  """The logits of both discriminators, of real images and of translations."""
  found = {}
  for domain, sheet in _NAMES.items():
    _, fake_images, _ = jnp.split(sheets[sheet], 3, axis=2)
    name = f"{domain}_discriminator"
    inputs = {"real": batch[f"{domain}s"], "fake": fake_images}
    found |= logits.histograms(module, networks[name], inputs, network=name)
  return found
