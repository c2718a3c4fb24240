"""Records of tfrecord files by number, read without TensorFlow.

A file is its records one after the other: the length of the data as 8 bytes,
the lowest first, 4 bytes that check it, the data, and 4 bytes that check them.
Here the lengths are checked by the end of the file, to which they have to lead.
"""

import bisect
import itertools
import pathlib
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tensorflow_datasets.core.data_sources import base

_HEADER, _FOOTER = struct.Struct("<QI"), 4


def open_split(
  info: Any, split: str, decoders: Mapping[str, Any]
) -> base.BaseDataSource:
  """What `tfds.data_source` gives of files with random access.

  Args:
    info: of a prepared data set.
    split: its name, or a part of it.
    decoders: of features, as tensorflow_datasets has them.
  """
  examples = base.BaseDataSource(info, split, decoders)
  examples.data_source = Records(
    (pathlib.Path(part.filename), part.skip, part.skip + part.take)
    for part in base.file_instructions(info, split)
  )
  return examples


class Records(Sequence[bytes]):
  """The records from one number to another of each of some files.

  Raises:
    ValueError: a file is damaged, or has fewer.
  """

  def __init__(self, parts: Iterable[tuple[pathlib.Path, int, int]]) -> None:
    self._paths, self._places = [], []
    for path, start, stop in parts:
      places = list(_index(path))
      if len(places) < stop:
        raise ValueError(f"{path} has {len(places)} records, not {stop}")
      self._paths.append(path)
      self._places.append(places[start:stop])
    self._ends = list(itertools.accumulate(map(len, self._places)))

  def __len__(self) -> int:
    return self._ends[-1] if self._ends else 0

  def __getitem__(self, number: int) -> bytes:
    if not 0 <= number < len(self):
      raise IndexError(number)
    file = bisect.bisect_right(self._ends, number)
    # Counted from the end of the file.
    place, size = self._places[file][number - self._ends[file]]
    with self._paths[file].open("rb") as stream:
      stream.seek(place)
      return stream.read(size)


def _index(path: pathlib.Path) -> Iterator[tuple[int, int]]:
  """Where the data of each record begin, and their length."""
  end = path.stat().st_size
  with path.open("rb") as file:
    place = 0
    while place < end:
      header = file.read(_HEADER.size)
      place += len(header)
      size = _HEADER.unpack(header)[0] if len(header) == _HEADER.size else end
      if place + size + _FOOTER > end:
        raise ValueError(f"{path} is damaged or cut")
      yield place, size
      place += size + _FOOTER
      file.seek(place)
