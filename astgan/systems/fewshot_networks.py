"""The two networks of system `fewshot`, as `config.model` describes them."""

import ml_collections

from astgan import checks
from astgan.models import fastgan, patches
from astgan.systems import networks


def build(
  config: ml_collections.ConfigDict, *, axis_name: str | None = None
) -> networks.Pair:
  """The networks of a config that was checked.

  Args:
    config: the whole config.
    axis_name: as for `networks.module_options`.
  """
  model = config.model
  shared = networks.module_options(config, axis_name=axis_name)
  return networks.Pair(
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
