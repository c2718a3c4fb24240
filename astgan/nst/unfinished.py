"""Paintings that are not finished: their state and a preview, in files.

`unfinished/STEM.npz` holds the optimiser's state, so that a painting that was
stopped ends as one that was not, and `unfinished/STEM.png` shows the best image
so far.
"""

import io
import logging
import pathlib
import zipfile
import zlib
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from astgan import atomic
from astgan.data import images
from astgan.nst import optimize, stylize

logger = logging.getLogger(__name__)


def save(
  folder: pathlib.Path,
  stem: str,
  progress: optimize.Progress,
  *,
  preview: images.Pixels,
  fingerprint: str,
) -> None:
  """Writes the state and the preview, each atomically.

  Args:
    folder: of unfinished paintings; it exists.
    stem: of the photograph's file.
    progress: of its painting.
    preview: the painting so far.
    fingerprint: of the photograph and its masks.
  """
  save_preview(folder, stem, preview)
  leaves = jax.tree.leaves(jax.device_get(progress.painting))
  arrays = {f"{number:03d}": leaf for number, leaf in enumerate(leaves)}
  data = io.BytesIO()
  np.savez(data, level=progress.level, fingerprint=fingerprint, **arrays)
  atomic.write(folder / f"{stem}.npz", data.getvalue())


def save_preview(
  folder: pathlib.Path, stem: str, preview: images.Pixels
) -> pathlib.Path:
  """Writes the best image of a painting that failed, and nothing to go on with.

  Returns: its file.
  """
  path = folder / f"{stem}.png"
  images.write(path, preview)
  return path


def load(
  folder: pathlib.Path,
  stem: str,
  *,
  like: Callable[[int], stylize.Painting],
  fingerprint: str,
) -> optimize.Progress | None:
  """The progress that was saved; None where there is none, or a damaged one.

  Args:
    folder, stem, fingerprint: as for `save`.
    like: the shapes of a state, by its level.
  """
  path = folder / f"{stem}.npz"
  if not path.exists():
    return None
  try:
    with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
      found = {name: file[name] for name in file.files}
    level, belongs_to = int(found["level"]), str(found["fingerprint"])
    shapes, structure = jax.tree.flatten(like(level))
    leaves = [found[f"{number:03d}"] for number in range(len(shapes))]
    same = [leaf.shape for leaf in leaves] == [leaf.shape for leaf in shapes]
  except (OSError, EOFError, KeyError, IndexError, RuntimeError, ValueError,
          zipfile.BadZipFile, zlib.error) as error:  # fmt: skip
    logger.warning("%s is damaged (%s); painting begins anew", path, error)
    return None
  if not same or belongs_to != fingerprint:
    logger.warning(
      "%s belongs to another photograph or mask; painting anew", path
    )
    return None
  painting = jax.tree.unflatten(structure, map(jnp.asarray, leaves))
  return optimize.Progress(level, painting)


def drop(folder: pathlib.Path, stem: str) -> None:
  """Removes the files of a painting that is finished."""
  for suffix in (".npz", ".png"):
    (folder / f"{stem}{suffix}").unlink(missing_ok=True)
