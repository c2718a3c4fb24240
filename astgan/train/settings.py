"""What every training needs of its config, checked before anything is read."""

import math

import jax
import ml_collections

from astgan import checks, errors, history
from astgan.features import extractors
from astgan.metrics import panel
from astgan.systems import interface
from astgan.train import evaluation, failures

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
    *("source", "size", "count", "crop", "zoom", "flip", "hold_out"),
    *("cache", *system.sources[1:]),
  )
  checks.fields(
    config,
    "train",
    *("steps", "batch_size", "start_from", "ema_decay", "ema_half_life"),
    *("steps_per_call", "log_every", "sample_every", "save_every"),
    *("evaluate_every", "max_to_keep", "num_samples"),
    *("on_failure", "roll_back_factor", "max_roll_backs"),
  )
  checks.one_of(config, "data.crop", ("centre", "random"))
  checks.within(config, "data.zoom", 1, 16)
  checks.filled(config, "data.cache")
  for name, largest in _COUNTS.items():
    checks.within(config, name, 1, largest)
  checks.within(config, "data.hold_out", 0, 1, open_high=True)
  checks.within(config, "train.ema_decay", 0, 1, open_high=True)
  checks.within(config, "train.ema_half_life", 0)
  if config.train.ema_decay and config.train.ema_half_life:
    raise errors.UserError(
      "config.train.ema_decay and config.train.ema_half_life both set the"
      " moving average; set one of them to 0"
    )
  checks.one_of(config, "train.on_failure", failures.POLICIES)
  checks.within(config, "train.roll_back_factor", 0, 1, open_low=True)
  checks.within(config, "train.max_roll_backs", 0)
  checks.within(config, "train.evaluate_every", 0)
  _check_frozen(config, system)
  _check_augment(config)
  _check_evaluation(config)
  _check_detectors(config)
  _check_batches(config, system)
  _check_steps_per_call(config)


def _check_frozen(
  config: ml_collections.ConfigDict, system: interface.System
) -> None:
  """All layers that a section freezes are those of its networks."""
  sections = [
    name
    for name, section in config.items()
    if isinstance(section, ml_collections.ConfigDict) and section.get("frozen")
  ]
  if not sections:
    return
  state = jax.eval_shape(system.init, jax.random.key(config.seed))
  for name in sections:
    layers = [
      layer
      for network, variables in state.networks.items()
      if _is_of(network, name, system)
      for layer in variables.params
    ]
    unknown = set(config[name].frozen) - set(layers)
    if layers and unknown:
      raise errors.UserError(
        f"config.{name}.frozen: the network has no layer"
        f" {min(unknown, key=str)!r}; it has {', '.join(dict.fromkeys(layers))}"
      )


def _is_of(network: str, section: str, system: interface.System) -> bool:
  """Names of networks end in their section's, if the system says no other."""
  if hasattr(system, "section_of"):
    return system.section_of(network) == section
  return network.endswith(section)


def _check_augment(config: ml_collections.ConfigDict) -> None:
  """Here and not in the systems, so that finished runs can be painted with."""
  augment = config.get("diff_augment", {})
  if augment.get("target") and not augment.policy:
    raise errors.UserError(
      f"config.diff_augment.target={augment.target} adapts how many images"
      " config.diff_augment.policy changes, which is empty; set the one to 0,"
      " or the other to ('translation', 'cutout')"
    )


def _check_evaluation(config: ml_collections.ConfigDict) -> None:
  checks.fields(
    config,
    "evaluate",
    *("nets", "metrics", "count", "subset_size", "subsets", "best_metric"),
  )
  checks.subset_of(config, "evaluate.metrics", panel.METRICS)
  checks.subset_of(config, "evaluate.nets", extractors.names())
  evaluation.check(config)
  checks.within(config, "evaluate.count", panel.FEWEST)
  checks.within(config, "evaluate.subset_size", 0)
  checks.within(config, "evaluate.subsets", 1, 10_000)
  metric = config.evaluate.best_metric
  if not metric.startswith(history.RANKED):
    raise errors.UserError(
      f"config.evaluate.best_metric={metric}: no better and worse of it is"
      f" known; it begins with one of {', '.join(history.RANKED)}"
    )


def _check_detectors(config: ml_collections.ConfigDict) -> None:
  factors = ("loss_factor", "metric_factor")
  limits = ("logit_margin", "logit_gap", "gradient_norm", *factors)
  shares = ("diversity", "authenticity")
  checks.fields(
    config, "detectors", "patience", "evaluations", *limits, *shares
  )
  checks.within(config, "detectors.patience", 0)
  checks.within(config, "detectors.evaluations", 1)
  for name in limits:
    checks.within(config, f"detectors.{name}", 0)
  for name in shares:
    checks.within(config, f"detectors.{name}", 0, 1)


def _check_batches(
  config: ml_collections.ConfigDict, system: interface.System
) -> None:
  devices = jax.device_count()
  fewest = system.fewest_examples * devices
  checks.within(config, "train.batch_size", fewest)
  for phase in system.phases:
    size, field = phase.batch_size, "train.batch_size"
    if size != config.train.batch_size:
      field = "growth.batch_sizes"
    if size < fewest:
      raise errors.UserError(
        f"config.{field}: a batch of {size} is too small for {devices} devices;"
        f" make it at least {fewest}"
      )
    if size % devices:
      raise errors.UserError(
        f"config.{field}: a batch of {size} does not divide over {devices}"
        f" devices; make it a multiple of {devices}"
      )


def _check_steps_per_call(config: ml_collections.ConfigDict) -> None:
  count = config.train.steps_per_call
  train = config.train
  # gcd(n, 0) is n: a period that is off.
  period = math.gcd(train.sample_every, train.save_every, train.evaluate_every)
  checks.within(config, "train.steps_per_call", 0, 10_000)
  if count and period % count:
    raise errors.UserError(
      f"config.train.steps_per_call={count} does not divide"
      " train.sample_every, train.save_every and train.evaluate_every; choose"
      " 0, or a divisor of"
      f" {period}"
    )
