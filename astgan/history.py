"""What the lines of metrics.jsonl say about a training.

All decisions of a run about itself follow from its lines, so that a run started
again decides as one that never stopped.
"""

import bisect
import collections
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

# Metrics of which more is better, and of which less is. Of the others, such as
# the slope of a spectrum, neither is.
_HIGHER = ("precision", "recall", "density", "coverage", "authenticity")
_LOWER = (*("frechet", "fid", "kernel", "kid"), "sliced_wasserstein", "colours")
RANKED = _LOWER + _HIGHER

Line = Mapping[str, object]
Points = list[tuple[int, float]]


class Best(NamedTuple):
  """The best evaluation: its step, and the metric's whole name and value."""

  step: int
  name: str
  value: float


class RollBacks(NamedTuple):
  """What all roll-backs so far come to.

  Attributes:
    count: of roll-backs.
    step: that the last one went back to.
    learning_rate_scale: factor on all learning rates since then.
    reasons: of all of them, each with the step of its failure.
  """

  count: int = 0
  step: int = 0
  learning_rate_scale: float = 1.0
  reasons: tuple[str, ...] = ()


def is_higher_better(metric: str) -> bool:
  """Whether a larger value of the metric is a better one."""
  return metric.startswith(_HIGHER)


def is_metric(name: str, metric: str) -> bool:
  """Whether `metric` names it: the whole name, or its first words.

  The last words of a name say how many images were compared: `kernel_random`
  names `kernel_random_300`, but not `kernel_random_300_std`.
  """
  rest = name.removeprefix(metric)
  is_longer = rest.startswith("_") and not rest.endswith("_std")
  return name == metric or (name.startswith(metric) and is_longer)


def best(
  lines: Iterable[Line], metric: str, steps: Collection[int]
) -> Best | None:
  """The best evaluation among those steps, the earliest of equal ones.

  Only values of one name are compared: that of the newest evaluation, where
  the networks or the number of images have changed since others.

  Args:
    lines: of metrics.jsonl.
    metric: its name or the first words of it.
    steps: that have a checkpoint.
  """
  sign = -1 if is_higher_better(metric) else 1
  found = [
    Best(line["step"], name, value)
    for line in lines
    for name, value in line.items()
    if is_metric(name, metric) and isinstance(value, float)
  ]
  return min(
    (one for one in found if one.name == found[-1].name and one.step in steps),
    key=lambda one: (sign * one.value, one.step),
    default=None,
  )


def roll_backs(lines: Iterable[Line]) -> RollBacks:
  """The roll-backs that the lines record; a line holds all before it."""
  made = RollBacks()
  for line in lines:
    if "roll_back/from" in line:
      reason = f"step {line['roll_back/from']}: {line['roll_back/reason']}"
      made = RollBacks(
        line["roll_back/count"],
        line["step"],
        line["roll_back/learning_rate_scale"],
        # Runs of earlier versions have records without the ones before.
        (*line.get("roll_back/earlier", ()), reason),
      )
  return made


def alarms(lines: Iterable[Line]) -> dict[str, list[int]]:
  """The steps at which each rule began to hold, by the name of the rule."""
  found = collections.defaultdict(list)
  for line in lines:
    if "alarm/rule" in line:
      found[line["alarm/rule"]].append(line["step"])
  return dict(found)


class History:
  """The scalars of a training by name, as the detectors see them.

  Attributes:
    points: of each name, steps and values; values that were not finite are
      left out.
    since: the step that the last roll-back went back to.
  """

  def __init__(self, lines: Iterable[Line] = ()) -> None:
    self.points: dict[str, Points] = {}
    self.since = 0
    for line in lines:
      self.append(line)

  def append(self, line: Line) -> None:
    """Adds a line."""
    step = line["step"]
    if "roll_back/from" in line:
      self.since = step
      return
    for name, value in line.items():
      if name != "step" and isinstance(value, int | float):
        self.points.setdefault(name, []).append((step, float(value)))

  def window(self, name: str, updates: int) -> list[float]:
    """The values of the last `updates` steps; [] while there are not so many.

    Steps before the last roll-back do not count.
    """
    points = self.points.get(name, [])
    if not points or points[-1][0] - updates < self.since:
      return []
    after = points[-1][0] - updates
    start = bisect.bisect_right(points, after, key=lambda point: point[0])
    return [value for _, value in points[start:]]

  def names(self, metric: str) -> list[str]:
    """The names of the newest evaluation that `metric` names, of all nets."""
    newest = {
      name: points[-1][0]
      for name, points in self.points.items()
      if is_metric(name, metric)
    }
    last = max(newest.values(), default=0)
    return [name for name, step in newest.items() if step == last]

  def named(self, metric: str) -> Points:
    """The points of the last of these names, by which `best` compares."""
    names = self.names(metric)
    return self.points[names[-1]] if names else []

  def deviations(self, metric: str) -> list[float]:
    """The standard deviations of that metric; [] if it has none."""
    names = self.names(metric)
    points = self.points.get(f"{names[-1]}_std", []) if names else []
    return [value for _, value in points]
