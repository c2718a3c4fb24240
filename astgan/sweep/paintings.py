"""The files of the runs of a sweep that paint."""

import pathlib

import ml_collections

from astgan import runs, sampling
from astgan.nst import photographs, settings


def find(config: ml_collections.ConfigDict) -> list[pathlib.Path]:
  """The photographs of a run, those that are too narrow for it left out.

  Raises:
    UserError: there are none that can be painted, or the painter is of another
      version.
  """
  min_side, field = _smallest(config)
  return photographs.find(
    config.paint.content,
    longer_side=config.paint.size,
    min_side=min_side,
    field=field,
  )


def _smallest(config):
  """As `settings.smallest`, also for painters."""
  run = pathlib.Path(config.paint.painter or config.paint.style).expanduser()
  if runs.is_run(run):
    of_painter = sampling.painter_smallest(run)
    if of_painter:
      return of_painter, "paint.size"
  return settings.smallest(config)


def are_done(workdir: pathlib.Path, config: ml_collections.ConfigDict) -> bool:
  """Whether all photographs are painted that are not damaged, at least one."""
  found = find(config)
  missing = [
    path
    for path in found
    if not photographs.painting_of(path, workdir, config).exists()
  ]
  return len(missing) < len(found) and all(map(photographs.is_damaged, missing))


def files(
  workdir: pathlib.Path, config: ml_collections.ConfigDict
) -> dict[str, pathlib.Path]:
  """Where the paintings of a run are or will be, by stem of the photograph."""
  return {
    path.stem: photographs.painting_of(path, workdir, config)
    for path in find(config)
  }
