"""Trained painters, as every task uses them: photographs in, paintings out.

Unlike a generator a painter draws nothing by itself. Some know their style,
others are told one, and then are painters of the first kind.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, PyTree

# In [0, 1].
Pixels = Float[np.ndarray, "_ _ 3"]


@runtime_checkable
class Painter(Protocol):
  """What knows its style, and paints photographs of any size and aspect.

  Attributes:
    params: by direction, the domain that it leads to; the first is the usual
      one.
  """

  params: dict[str, PyTree]

  @property
  def directions(self) -> tuple[str, ...]:
    """The domains that it paints."""

  @property
  def smallest(self) -> int:
    """The shortest side that it paints, in pixels."""

  def paint(self, pixels: Pixels, direction: str, *, tile: int = 0) -> Pixels:
    """The photograph, painted in one pass, both in [0, 1].

    Args:
      pixels: of any size from `smallest`.
      direction: one of `directions`.
      tile: side of a square with as many pixels as are painted at a time;
        0 is the whole photograph where memory allows, else 512.
    """


class Group(NamedTuple):
  """Images that are one style.

  Attributes:
    weight: share of the style among all that are told together.
    images: in [0, 1], of any shapes, read once.
  """

  weight: float
  images: Iterable[Pixels]


@runtime_checkable
class StylePainter(Protocol):
  """What is told a style before it paints; attributes as of `Painter`."""

  params: dict[str, PyTree]

  @property
  def directions(self) -> tuple[str, ...]:
    """The domains that it paints."""

  @property
  def smallest(self) -> int:
    """The shortest side that it paints, in pixels."""

  def tell(self, groups: Sequence[Group], *, strength: float) -> Painter:
    """The painter of one style, or of several at once.

    Args:
      groups: at least one; their weights sum to 1.
      strength: of the style, in [0, 1]; 0 leaves the photograph as it is, up to
        what the networks lose of it.

    Raises:
      UserError: the weights of a frozen network cannot be fetched.
    """
