"""Locks between processes, also of several hosts that share a file system."""

import contextlib
import errno
import fcntl
import functools
import logging
import os
import pathlib
from collections.abc import Iterator

logger = logging.getLogger(__name__)

_UNKNOWN = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


@contextlib.contextmanager
def held(
  path: pathlib.Path, *, wait: bool = True, quiet: bool = False
) -> Iterator[bool]:
  """Holds a lock that one process has at a time, even if one is killed.

  Yields whether another one had to be waited for.

  Args:
    path: a file that exists while the lock is held.
    wait: for the process that holds it.
    quiet: says nothing of waiting, which is short.

  Raises:
    BlockingIOError: another process holds it, and `wait` is False.
    OSError: the file cannot be written.
  """
  waited = False
  while True:
    with path.open("a") as file:
      try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
      except BlockingIOError:
        if not wait:
          raise
        if not (waited or quiet):
          logger.info(f"{path}: waiting for the process that holds it")
        waited = True
        fcntl.flock(file, fcntl.LOCK_EX)
      except OSError as error:
        if error.errno not in _UNKNOWN:
          raise
        _warn(path.parent)
      # The one before deletes the file, perhaps after this one opened it.
      if not _is_at(file.fileno(), path):
        continue
      try:
        yield waited
      finally:
        path.unlink(missing_ok=True)
      return


@functools.cache
def _warn(folder: pathlib.Path) -> None:
  """Once for each folder."""
  logger.warning(
    f"{folder}: this file system knows no locks; let one process at a time work"
    " here"
  )


def _is_at(descriptor: int, path: pathlib.Path) -> bool:
  try:
    own = os.fstat(descriptor)
    # Over a network a deleted file may seem to be at its path for a while.
    return own.st_nlink > 0 and os.path.samestat(own, path.stat())
  except OSError as error:
    if error.errno not in (errno.ENOENT, errno.ESTALE):
      raise
    return False
