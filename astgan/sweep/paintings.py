"""The files of the runs of a sweep that paint."""

import pathlib

import ml_collections

from astgan.nst import photographs, settings


def find(config: ml_collections.ConfigDict) -> list[pathlib.Path]:
  """The photographs of a run.

  Raises:
    UserError: there are none that can be painted.
  """
  return photographs.find(
    config.paint.content,
    longer_side=config.paint.size,
    min_side=settings.MIN_SIDE,
  )


def files(
  workdir: pathlib.Path, config: ml_collections.ConfigDict
) -> dict[str, pathlib.Path]:
  """Where the paintings of a run are or will be, by stem of the photograph."""
  return {
    path.stem: photographs.painting_of(path, workdir, config)
    for path in find(config)
  }
