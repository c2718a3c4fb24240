"""Where training images come from: images by number, and a fingerprint."""

import dataclasses
import functools
import hashlib
import os
import pathlib
from collections.abc import Callable, Iterable, Iterator, Sequence

import ml_collections

from astgan import errors
from astgan.data import images, landscapes, prepared

# Files whose beginnings sign a folder, and their bytes.
_PROBES, _PROBE_SIZE = 32, 65_536


@dataclasses.dataclass(frozen=True)
class Source:
  """Images by number.

  Attributes:
    name: the source as the config names it.
    labels: one name per image, for the list of skipped images.
    read: the image of a number, whose shorter side is at least twice that of
      the squares where the file has that; UserError if it is unreadable.
    signature: a fingerprint; it changes when the images may have changed.
    in_python: whether `read` is Python code, which holds the GIL. Such images
      are read in parallel by processes, all others by threads.
    sign: the fingerprint of the images as they are now; None where they cannot
      change.
  """

  name: str
  labels: Sequence[str]
  read: Callable[[int], images.Pixels]
  signature: str
  in_python: bool = False
  sign: Callable[[], str] | None = None


def open_source(
  data: ml_collections.ConfigDict, *, side: int, field: str = "source"
) -> Source:
  """The source that a field of `data` names.

  Args:
    data: the section `data` of the config.
    field: `source`, or the field of a system's further source.
    side: of the squares that the images will become. The landscapes are drawn
      at this size, and large JPEGs decoded at a fraction of theirs.

  Raises:
    UserError: the source is unknown or cannot be opened.
  """
  name = data[field]
  said = f"config.data.{field}={name}"
  kind, _, place = name.partition(":")
  if name == "landscapes":
    return _landscapes(data.count, side=side)
  if kind == "folder" and place:
    return _folder(name, pathlib.Path(place).expanduser(), said, side=side)
  if kind == "tfds" and place:
    return _tfds(name, place, said, side=side)
  raise errors.UserError(
    f"{said}: no such source; it is landscapes, "
    "folder:PATH or tfds:NAME[/CONFIG][:SPLIT][:FIELD=VALUE]"
  )


def _landscapes(count: int, *, side: int) -> Source:
  """The built-in paintings; painting i is the same in every run."""
  draw = functools.partial(landscapes.draw, size=side)
  # The first two change with the code that draws them all.
  probes = b"".join(draw(index).tobytes() for index in range(2))
  return Source(
    name="landscapes",
    labels=[f"landscape {index}" for index in range(count)],
    read=draw,
    signature=_digest([probes, str(count).encode()]),
    in_python=True,
  )


def _folder(name: str, folder: pathlib.Path, said: str, *, side: int) -> Source:
  """The image files in a folder and its subfolders, by sorted path."""
  if os.path.isfile(folder):  # Path.is_file raises for names too long.
    raise errors.UserError(f"{said}: is a file; name its folder")
  files = images.find_names(folder)
  return Source(
    name=name,
    labels=files,
    read=lambda index: images.read(files[index], side=side),
    signature=_signature(folder, files),
    sign=lambda: _signature(folder, images.find_names(folder)),
  )


def _tfds(name: str, place: str, said: str, *, side: int) -> Source:
  """The images of a prepared data set, or of a selection of it."""
  found = prepared.open_split(place, said, side=side)
  files = _signature(found.files[0].parent, [str(file) for file in found.files])
  return Source(
    name=name,
    labels=found.labels,
    read=found.read,
    signature=_digest([place.encode(), files.encode()]),
  )


def _signature(folder: pathlib.Path, files: Sequence[str]) -> str:
  """A digest of the files of a folder, the same where the folder is moved to.

  It has their paths within the folder, their sizes and modification times, and
  whether they can be read. Hashing all content would read all files at every
  start; the beginnings of a few tell apart folders whose files have the same
  names, sizes and times.
  """
  # As find_names has it before each.
  inside = str(folder / "x")[:-1]
  probed = {len(files) * number // _PROBES for number in range(_PROBES)}

  def parts() -> Iterator[bytes]:
    for number, file in enumerate(files):
      yield os.fsencode(file.removeprefix(inside))
      try:
        stat = os.stat(file)
        readable = os.access(file, os.R_OK)
        yield f"{stat.st_size} {stat.st_mtime_ns} {readable}".encode()
        if number in probed and os.path.isfile(file):
          with open(file, "rb") as stream:
            yield stream.read(_PROBE_SIZE)
      except OSError as error:
        yield f"error {error.errno}".encode()

  return _digest(parts())


def _digest(parts: Iterable[bytes]) -> str:
  digest = hashlib.sha256()
  for part in parts:
    digest.update(len(part).to_bytes(8, "little") + part)
  return digest.hexdigest()
