"""Styles that are painted in one pass, by a trained painter."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import tqdm

from astgan.data import images
from astgan.nst import styles
from astgan.systems import painters


@dataclasses.dataclass(frozen=True)
class Painted:
  """A painter, and the styles that it is told if it knows none.

  Args:
    painter: photographs to paintings.
    direction: one of its directions.
    origin: fingerprint of the painter.
    told: the styles that it is told.
    blend: the weight of each style, however many images it has; () is 1.
    strength: of the styles, in [0, 1].
  """

  painter: painters.Painter | painters.StylePainter
  direction: str
  origin: Mapping[str, object]
  told: Sequence[styles.Files | styles.Generated] = ()
  blend: Sequence[float] = ()
  strength: float = 1.0

  def fingerprint(self) -> dict[str, object]:
    """The direction, and the fingerprints of the painter and the styles."""
    found = {"direction": self.direction, **self.origin}
    if self.told:
      found["styles"] = [style.fingerprint() for style in self.told]
    return found

  def tell(self) -> tuple[painters.Painter, images.Pixels | None]:
    """The painter that knows its style, and a contact sheet of what it is told.

    Each image of the styles is read once.
    """
    if not self.told:
      return self.painter, None
    blend = self.blend or (1.0,) * len(self.told)
    thumbnails = []
    groups = [
      painters.Group(
        weight / sum(blend),
        _shown(style, thumbnails, alone=len(self.told) == 1),
      )
      for style, weight in zip(self.told, blend, strict=True)
      if weight
    ]
    painter = self.painter.tell(groups, strength=self.strength)
    return painter, images.grid(np.stack(thumbnails), columns=8)


def _shown(
  style: styles.Files | styles.Generated,
  thumbnails: list[images.Pixels],
  *,
  alone: bool,
) -> Iterator[styles.Image]:
  """The images of a style, of which the first become thumbnails as well."""
  for image in tqdm.tqdm(style, desc="style", unit="image"):
    if len(thumbnails) < styles.MAX_SHOWN:
      thumbnails.append(style.thumbnail(image, alone=alone))
    yield style.shown(image)
