"""Metrics of what a training draws, each period."""

import logging
from collections.abc import Callable
from typing import NamedTuple

import jax
import ml_collections

from astgan import errors, history
from astgan.data import compared
from astgan.features import extractors
from astgan.metrics import panel
from astgan.systems import interface
from astgan.train import evaluators, sources

logger = logging.getLogger(__name__)

# Folded into the run's seed: the latents of the images that are measured.
_LATENTS = 2**31 - 3


class Evaluation(NamedTuple):
  """An evaluator, and what the loop writes once.

  Attributes:
    evaluator: states to metrics by name.
    floor: the metrics of training images against the held-out ones, by
      `floor/NAME`; empty where none are held out.
    names: of all metrics.
  """

  evaluator: evaluators.Evaluator
  floor: dict[str, float]
  names: tuple[str, ...]


def check(config: ml_collections.ConfigDict) -> None:
  """Raises UserError for a network that a training cannot measure with."""
  if "inception" in config.evaluate.nets:
    raise errors.UserError(
      "config.evaluate.nets: a training measures without inception, whose"
      " weights are a file; the task evaluate does it afterwards, with"
      " --config=configs/evaluate.py and evaluate.inception"
    )


def make(
  config: ml_collections.ConfigDict,
  system: interface.System,
  found: sources.Sources,
) -> Evaluation | None:
  """The evaluation that the config asks for, None where there is none.

  The same latents are drawn at every evaluation, by a key that no update uses,
  so that a run is the same with and without.

  Args:
    config: a training config.
    system: whose generator is evaluated.
    found: its images; those of the first source are compared.

  Raises:
    UserError: a network, a metric or a count that cannot be.
  """
  if not config.train.evaluate_every:
    return None
  if interface.ask_sampler(system, interface.kind) != "generator":
    logger.warning(
      "config.train.evaluate_every: this system draws no images from latents,"
      " so its training is not evaluated"
    )
    return None
  section, first = config.evaluate, system.sources[0]
  training, unseen = (
    compared.windows(found.images[first], indices, config.data.size)
    for indices in found.sides[first]
  )
  measures = panel.Panel(
    training,
    unseen,
    nets=[extractors.load(name) for name in section.nets],
    metrics=section.metrics,
    count=section.count,
    subset_size=section.subset_size,
    subsets=section.subsets,
    seen_nets=getattr(system, "feature_nets", ()),
    seed=config.seed,
  )
  floor = measures.floor()
  names = tuple(floor or measures.measure(training))
  named = [n for n in names if history.is_metric(n, section.best_metric)]
  if len(named) != 1:
    raise errors.UserError(
      f"config.evaluate.best_metric={section.best_metric} is the name of one"
      f" metric or its first words; there are {', '.join(names)}"
    )
  return Evaluation(
    evaluators.Evaluator(
      config.train.evaluate_every, _evaluate(system, measures, config.seed)
    ),
    {f"floor/{name}": value for name, value in floor.items()},
    names,
  )


def _evaluate(
  system: interface.System, measures: panel.Panel, seed: int
) -> Callable[[interface.TrainState], dict[str, float]]:
  key = jax.random.fold_in(jax.random.key(seed), _LATENTS)

  def evaluate(state: interface.TrainState) -> dict[str, float]:
    drawn = system.sampler(state).sample_bytes(key, measures.count)
    return measures.measure(drawn)

  return evaluate
