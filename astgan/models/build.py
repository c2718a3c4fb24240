"""The networks that a config names."""

import flax.linen as nn
import jax.numpy as jnp
import ml_collections

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
