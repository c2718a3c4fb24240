"""The files of the runs of a sweep that paint."""

import pathlib

import ml_collections

from astgan import sampling
from astgan.nst import photographs, settings


def find(config: ml_collections.ConfigDict) -> list[pathlib.Path]:
  """The photographs of a run, those that are too narrow for it left out.

  Raises:
    UserError: there are none that can be painted, or the painter is of another
      version.
  """
  return photographs.find(
    config.paint.content,
    longer_side=config.paint.size,
    min_side=_smallest(config),
  )


def _smallest(config):
  """The shorter side that a painting needs, in pixels."""
  run = pathlib.Path(config.paint.painter or config.paint.style).expanduser()
  if (run / "config.json").is_file():
    of_painter = sampling.painter_smallest(run)
    if of_painter:
      return of_painter
  return settings.smallest(config)


def files(
  workdir: pathlib.Path, config: ml_collections.ConfigDict
) -> dict[str, pathlib.Path]:
  """Where the paintings of a run are or will be, by stem of the photograph."""
  return {
    path.stem: photographs.painting_of(path, workdir, config)
    for path in find(config)
  }
