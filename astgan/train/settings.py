"""The training that a config asks for, checked before anything is read."""

import math

import jax
import ml_collections

from astgan import checks, errors

_CHOICES = {
  "data.size": (32, 64, 128),
  "data.crop": ("centre", "random"),
  "model.name": ("dcgan",),
  "model.batch_norm": ("synchronised", "per_device"),
  "model.dtype": ("float32", "bfloat16"),
}
_COUNTS = (
  "data.count",
  "model.width",
  "model.latent",
  "train.steps",
  "train.log_every",
  "train.sample_every",
  "train.save_every",
  "train.keep",
  "train.samples",
)


def check(config: ml_collections.ConfigDict) -> None:
  """Raises UserError naming the first field that cannot be."""
  for name, choices in _CHOICES.items():
    checks.one_of(config, name, choices)
  for name in _COUNTS:
    checks.within(config, name, 1)
  checks.within(config, "model.slope", 0, 1)
  checks.within(config, "train.learning_rate", 0, open_low=True)
  checks.within(config, "train.beta1", 0, 1, open_high=True)
  checks.within(config, "train.ema", 0, 1, open_high=True)
  checks.within(config, "train.late_step", 0)
  for name in ("train.real_label", "train.real_label_late"):
    checks.within(config, name, 0, 1, open_low=True)
  _check_batch(config)
  _check_steps_per_call(config)


def _check_batch(config: ml_collections.ConfigDict) -> None:
  devices = jax.local_device_count()
  # Batch normalisation needs two examples on each device.
  checks.within(config, "train.batch_size", 2 * devices)
  if config.train.batch_size % devices:
    raise errors.UserError(
      f"config.train.batch_size={config.train.batch_size} does not divide over"
      f" {devices} devices; make it a multiple of {devices}"
    )


def _check_steps_per_call(config: ml_collections.ConfigDict) -> None:
  count = config.train.steps_per_call
  period = math.gcd(config.train.sample_every, config.train.save_every)
  checks.within(config, "train.steps_per_call", 0)
  if count and period % count:
    raise errors.UserError(
      f"config.train.steps_per_call={count} does not divide"
      " train.sample_every and train.save_every; choose 0, or a divisor of"
      f" {period}"
    )
