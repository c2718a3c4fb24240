"""The run folder: one folder a run, whose config.json says what it is."""

import contextlib
import errno
import json
import os
import pathlib
import tempfile
from collections.abc import Iterator

import ml_collections

from astgan import errors

# Asked for while there is one thread: asking sets it, for all threads.
_UMASK = os.umask(0o077)
os.umask(_UMASK)


@contextlib.contextmanager
def replacing(path: pathlib.Path) -> Iterator[pathlib.Path]:
  """A temporary path beside `path` that takes its place when all went well.

  A reader sees the old file or the whole new one, never a part; an exception
  in the body leaves the old file and removes the temporary one.
  """
  handle, name = tempfile.mkstemp(
    dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix
  )
  os.close(handle)
  temporary = pathlib.Path(name)
  try:
    yield temporary
    # mkstemp is private to its user; give what open() would have given.
    temporary.chmod(0o666 & ~_UMASK)
    temporary.replace(path)
  finally:
    temporary.unlink(missing_ok=True)


def write_atomically(path: pathlib.Path, data: bytes) -> None:
  """Makes `data` the content of `path`, whole or not at all."""
  with replacing(path) as temporary:
    temporary.write_bytes(data)


def is_mendable(error: OSError) -> bool:
  """Whether a folder cannot be made or written where another one could."""
  return error.errno in (
    errno.EACCES,
    errno.EEXIST,
    errno.ENOTDIR,
    errno.EPERM,
    errno.EROFS,
  )


def check_run(
  workdir: pathlib.Path,
  config: ml_collections.ConfigDict,
  *,
  free: tuple[str, ...],
) -> None:
  """Makes the folder, or compares the config with that of the run in it.

  The folder does not belong to the config yet: a mistake that is found before
  `open_run` can be mended and the run started again in the same place.

  Args:
    workdir: the run folder; it and its parents are made where missing.
    config: the whole config.
    free: dotted names of the fields that may differ from those of the run that
      stands there, since they only lengthen it or report about it; "paint."
      stands for a whole section.

  Raises:
    UserError: the folder cannot be written, or belongs to a run with another
      config.
  """
  try:
    workdir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=workdir):
      pass
  except OSError as error:
    if not is_mendable(error):
      raise
    raise errors.UserError(
      f"--workdir={workdir} cannot be written ({error.strerror}); name a folder"
      " that can"
    ) from error
  if (workdir / "config.json").exists():
    _check_same(workdir, read_config(workdir), config, free)


def open_run(
  workdir: pathlib.Path,
  config: ml_collections.ConfigDict,
  *,
  free: tuple[str, ...],
) -> None:
  """Makes the folder and its config.json, or continues what stands there.

  Args and Raises: as for `check_run`.
  """
  check_run(workdir, config, free=free)
  text = json.dumps(config.to_dict(), indent=2) + "\n"
  write_atomically(workdir / "config.json", text.encode())


def read_config(workdir: pathlib.Path) -> ml_collections.ConfigDict:
  """The config of the run in `workdir`.

  Raises:
    UserError: there is no readable config.json.
  """
  path = workdir / "config.json"
  try:
    fields = json.loads(path.read_text())
  except FileNotFoundError as error:
    raise errors.UserError(
      f"{workdir} is no run folder: it has no config.json; name the folder"
      " that a training wrote"
    ) from error
  except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
    raise errors.UserError(
      f"{path} cannot be read ({error}); restore it or use another folder"
    ) from error
  if not isinstance(fields, dict):
    raise errors.UserError(
      f"{path} holds no fields; restore it or use another folder"
    )
  return ml_collections.ConfigDict(fields).lock()


def _check_same(
  workdir: pathlib.Path,
  old: ml_collections.ConfigDict,
  new: ml_collections.ConfigDict,
  free: tuple[str, ...],
) -> None:
  # Through JSON, where tuples are lists, so that both sides look alike.
  old_fields = _flat(old.to_dict())
  new_fields = _flat(json.loads(json.dumps(new.to_dict())))
  differences = [
    f"{name}: {old_fields.get(name)!r} -> {new_fields.get(name)!r}"
    for name in sorted(old_fields.keys() | new_fields.keys())
    if old_fields.get(name) != new_fields.get(name)
    and name not in free
    and name.partition(".")[0] + "." not in free
  ]
  if differences:
    raise errors.UserError(
      f"{workdir} belongs to a run with another config"
      f" ({'; '.join(differences)}); use another --workdir, or the old values"
    )


def _flat(tree: dict, prefix: str = "") -> dict:
  flat = {}
  for name, value in tree.items():
    if isinstance(value, dict):
      flat |= _flat(value, f"{prefix}{name}.")
    else:
      flat[prefix + name] = value
  return flat
