"""What goes into an update of system `fewshot`.

Chance, and the pixels and features that its discriminators see.
"""

import jax
import jax.numpy as jnp
import ml_collections
from jaxtyping import PyTree

from astgan.arrays import Images
from astgan.features import vgg
from astgan.models import projection
from astgan.systems import fewshot_features, gan_turns

# Inputs of heads, by the network that they belong to and their name. Heads on
# features are a network of their own, since some updates do without.
Inputs = dict[str, vgg.Layers]


def inputs(
  config: ml_collections.ConfigDict,
  frozen: fewshot_features.Frozen,
  moments: projection.Moments,
  images: Images,
  features: vgg.Layers,
) -> Inputs:
  """Pixels and projected features.

  Args:
    config: the whole config.
    frozen: from `fewshot_features.load`.
    moments: from `fewshot_features.measure`.
    images: in [-1, 1], [b s s 3].
    features: of them; {} in an update without.
  """
  seen = {}
  if config.model.sees_pixels:
    seen["discriminator"] = {"pixels": images}
  if features:
    seen["feature_discriminator"] = projection.apply(
      frozen["projection"], moments, features
    )
  return seen


def examples(config: ml_collections.ConfigDict) -> Inputs:
  """Zeros in the shapes of `inputs`, for the initialisation."""

  def zeros(side, channels):
    return jnp.zeros((2, side, side, channels))

  size, seen = config.data.size, {}
  if config.model.sees_pixels:
    seen["discriminator"] = {"pixels": zeros(size, 3)}
  if config.features.layers:
    seen["feature_discriminator"] = {
      layer: zeros(
        size >> fewshot_features.block_of(layer) - 1,
        projection.channels_at(place),
      )
      for place, layer in enumerate(config.features.layers)
    }
  return seen


def draw(
  config: ml_collections.ConfigDict, key: jax.Array, count: int, *, size: int
) -> dict[str, PyTree]:
  """Latents, and the augmentation of real and of generated images.

  Args:
    config: the whole config.
    key: of an update on a device.
    count: of examples.
    size: side of the images in pixels.
  """
  augment = config.diff_augment
  latent_key, *keys = jax.random.split(key, 3)
  shape = (count, config.model.latent_dim)
  draws = {"latents": jax.random.normal(latent_key, shape)}
  if augment.policy:
    for kind, key in zip(("real", "fake"), keys, strict=True):
      chance_key, change_key = jax.random.split(key)
      changes = gan_turns.draw_changes(augment, change_key, count, size=size)
      draws[kind] = {
        "chance": jax.random.uniform(chance_key, (count,)),
        "changes": changes,
      }
  return draws
