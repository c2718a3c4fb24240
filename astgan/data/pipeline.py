"""The images of a training, and their order as a function of (seed, step)."""

import functools
import logging
import pathlib

import ml_collections
import numpy as np
from jaxtyping import Int32

from astgan import atomic, errors
from astgan.data import decoded, sources

logger = logging.getLogger(__name__)


def open_source(
  data: ml_collections.ConfigDict, *, field: str = "source"
) -> sources.Source:
  """The source that `decode` decodes; args and errors as there."""
  return sources.open_source(data, side=_side(data), field=field)


def decode(
  data: ml_collections.ConfigDict,
  *,
  field: str = "source",
  at_least: int,
  report: pathlib.Path | None = None,
  source: sources.Source | None = None,
) -> decoded.Decoded:
  """All training images of a source, decoded to squares once and for all.

  They have `data.size` pixels a side, and `data.zoom` times as many where
  windows are cropped.

  Args:
    data: the section `data` of the config.
    field: the field of `data` that names the source.
    at_least: how many images there must be: a batch.
    report: folder for the list of images that could not be read: `skipped.txt`,
      or `skipped_FIELD.txt` of another field. A line has a name, a tab and the
      reason.
    source: from `open_source`; None opens it.

  Raises:
    UserError: no such source, or too few images.
  """
  source = source or open_source(data, field=field)
  loaded = decoded.load(
    source, side=_side(data), cache=decoded.folder(data.cache)
  )
  name = "skipped.txt" if field == "source" else f"skipped_{field}.txt"
  _report(loaded, source.name, None if report is None else report / name)
  count = len(loaded.array)
  if count < at_least:
    raise errors.UserError(
      f"config.data.{field}={source.name}: {count} readable images are fewer"
      f" than a batch of {at_least}; add images or make it smaller"
    )
  return loaded


class Order:
  """The endless order of a source's images.

  Every `count` indices in a row are a permutation, each epoch another one, and
  batches run across the borders of epochs, so that none is short.

  Args:
    count: images in all.
    seed: another seed is another order.
    source: number of the source; sources of one seed differ in their order.
  """

  def __init__(self, count: int, *, seed: int, source: int = 0) -> None:
    self._count = count
    self._key = (seed, source)
    # A batch lies in one epoch or in two neighbours.
    self._epoch = functools.lru_cache(maxsize=2)(self._permutation)

  def batch(self, start: int, size: int) -> Int32[np.ndarray, "{size}"]:
    """The indices from the position `start` on, a function of it alone.

    Args:
      start: images that came before, in all epochs.
      size: how many, at most `count`.
    """
    epoch, start = divmod(start, self._count)
    indices = self._epoch(epoch)[start : start + size]
    missing = size - len(indices)
    return np.concatenate([indices, self._epoch(epoch + 1)[:missing]])

  def _permutation(self, epoch: int) -> Int32[np.ndarray, "n"]:
    draws = np.random.default_rng([*self._key, epoch])
    return draws.permutation(self._count).astype(np.int32)


def _side(data: ml_collections.ConfigDict) -> int:
  """Of the squares that are stored, in pixels."""
  return data.size if data.crop == "centre" else round(data.size * data.zoom)


def _report(
  loaded: decoded.Decoded, name: str, path: pathlib.Path | None
) -> None:
  """One line for all that were skipped, and one for each in the file."""
  if path is not None:
    lines = [f"{label}\t{reason}\n" for label, reason in loaded.skipped]
    if lines:
      text = "".join(lines).encode(errors="surrogateescape")
      atomic.write(path, text)
    else:
      path.unlink(missing_ok=True)
  if loaded.skipped:
    skipped = len(loaded.skipped)
    logger.warning(
      f"{name}: skipped {skipped} of {skipped + len(loaded.array)} images,"
      " which cannot be read" + ("" if path is None else f"; see {path}")
    )
