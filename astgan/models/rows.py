"""Maps of images that reach only so far, in strips of rows."""

from collections.abc import Callable, Iterator
from fractions import Fraction

import numpy as np
from jaxtyping import Array, Float

# Pixels of a part, at most; a row may have more.
_PIXELS = 2**14

Host = Float[np.ndarray, "1 _ _ _"]


def apply(
  function: Callable[[slice], Float[Array | np.ndarray, "1 _ _ _"]],
  height: int,
  *,
  rows: int,
  margin: int,
  scale: Fraction,
) -> Host:
  """What the function makes of all rows, of which it sees a strip at a time.

  Each strip has a margin of the rows beside it, whose outputs are cut off, and
  at the border of the image whatever padding the function has.

  Args:
    function: of any slice of rows that `rows` and `margin` give.
    height: rows of the image.
    rows: of a strip.
    margin: rows that an output depends on beyond its own, at least. Like `rows`
      it has whole outputs.
    scale: rows that come out for each that goes in.
  """
  whole = None
  for own in split(height, rows):
    seen = widen(own, height, margin)
    part = np.asarray(function(seen))
    first = int((own.start - seen.start) * scale)
    count = int((own.stop - own.start) * scale)
    part = part[:, first : first + count]
    if own == slice(0, height):
      return part
    if whole is None:
      shape = (1, int(height * scale), *part.shape[2:])
      whole = np.empty(shape, part.dtype)
    first = int(own.start * scale)
    whole[:, first : first + count] = part
  return whole


def split(height: int, rows: int) -> Iterator[slice]:
  """Strips of so many rows; the last may have fewer."""
  for top in range(0, height, rows):
    yield slice(top, min(top + rows, height))


def parts(image: Host) -> list[Host]:
  """All rows in parts of a size that depends on nothing but their width.

  So sums over them are rounded in the same way, whatever strips an image is
  painted in.
  """
  _, height, width, _ = image.shape
  rows = max(_PIXELS // width, 1)
  return [image[:, own] for own in split(height, rows)]


def widen(own: slice, height: int, margin: int) -> slice:
  """The rows with a margin, as far as the image goes."""
  return slice(max(0, own.start - margin), min(height, own.stop + margin))
