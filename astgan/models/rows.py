"""Maps of images that reach only so far, in strips of rows."""

from collections.abc import Callable
from fractions import Fraction

import numpy as np
from jaxtyping import Float

Host = Float[np.ndarray, "1 _ _ _"]


def apply(
  function: Callable[[Host], Float[np.ndarray, "..."]],
  inputs: Host,
  *,
  rows: int,
  margin: int,
  scale: Fraction,
) -> Host:
  """`function(inputs)`, of which a strip at a time is computed.

  Each strip has a margin of the rows beside it, whose outputs are cut off, and
  at the border of the image whatever padding the function has.

  Args:
    function: of arrays with any number of rows that `rows` and `margin` give.
    inputs: [1 h w c].
    rows: of a strip.
    margin: rows that an output depends on beyond its own, at least. Like `rows`
      it has whole outputs.
    scale: rows that come out for each that goes in.
  """
  height, parts = inputs.shape[1], []
  for top in range(0, height, rows):
    bottom = min(top + rows, height)
    start, end = max(0, top - margin), min(height, bottom + margin)
    part = np.asarray(function(inputs[:, start:end]))
    first = int((top - start) * scale)
    parts.append(part[:, first : first + int((bottom - top) * scale)])
  return np.concatenate(parts, axis=1)
