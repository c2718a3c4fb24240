"""Batches as a function of (seed, step).

The order is a `grain.MapDataset` of indices: `order[step]` is the batch of a
step, whatever came before. Pictures that lie on the accelerator are gathered
there by index; else `batches` gathers them here, ahead of time.
"""

import functools
import pathlib
import sys

import grain
import ml_collections
import numpy as np
from jaxtyping import Int32, UInt8

from astgan import errors, runs
from astgan.data import decoded, sources


def decode(
  data: ml_collections.ConfigDict,
  *,
  batch_size: int,
  report: pathlib.Path | None = None,
) -> decoded.Pictures:
  """All training pictures, decoded to squares once and for all.

  They have `data.size` pixels a side, or 9/8 of it where windows are cropped.

  Args:
    data: the section `data` of the config.
    batch_size: how many pictures there must be at least.
    report: folder for `skipped.txt`, one line for each picture that could not
      be read: its name, a tab, the reason.

  Raises:
    UserError: no such source or crop, or too few pictures.
  """
  if data.crop not in ("centre", "random"):
    raise errors.UserError(
      f"config.data.crop={data.crop}: no such crop; it is centre or random"
    )
  side = data.size if data.crop == "centre" else data.size * 9 // 8
  source = sources.open_source(data, side=side)
  pictures = decoded.load(source, side=side, cache=decoded.folder(data.cache))
  _report(pictures, source.name, report)
  count = len(pictures.array)
  if count < batch_size:
    raise errors.UserError(
      f"config.data.source={source.name}: {count} readable pictures are fewer "
      f"than config.train.batch_size={batch_size}; add pictures or make it "
      "smaller"
    )
  return pictures


def order(count: int, *, batch_size: int, seed: int) -> grain.MapDataset:
  """The endless order of batches: `order[step]` holds a batch's indices.

  Every `count` indices in a row are a permutation, each epoch another one;
  batches run across the epochs' borders, so that none is short.

  Grain draws one permutation per epoch rather than shuffling index by index,
  which took 1 to 7 ms a batch of 128 and would hold up a fast accelerator.

  Args:
    count: pictures in all.
    batch_size: pictures per batch, at most `count`.
    seed: from 0; another seed is another order.
  """
  if batch_size > count:
    raise ValueError(
      f"expected a batch of at most {count} pictures, got {batch_size}"
    )
  epochs = (
    grain.MapDataset.range(1)
    .repeat()
    .seed(seed)
    .random_map(lambda _, rng: rng.permutation(count).astype(np.int32))
  )
  # A batch lies in one epoch or in two neighbours.
  permutation = functools.lru_cache(maxsize=2)(epochs.__getitem__)

  def batch(step: int) -> Int32[np.ndarray, "b"]:
    epoch, start = divmod(step * batch_size, count)
    indices = permutation(epoch)[start : start + batch_size]
    missing = batch_size - len(indices)
    if missing:
      indices = np.concatenate([indices, permutation(epoch + 1)[:missing]])
    return indices

  return grain.MapDataset.range(2**62).map(batch)


def batches(
  array: UInt8[np.ndarray, "n s s 3"],
  order: grain.MapDataset,
  *,
  start: int = 0,
  ahead: int = 8,
) -> grain.DatasetIterator:
  """The batches of bytes [b, s, s, 3] from a step on, gathered ahead of time.

  Args:
    array: all pictures.
    order: whose indices are gathered.
    start: the first step.
    ahead: batches that threads keep ready.
  Returns: an iterator; `close` it to end its threads.
  """
  gathered = order[start:].map(lambda indices: array[indices])
  return iter(
    gathered.to_iter_dataset(
      grain.ReadOptions(num_threads=2, prefetch_buffer_size=ahead)
    )
  )


def _report(
  pictures: decoded.Pictures, name: str, report: pathlib.Path | None
) -> None:
  """One line for all that were skipped, and one for each in skipped.txt."""
  if report is not None:
    lines = [f"{label}\t{reason}\n" for label, reason in pictures.skipped]
    path = report / "skipped.txt"
    if lines:
      text = "".join(lines).encode(errors="surrogateescape")
      runs.write_atomically(path, text)
    else:
      path.unlink(missing_ok=True)
  if pictures.skipped:
    skipped = len(pictures.skipped)
    print(
      f"{name}: skipped {skipped} of {skipped + len(pictures.array)} pictures,"
      " which cannot be read"
      + ("" if report is None else f"; see {report / 'skipped.txt'}"),
      file=sys.stderr,
    )
