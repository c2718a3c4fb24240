"""Files written whole or not at all."""

import contextlib
import os
import pathlib
import tempfile
from collections.abc import Iterator

# Asked for while there is one thread: asking sets it, for all threads.
_UMASK = os.umask(0o077)
os.umask(_UMASK)


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
  in the body leaves the old file and removes the temporary one.
  """
  handle, name = tempfile.mkstemp(
    dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix
  )
  os.close(handle)
  temporary = pathlib.Path(name)
  try:
    with naming(path):
      yield temporary
    # mkstemp is private to its user; give what open() would have given.
    temporary.chmod(0o666 & ~_UMASK)
    temporary.replace(path)
  finally:
    temporary.unlink(missing_ok=True)


def write(path: pathlib.Path, data: bytes) -> None:
  """Makes `data` the content of `path`, whole or not at all."""
  with replacing(path) as temporary:
    temporary.write_bytes(data)
