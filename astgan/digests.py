"""Digests of files, which tell a damaged or another one."""

import contextlib
import hashlib
import json
import os
import pathlib
from collections.abc import Iterable, Sequence

NAME = "sha256.json"


class Damaged(Exception):
  """Files that are not as they were written, in a few words."""


def fingerprint(paths: Sequence[pathlib.Path]) -> dict[str, int | str]:
  """The number of files, and the SHA-256 of their concatenated bytes.

  Those that cannot be read add no bytes.
  """
  sha256 = hashlib.sha256()
  for path in paths:
    with contextlib.suppress(OSError):
      sha256.update(path.read_bytes())
  return {"images": len(paths), "sha256": sha256.hexdigest()}


def write(folder: pathlib.Path) -> None:
  """Writes the digests of all files in and below the folder into it.

  The files are on the disk before, and the digests when it returns.
  """
  paths = sorted(folder.rglob("*"))
  digests = {
    path.relative_to(folder).as_posix(): _digest(path)
    for path in paths
    if path.is_file()
  }
  for path in paths:
    sync(path)
  (folder / NAME).write_text(json.dumps(digests) + "\n")
  sync(folder / NAME)
  sync(folder)


def sync(path: pathlib.Path) -> None:
  """Returns when a file, or the names in a folder, are on the disk."""
  descriptor = os.open(path, os.O_RDONLY)
  try:
    os.fsync(descriptor)
  finally:
    os.close(descriptor)


def check(folder: pathlib.Path) -> bool:
  """Compares the files with their digests; False where there are none.

  Files that were added later are not looked at.

  Raises:
    Damaged: a file is missing or differs.
    OSError: a file cannot be read.
  """
  if not (folder / NAME).exists():
    return False
  for name, digest in _load(folder).items():
    try:
      found = _digest(folder / name)
    # A name with a damaged byte may be that of no file or of a folder.
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
      raise Damaged(f"{name} is missing") from error
    if found != digest:
      raise Damaged(f"{name} is not as it was written")
  return True


def read(folder: pathlib.Path, names: Iterable[str]) -> dict[str, bytes]:
  """Those of the files that have a digest, all of them whole.

  Raises:
    Damaged: the digests or a file are missing or damaged.
  """
  found = {}
  try:
    digests = _load(folder)
    for name in filter(digests.get, names):
      found[name] = (folder / name).read_bytes()
      if hashlib.sha256(found[name]).hexdigest() != digests[name]:
        raise Damaged(f"{name} is not as it was written")
  except OSError as error:
    raise Damaged(f"{error.filename} cannot be read") from error
  return found


def _load(folder: pathlib.Path) -> dict[str, str]:
  """The digests by the names of the files."""
  try:
    return dict(json.loads((folder / NAME).read_bytes()))
  except (ValueError, TypeError) as error:
    raise Damaged(f"{NAME} cannot be read") from error


def _digest(path: pathlib.Path) -> str:
  with path.open("rb") as file:
    return hashlib.file_digest(file, "sha256").hexdigest()
