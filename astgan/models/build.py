"""The networks that a config names."""

from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp
import ml_collections
from jaxtyping import PyTree

from astgan.arrays import Images, Latents
from astgan.models import dcgan


def build(
  config: ml_collections.ConfigDict, *, axis_name: str | None = None
) -> tuple[nn.Module, nn.Module]:
  """Generator and discriminator of the config's `model` and `data.size`.

  Args:
    config: the whole config.
    axis_name: the mapped axis of the devices; statistics of batch
      normalisation are shared over it where `model.batch_norm` says so. None
      outside a mapped step.

  Raises:
    ValueError: the model's name is unknown.
  """
  if config.model.name != "dcgan":
    raise ValueError(f"model.name must be dcgan, got {config.model.name!r}")
  if config.model.batch_norm == "per_device":
    axis_name = None
  shared = {
    "size": config.data.size,
    "width": config.model.width,
    "axis_name": axis_name,
    "dtype": jnp.dtype(config.model.dtype),
  }
  return (
    dcgan.Generator(**shared),
    dcgan.Discriminator(**shared, slope=config.model.slope),
  )


def sampler(
  config: ml_collections.ConfigDict,
) -> Callable[[PyTree, Latents], Images]:
  """`sample(variables, latents)`: images in [-1, 1] of a trained generator.

  Batches are normalised by the running statistics, so that a latent's image
  does not depend on its neighbours.

  Args:
    config: the training's config.
  """
  generator, _ = build(config)

  @jax.jit
  def sample(variables: PyTree, latents: Latents) -> Images:
    return generator.apply(variables, latents, train=False)

  return sample
