"""The two networks of system `fewshot`, as `config.model` describes them."""

from typing import NamedTuple

import flax.linen as nn
import jax.numpy as jnp
import ml_collections

from astgan import checks
from astgan.models import fastgan, patches


class Modules(NamedTuple):
  """Latents to images, and what is seen of images to grids of logits."""

  generator: nn.Module
  discriminator: nn.Module


def build(
  config: ml_collections.ConfigDict, *, axis_name: str | None = None
) -> Modules:
  """The networks of a config that was checked.

  Args:
    config: the whole config.
    axis_name: the mapped axis of the devices; statistics of batch
      normalisation are shared over it where `model.batch_norm` says so. None
      outside a mapped update.
  """
  model = config.model
  shared = {
    "size": config.data.size,
    "dtype": jnp.dtype(model.dtype),
    "axis_name": axis_name if model.batch_norm == "synchronised" else None,
  }
  return Modules(
    fastgan.Generator(width=model.width, **shared),
    patches.Heads(width=model.discriminator_width, **shared),
  )


def check(config: ml_collections.ConfigDict) -> None:
  """Raises UserError naming the first field that cannot be."""
  checks.fields(
    config,
    "model",
    *("width", "latent_dim", "discriminator_width", "sees_pixels"),
    *("batch_norm", "dtype"),
  )
  checks.one_of(config, "data.size", fastgan.SIZES)
  checks.within(config, "model.width", 4, 1024)
  checks.within(config, "model.latent_dim", 2, 65_536)
  checks.within(config, "model.discriminator_width", 1, 1024)
  checks.one_of(config, "model.batch_norm", ("synchronised", "per_device"))
  checks.one_of(config, "model.dtype", ("float32", "bfloat16"))
