"""What the runs of a sweep came to, read from their folders."""

import collections
import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from astgan import writer
from astgan.sweep import plan


class Result(NamedTuple):
  """One training, or one painting of a run.

  Attributes:
    run: as it was planned.
    ended: done, failed, stopped, or waiting.
    seconds: that the run took in all.
    curves: points (step, value) by scalar.
    photograph: the stem of what was painted; "" of a training.
  """

  run: plan.Run
  ended: str
  seconds: float
  curves: dict[str, list[tuple[int, float]]]
  photograph: str = ""

  def end(self, name: str) -> float:
    """Where a curve ends: NaN where there is none.

    That of a painting ends with its last value. A training is noisy, and its
    curve ends with the mean of the last tenth.
    """
    values = [value for _, value in self.curves.get(name, [])]
    last = 1 if self.photograph else max(1, len(values) // 10)
    return float(np.mean(values[-last:])) if values else math.nan


def collect(
  planned: Sequence[plan.Run], outcomes: Mapping[str, Mapping]
) -> list[Result]:
  """What the folders of the runs hold, in the order of the plan."""
  results = []
  for run in planned:
    subjects = collections.defaultdict(lambda: collections.defaultdict(list))
    for line in writer.read(run.workdir):
      curves = subjects[line.get("photograph", "")]
      for name, value in line.items():
        if name != "step" and isinstance(value, int | float):
          curves[name].append((line["step"], value))
    outcome = outcomes.get(run.workdir.name, {"ended": "waiting", "seconds": 0})
    for photograph, curves in (subjects or {"": {}}).items():
      ended, seconds = outcome["ended"], outcome["seconds"]
      results.append(Result(run, ended, seconds, dict(curves), photograph))
  return results


def by_setting(results: Sequence[Result]) -> dict[str, list[Result]]:
  """The results of each setting, in the order of the plan."""
  groups = collections.defaultdict(list)
  for result in results:
    groups[result.run.setting].append(result)
  return groups


def mean(group: Sequence[Result], name: str) -> float:
  """The mean end of a curve, over the results that have it; else NaN."""
  found = [result.end(name) for result in group if result.curves.get(name)]
  return float(np.mean(found)) if found else math.nan
