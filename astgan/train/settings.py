"""What every training needs of its config, checked before anything is read."""

import math

import jax
import ml_collections

from astgan import checks, errors
from astgan.systems import interface

# The largest value of each field that counts something; the smallest is 1.
_COUNTS = {
  "data.size": 4096,
  "data.count": 10_000_000,
  "train.steps": checks.LARGEST_INTEGER,
  "train.log_every": checks.LARGEST_INTEGER,
  "train.sample_every": checks.LARGEST_INTEGER,
  "train.save_every": checks.LARGEST_INTEGER,
  "train.max_to_keep": checks.LARGEST_INTEGER,
  "train.num_samples": 4096,
}


def check(config: ml_collections.ConfigDict, system: interface.System) -> None:
  """Raises UserError naming the first field that cannot be."""
  checks.fields(
    config,
    "data",
    *("source", "size", "count", "crop", "flip", "cache"),
    *system.sources[1:],
  )
  checks.fields(
    config,
    "train",
    *("steps", "batch_size", "ema_decay", "steps_per_call", "log_every"),
    *("sample_every", "save_every", "max_to_keep", "num_samples"),
  )
  checks.one_of(config, "data.crop", ("centre", "random"))
  checks.filled(config, "data.cache")
  for name, largest in _COUNTS.items():
    checks.within(config, name, 1, largest)
  checks.within(config, "train.ema_decay", 0, 1, open_high=True)
  _check_batches(config, system)
  _check_steps_per_call(config)


def _check_batches(
  config: ml_collections.ConfigDict, system: interface.System
) -> None:
  devices = jax.local_device_count()
  fewest = system.fewest_examples * devices
  checks.within(config, "train.batch_size", fewest)
  for size in {phase.batch_size for phase in system.phases}:
    if size % devices:
      raise errors.UserError(
        f"config.train.batch_size: a batch of {size} does not divide over"
        f" {devices} devices; make it a multiple of {devices}"
      )


def _check_steps_per_call(config: ml_collections.ConfigDict) -> None:
  count = config.train.steps_per_call
  period = math.gcd(config.train.sample_every, config.train.save_every)
  checks.within(config, "train.steps_per_call", 0, 10_000)
  if count and period % count:
    raise errors.UserError(
      f"config.train.steps_per_call={count} does not divide"
      " train.sample_every and train.save_every; choose 0, or a divisor of"
      f" {period}"
    )
