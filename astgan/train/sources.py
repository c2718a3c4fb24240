"""The images of all sources of a system, and which of them it trains on."""

import pathlib
from typing import NamedTuple

import ml_collections
import numpy as np

from astgan.data import held_out, pipeline
from astgan.systems import interface


class Sources(NamedTuple):
  """Images by the names that the system gives its sources.

  Attributes:
    images: all of each source, bytes [n s s 3].
    sides: which of them are for training and which are held out.
    fingerprint: count and digest of each source, as JSON has them.
  """

  images: dict[str, np.ndarray]
  sides: dict[str, held_out.Split]
  fingerprint: dict[str, dict]

  @property
  def training(self) -> dict[str, np.ndarray]:
    """The indices of the images to train on."""
    return {name: side.training for name, side in self.sides.items()}


def load(
  config: ml_collections.ConfigDict,
  workdir: pathlib.Path | None,
  system: interface.System,
) -> Sources:
  """Decodes all sources; images of the first one are held out.

  Args:
    config: a training config.
    workdir: gets the list of images that could not be read; None gets none.
    system: whose sources they are.

  Raises:
    UserError: no such source, or too few images.
  """
  images, sides, fingerprint = {}, {}, {}
  at_least = max(phase.batch_size for phase in system.phases)
  fields = ("source", *system.sources[1:])
  # All of them before one is decoded, which may take hours.
  opened = [pipeline.open_source(config.data, field=f) for f in fields]
  for number, name in enumerate(system.sources):
    decoded = pipeline.decode(
      config.data,
      field=fields[number],
      at_least=at_least,
      report=workdir,
      source=opened[number],
    )
    images[name] = decoded.array
    share = 0 if number else config.data.hold_out
    sides[name] = held_out.split(decoded.array, share, at_least=at_least)
    fingerprint[name] = decoded.fingerprint
  return Sources(images, sides, fingerprint)
