"""Numbers about a state that are too slow to compute at every step."""

from collections.abc import Callable
from typing import NamedTuple

from astgan.systems import interface


class Evaluator(NamedTuple):
  """What the loop calls each period.

  Attributes:
    every: the period, in completed steps; the last step is always evaluated.
    evaluate: a state to scalars by path, which stand in metrics.jsonl.
  """

  every: int
  evaluate: Callable[[interface.TrainState], dict[str, float]]
