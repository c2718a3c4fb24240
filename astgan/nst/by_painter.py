"""Painting in one pass of a trained painter, as the task `paint` calls it."""

import jax

from astgan import writer
from astgan.nst import painted, photographs, spread, styles


class OnePass:
  """Photographs painted in one pass, by a trained painter.

  Args:
    style: the painter.
    tile: `paint.tile`.

  Attributes:
    contact_sheet: the first images of the styles that it was told, if any.
    steps: one.

  Raises:
    UserError: the weights of a frozen network cannot be found or fetched.
  """

  steps = 1

  def __init__(self, style: painted.Painted, *, tile: int):
    self._direction, self._tile = style.direction, tile
    painter, self.contact_sheet = style.tell()
    self._copies = spread.Copies(painter)

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
    return self._copies.here().paint(
      photograph.colour, self._direction, tile=self._tile
    )
