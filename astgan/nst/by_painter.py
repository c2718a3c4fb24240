"""Painting in one pass of a trained painter, as the task `paint` calls it."""

from collections.abc import Iterable

import jax

from astgan import writer
from astgan.nst import painted, photographs, styles


class OnePass:
  """Photographs painted in one pass, by a trained painter.

  Args:
    style: the painter.
    tile: `paint.tile`.

  Attributes:
    contact_sheet: the first images of the styles that it was told, if any.

  Raises:
    UserError: the weights of a frozen network cannot be had.
  """

  def __init__(self, style: painted.Painted, *, tile: int):
    self._direction, self._tile = style.direction, tile
    self._painter, self.contact_sheet = style.tell()

  def resume(self, stopped: Iterable[photographs.Photograph]) -> dict[str, int]:
    """Nothing: one pass leaves nothing unfinished."""
    del stopped
    return {}

  def paint(
    self,
    key: jax.Array,
    photograph: photographs.Photograph,
    log: writer.Writer,
    signals: list[str],
  ) -> styles.Image | None:
    """The painting, in [0, 1]; None where a signal came."""
    del key, log
    if signals:
      return None
    return self._painter.paint(
      photograph.colour, self._direction, tile=self._tile
    )
