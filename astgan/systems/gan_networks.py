"""The two networks of system `gan`, as `config.model` names them."""

import ml_collections

from astgan import checks, errors
from astgan.models import dcgan, resnet
from astgan.systems import gan_losses, networks

NAMES = ("dcgan", "resnet")
SIZES = (32, 64, 128, 256)


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
  shared["width"] = model.width
  generator = shared | {
    "spectral_norm": model.spectral_norm in ("generator", "both")
  }
  discriminator = shared | {
    "norm": model.discriminator_norm,
    "spectral_norm": model.spectral_norm in ("discriminator", "both"),
  }
  if model.name == "resnet":
    return networks.Pair(
      resnet.Generator(**generator), resnet.Discriminator(**discriminator)
    )
  return networks.Pair(
    dcgan.Generator(**generator, upsample=model.upsample),
    dcgan.Discriminator(
      **discriminator, leaky_relu_slope=model.leaky_relu_slope
    ),
  )


def check(config: ml_collections.ConfigDict) -> None:
  """Raises UserError naming the first field that cannot be."""
  checks.fields(
    config,
    "model",
    *("name", "width", "latent_dim", "upsample", "leaky_relu_slope"),
    *("discriminator_norm", "spectral_norm", "batch_norm", "dtype"),
  )
  checks.one_of(config, "data.size", SIZES)
  checks.one_of(config, "model.name", NAMES)
  checks.within(config, "model.width", 1, 4096)
  checks.within(config, "model.latent_dim", 1, 65_536)
  checks.one_of(config, "model.upsample", ("transposed", "nearest", "bilinear"))
  checks.within(config, "model.leaky_relu_slope", 0, 1)
  checks.one_of(config, "model.discriminator_norm", ("batch", "layer", "none"))
  checks.one_of(
    config,
    "model.spectral_norm",
    ("none", "generator", "discriminator", "both"),
  )
  checks.one_of(config, "model.batch_norm", ("synchronised", "per_device"))
  checks.one_of(config, "model.dtype", ("float32", "bfloat16"))
  if config.model.name == "resnet" and config.model.upsample != "nearest":
    raise errors.UserError(
      "config.model.name=resnet doubles by nearest neighbours; set"
      " config.model.upsample=nearest"
    )


def check_losses(config: ml_collections.ConfigDict) -> None:
  """Raises UserError if the losses do not go with the networks."""
  loss, model = config.loss, config.model
  if loss.penalty != "none" and model.discriminator_norm == "batch":
    raise errors.UserError(
      f"config.loss.penalty={loss.penalty} needs a discriminator that treats"
      " images independently; set config.model.discriminator_norm to layer or"
      " none"
    )
  spectral = model.spectral_norm in ("discriminator", "both")
  gan_losses.check_bounded(loss, is_spectral=spectral)
