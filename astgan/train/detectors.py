"""Which signs of failure a training shows.

A rule takes the history of a run and the section `detectors` of its config,
and returns the reason in words, or None. A rule whose scalars a system does not
report never holds; a threshold of 0 is off. Rules over scalars look at every
network that reports them: every discriminator is watched, whatever its name.

A value that is not finite needs no rule: the loop looks at all scalars that it
reads, and at every state before it is saved.
"""

import math
from collections.abc import Sequence

import ml_collections

from astgan import history
from astgan.train import metric_rules, scalar_rules

_OF_METRICS = ("low_diversity", "memorisation", "past_best")


def detect(
  seen: history.History, limits: ml_collections.ConfigDict, *, metric: str
) -> dict[str, str]:
  """The reasons of all rules that hold, by the name of the rule.

  Args:
    seen: all lines so far.
    limits: the section `detectors` of the config.
    metric: that of `past_best`.
  """
  reasons = {}
  for name in seen.points:
    network, _, scalar = name.rpartition("/")
    rules = scalar_rules.OF_NETWORKS.get(scalar, {}) if network else {}
    for rule, holds in rules.items():
      reasons[rule.format(network)] = holds(seen, limits, network)
  reasons["low_diversity"] = metric_rules.low_diversity(seen, limits)
  reasons["memorisation"] = metric_rules.memorisation(seen, limits)
  reasons["past_best"] = metric_rules.past_best(seen, limits, metric)
  return {name: reason for name, reason in reasons.items() if reason}


def last_healthy(
  rule: str,
  seen: history.History,
  limits: ml_collections.ConfigDict,
  *,
  step: int,
  metric: str,
) -> int:
  """The last step before those by which a rule holds at `step`."""
  if rule not in _OF_METRICS:
    return step - limits.patience
  points = seen.named(metric)[-limits.evaluations :]
  return points[0][0] - 1 if points else step


def unwatched(
  config: ml_collections.ConfigDict, metrics: Sequence[str]
) -> list[str]:
  """What no rule can notice in a run of this config, a sentence each.

  What is switched off is not told.

  Args:
    config: a training config.
    metrics: names of all that are measured; none where nothing is evaluated.
  """
  train, limits, said = config.train, config.detectors, []
  lines = limits.patience // train.log_every
  if limits.patience and lines < scalar_rules.FEWEST:
    said.append(
      f"config.train.log_every={train.log_every}: the losses are not watched,"
      f" which takes {scalar_rules.FEWEST} lines in detectors.patience="
      f"{limits.patience} updates"
    )
  if not metrics:
    return said
  count = math.ceil(train.steps / train.evaluate_every)
  if count < limits.evaluations:
    said.append(
      f"config.train.evaluate_every={train.evaluate_every}: the metrics are not"
      f" watched, which takes detectors.evaluations={limits.evaluations} of"
      f" them; this run has {count}"
    )
    return said
  for needed, limit, failure in (
    (("diversity",), limits.diversity, "collapsed diversity"),
    (("authenticity", "diversity"), limits.authenticity, "memorisation"),
  ):
    missing = [
      x for x in needed if not any(history.is_metric(m, x) for m in metrics)
    ]
    if limit and missing:
      said.append(
        f"config.evaluate: {failure} is not noticed, which takes"
        f" {' and '.join(missing)} in metrics, and a network in nets"
      )
  return said
