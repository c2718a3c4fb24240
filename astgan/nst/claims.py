"""Photographs that processes share: each is painted by the first that asks."""

import contextlib
import pathlib

from astgan import locks

# Of unfinished paintings and of claims, in the run folder.
FOLDER = "unfinished"


class Claims:
  """The photographs that this process paints, until they are released.

  A claim is a lock, `STEM.lock`, so that those of a process that is killed end
  with it. On leaving all are released, and an empty folder is removed.

  Args:
    folder: of unfinished paintings, which all processes share.
  """

  def __init__(self, folder: pathlib.Path):
    self._folder = folder
    self._held: dict[str, contextlib.ExitStack] = {}

  def __enter__(self) -> "Claims":
    return self

  def __exit__(self, *exception: object) -> None:
    for stem in list(self._held):
      self.release(stem)
    with contextlib.suppress(OSError):  # It is not empty, or another's work.
      self._folder.rmdir()

  def claim(self, stem: str) -> bool:
    """Whether the photograph is this process' own from now on.

    Raises:
      OSError: the lock cannot be written.
    """
    path = self._folder / f"{stem}.lock"
    with contextlib.ExitStack() as stack:
      while True:
        with contextlib.suppress(FileExistsError):
          self._folder.mkdir()
        try:
          stack.enter_context(locks.held(path, wait=False))
        except BlockingIOError:
          return False
        except FileNotFoundError:
          continue  # Another process has left, and removed the empty folder.
        self._held[stem] = stack.pop_all()
        return True

  def release(self, stem: str) -> None:
    """Lets others have the photograph."""
    self._held.pop(stem).close()


def wait(folder: pathlib.Path) -> None:
  """Waits until no photograph of the folder is claimed."""
  while paths := list(folder.glob("*.lock")):
    for path in paths:
      # Another process may have left, and removed the empty folder.
      with contextlib.suppress(FileNotFoundError), locks.held(path):
        pass
