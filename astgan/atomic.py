"""Files written whole or not at all."""

import contextlib
import fcntl
import itertools
import os
import pathlib
import re
import tempfile
from collections.abc import Iterator

# Asked for while there is one thread: asking sets it, for all threads.
_UMASK = os.umask(0o077)
os.umask(_UMASK)

# Bytes of the stem in a temporary name; most file systems take 255 in all.
_LONGEST = 200

# The name of a file with a suffix, eight characters, and the suffix again.
_TEMPORARY = re.compile(r"\.(.+(\.[^.]+))\.[a-z0-9_]{8}\2")


@contextlib.contextmanager
def naming(path: pathlib.Path) -> Iterator[None]:
  """Adds the path to errors that name no file, such as a full disk's."""
  try:
    yield
  except OSError as error:
    if error.filename or not error.errno:
      raise
    raise OSError(error.errno, error.strerror, str(path)) from error


@contextlib.contextmanager
def replacing(path: pathlib.Path) -> Iterator[pathlib.Path]:
  """A temporary path beside `path` that takes its place when all went well.

  A reader sees the old file or the whole new one, never a part; an exception
  in the body leaves the old file and removes the temporary one. What a killed
  process leaves is removed by `sweep`.
  """
  with _temporary(path) as temporary:
    try:
      with naming(path):
        yield temporary
      # It is private to its user; give what open() would have given.
      temporary.chmod(0o666 & ~_UMASK)
      temporary.replace(path)
    finally:
      temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def _temporary(path: pathlib.Path) -> Iterator[pathlib.Path]:
  """A new file beside `path`, locked in the body."""
  stem = os.fsencode(path.stem)[:_LONGEST].decode(errors="ignore")
  prefix = f".{stem}{path.suffix}."
  while True:
    with tempfile.NamedTemporaryFile(
      dir=path.parent, prefix=prefix, suffix=path.suffix, delete=False
    ) as file:
      # Where a file system knows no locks, `sweep` leaves all as it is.
      with contextlib.suppress(OSError):
        fcntl.flock(file, fcntl.LOCK_EX)
      # `sweep` may have been there first.
      if os.fstat(file.fileno()).st_nlink:
        yield pathlib.Path(file.name)
        return


def sweep(folder: pathlib.Path) -> None:
  """Removes what killed processes left of `replacing` in and below a folder.

  What a living process writes, also on another host, is locked, and left; so
  are files without a suffix, which may be of others.
  """
  # Folders that others delete meanwhile are passed over.
  for inside, _, names in os.walk(folder):
    for name in filter(_TEMPORARY.fullmatch, names):
      path = pathlib.Path(inside, name)
      # Another process writes or sweeps it, or it cannot be deleted.
      with contextlib.suppress(OSError), path.open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()


def write(path: pathlib.Path, data: bytes) -> None:
  """Makes `data` the content of `path`, whole or not at all."""
  with replacing(path) as temporary:
    temporary.write_bytes(data)


def set_aside(path: pathlib.Path, name: str) -> pathlib.Path:
  """Renames a file or a folder, to `name` or, where that exists, `name_2`."""
  others = (f"{name}_{number}" for number in itertools.count(2))
  paths = map(path.parent.joinpath, itertools.chain([name], others))
  aside = next(path for path in paths if not path.exists())
  return path.rename(aside)
