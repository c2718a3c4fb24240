"""Digests of the files of a folder, which tell a damaged one."""

import hashlib
import json
import pathlib

NAME = "sha256.json"


class Damaged(Exception):
  """Files that are not as they were written, in a few words."""


def write(folder: pathlib.Path) -> None:
  """Writes the digests of all files in and below the folder into it."""
  digests = {
    path.relative_to(folder).as_posix(): _digest(path)
    for path in sorted(folder.rglob("*"))
    if path.is_file()
  }
  (folder / NAME).write_text(json.dumps(digests) + "\n")


def check(folder: pathlib.Path) -> bool:
  """Compares the files with their digests; False where there are none.

  Files that were added later are not looked at.

  Raises:
    Damaged: a file is missing or differs.
    OSError: a file cannot be read.
  """
  path = folder / NAME
  if not path.exists():
    return False
  try:
    digests = dict(json.loads(path.read_bytes()))
  except (ValueError, TypeError) as error:
    raise Damaged(f"{NAME} cannot be read") from error
  for name, digest in digests.items():
    try:
      found = _digest(folder / name)
    # A name with a damaged byte may be that of no file or of a folder.
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
      raise Damaged(f"{name} is missing") from error
    if found != digest:
      raise Damaged(f"{name} is not as it was written")
  return True


def _digest(path: pathlib.Path) -> str:
  with path.open("rb") as file:
    return hashlib.file_digest(file, "sha256").hexdigest()
