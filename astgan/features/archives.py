"""Reads pickles of PyTorch and NumPy as data: restricted unpickling.

A pickle can name any function to be called. These readers accept only the few
names that tensors and arrays need, map each to a function of this module and
refuse every other name. A file therefore cannot run code, and what claims more
than the file holds is refused before memory is used. PyTorch is not needed.
"""

import collections
import io
import math
import os
import pathlib
import pickle
import pickletools
import zipfile
from typing import Any

import numpy as np

# The first number in a file of torch.save before PyTorch 1.6.
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C


def read_torch(path: pathlib.Path | str) -> dict[str, Any]:
  """The object that torch.save wrote, with arrays for tensors.

  Reads zip archives and the legacy format of PyTorch before 1.6.

  Raises:
    pickle.UnpicklingError: the file was not made by torch.save, is truncated,
      or holds anything but dense tensors.
  """
  path = pathlib.Path(path)
  if zipfile.is_zipfile(path):
    return _read_zip(path)
  with path.open("rb") as file:
    return _read_legacy(file, path.stat().st_size)


def read_numpy(path: pathlib.Path | str) -> dict[str, Any]:
  """A pickled dict of arrays.

  Raises:
    pickle.UnpicklingError: the file holds anything but arrays.
  """
  with pathlib.Path(path).open("rb") as file:
    return _Unpickler(file, NUMPY_NAMES).load()


class _Unpickler(pickle.Unpickler):
  """Resolves the given names and tensor storages, and refuses the rest."""

  def __init__(self, file: io.BufferedIOBase, names: dict, storage: Any = None):
    super().__init__(file)
    self._file = file
    self._names = names
    self._storage = storage

  def load(self) -> Any:
    _check_claims(self._file)
    return super().load()

  def find_class(self, module: str, name: str) -> Any:
    if (module, name) not in self._names:
      raise pickle.UnpicklingError(f"it asks for {module}.{name}")
    return self._names[module, name]

  def persistent_load(self, pid: Any) -> np.ndarray:
    # ('storage', dtype, key, device, count); legacy files append a view.
    if self._storage is None or pid[0] != "storage" or any(pid[5:]):
      raise pickle.UnpicklingError("it holds objects that are not tensors")
    return self._storage(pid[1], pid[2], pid[4])


def _check_claims(file: io.BufferedIOBase) -> None:
  """Raises UnpicklingError if the next pickle claims more than the file holds.

  CPython would make room for an object or for a number of the memo first.
  """
  start = file.tell()
  size = file.seek(0, os.SEEK_END)
  file.seek(start)
  try:
    for opcode, argument, _ in pickletools.genops(file):
      if opcode.name.endswith("PUT") and argument > size:
        raise pickle.UnpicklingError("it claims more than the file holds")
  except (ValueError, MemoryError) as error:
    raise pickle.UnpicklingError("it is damaged or truncated") from error
  file.seek(start)


def _read_zip(path: pathlib.Path) -> dict[str, Any]:
  size = path.stat().st_size
  with zipfile.ZipFile(path) as archive:
    # torch.save does not compress.
    if any(member.file_size > size for member in archive.infolist()):
      raise pickle.UnpicklingError("it claims more than the file holds")
    members = {
      name.partition("/")[2]: name
      for name in archive.namelist()
      if not name.endswith("/")
    }
    if "data.pkl" not in members:
      raise pickle.UnpicklingError("the archive was not made by torch.save")
    if "byteorder" in members:
      _require_little_endian(archive.read(members["byteorder"]) == b"little")

    def storage(dtype: np.dtype, key: str, count: int) -> np.ndarray:
      return np.frombuffer(archive.read(members[f"data/{key}"]), dtype, count)

    pickled = io.BytesIO(archive.read(members["data.pkl"]))
    return _Unpickler(pickled, TORCH_NAMES, storage).load()


def _read_legacy(file: io.BufferedIOBase, size: int) -> dict[str, Any]:
  # Five pickles: magic number, protocol, system information, the object and
  # the keys of the storages. Then the count and the data of each storage.
  if _Unpickler(file, {}).load() != LEGACY_MAGIC:
    raise pickle.UnpicklingError("the file was not made by torch.save")
  _Unpickler(file, {}).load()
  _require_little_endian(_Unpickler(file, {}).load()["little_endian"])
  storages = {}

  def storage(dtype: np.dtype, key: str, count: int) -> np.ndarray:
    if key not in storages:
      if count * dtype.itemsize > size:
        raise pickle.UnpicklingError("the file is truncated")
      storages[key] = np.zeros(count, dtype)
    return storages[key]

  result = _Unpickler(file, TORCH_NAMES, storage).load()
  for key in _Unpickler(file, {}).load():
    file.read(8)  # The count, which the object's pickle gave.
    data = memoryview(storages[key]).cast("B")
    if file.readinto(data) != len(data):
      raise pickle.UnpicklingError("the file is truncated")
  return result


def _require_little_endian(is_little: bool) -> None:
  if not is_little:
    raise pickle.UnpicklingError("it was saved by a big-endian machine")


def _tensor(storage, offset, size, strides, *_) -> np.ndarray:
  """Stands in for torch._utils._rebuild_tensor_v2: a view of the storage.

  The elements lie one after the other, with the axes in any order.
  """
  if any(type(number) is not int for number in (offset, *size, *strides)):
    raise pickle.UnpicklingError("it holds shapes that are not numbers")
  order = sorted(range(len(size)), key=lambda axis: -strides[axis])
  lengths = [size[axis] for axis in order]
  for i, axis in enumerate(order):
    dense = strides[axis] == math.prod(lengths[i + 1 :])
    if not dense and size[axis] > 1 and 0 not in size:
      raise pickle.UnpicklingError(
        "it holds tensors with gaps; save tensor.contiguous()"
      )
  view = storage[offset : offset + math.prod(size)].reshape(lengths)
  return view.transpose(np.argsort(order)) if order else view


def _parameter(tensor, *_) -> np.ndarray:
  """Stands in for torch.nn.parameter.Parameter: its tensor."""
  return tensor


def _empty_array(*_) -> np.ndarray:
  """Stands in for NumPy's _reconstruct: an array that __setstate__ fills."""
  return np.empty(0)


TORCH_NAMES = {
  ("collections", "OrderedDict"): collections.OrderedDict,
  ("torch._utils", "_rebuild_tensor"): _tensor,
  ("torch._utils", "_rebuild_tensor_v2"): _tensor,
  ("torch._utils", "_rebuild_parameter"): _parameter,
  ("torch.nn.parameter", "Parameter"): _parameter,
  ("torch", "FloatStorage"): np.dtype("<f4"),
  ("torch", "DoubleStorage"): np.dtype("<f8"),
  ("torch", "HalfStorage"): np.dtype("<f2"),
  ("torch", "LongStorage"): np.dtype("<i8"),
  ("torch", "ByteStorage"): np.dtype("u1"),
}
NUMPY_NAMES = {
  ("numpy", "ndarray"): None,  # Only an argument of _reconstruct.
  ("numpy", "dtype"): np.dtype,
  ("numpy.core.multiarray", "_reconstruct"): _empty_array,
  ("numpy._core.multiarray", "_reconstruct"): _empty_array,
}
