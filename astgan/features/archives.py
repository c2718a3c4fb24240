"""Arrays out of pickles made by PyTorch and NumPy, as data.

A pickle can name any function to be called. These readers know the few names
that tensors and arrays need, put functions of this module in their places
and refuse every other name, so a file cannot run anything. PyTorch is not
needed.
"""

import collections
import io
import math
import pathlib
import pickle
import zipfile
from typing import Any

import numpy as np

# The first number in a file of torch.save before PyTorch 1.6.
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C


def read_torch(path: pathlib.Path | str) -> dict[str, Any]:
  """What torch.save wrote, tensors as arrays: zip archives and older files.

  Raises:
    pickle.UnpicklingError: if the file is not such a file, is cut short, or
      asks for anything but dense, contiguous tensors.
  """
  path = pathlib.Path(path)
  if zipfile.is_zipfile(path):
    return _read_zip(path)
  with path.open("rb") as file:
    return _read_legacy(file, path.stat().st_size)


def read_numpy(path: pathlib.Path | str) -> dict[str, Any]:
  """A pickled dict of arrays.

  Raises:
    pickle.UnpicklingError: if anything but arrays is in the file.
  """
  with pathlib.Path(path).open("rb") as file:
    return _Unpickler(file, NUMPY_NAMES).load()


class _Unpickler(pickle.Unpickler):
  """Knows these names and the storages of tensors, and nothing else."""

  def __init__(self, file: io.BufferedIOBase, names: dict, storage: Any = None):
    super().__init__(file)
    self._names = names
    self._storage = storage

  def find_class(self, module: str, name: str) -> Any:
    if (module, name) not in self._names:
      raise pickle.UnpicklingError(f"it asks for {module}.{name}")
    return self._names[module, name]

  def persistent_load(self, pid: Any) -> np.ndarray:
    # ('storage', type, key, device, count), and a view in the older files.
    if self._storage is None or pid[0] != "storage" or any(pid[5:]):
      raise pickle.UnpicklingError("it holds something else than tensors")
    return self._storage(pid[1], pid[2], pid[4])


def _read_zip(path: pathlib.Path) -> dict[str, Any]:
  with zipfile.ZipFile(path) as archive:
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
  # Five pickles in a row: a magic number, the protocol, facts about the
  # system, the object, the storages' keys; then each storage's count, data.
  if _Unpickler(file, {}).load() != LEGACY_MAGIC:
    raise pickle.UnpicklingError("the file was not made by torch.save")
  _Unpickler(file, {}).load()
  _require_little_endian(_Unpickler(file, {}).load()["little_endian"])
  storages = {}

  def storage(dtype: np.dtype, key: str, count: int) -> np.ndarray:
    if key not in storages:
      if count * dtype.itemsize > size:
        raise pickle.UnpicklingError("the file is cut short")
      storages[key] = np.zeros(count, dtype)
    return storages[key]

  result = _Unpickler(file, TORCH_NAMES, storage).load()
  for key in _Unpickler(file, {}).load():
    file.read(8)  # The count, known already.
    data = memoryview(storages[key]).cast("B")
    if file.readinto(data) != len(data):
      raise pickle.UnpicklingError("the file is cut short")
  return result


def _require_little_endian(is_little: bool) -> None:
  if not is_little:
    raise pickle.UnpicklingError("it was saved by a big-endian machine")


def _tensor(storage, offset, size, strides, *_) -> np.ndarray:
  """The place of torch._utils._rebuild_tensor_v2: a view of the storage."""
  contiguous = tuple(math.prod(size[i + 1 :]) for i in range(len(size)))
  if tuple(strides) != contiguous and 0 not in size:
    raise pickle.UnpicklingError(
      "it holds tensors that are not contiguous; save tensor.contiguous()"
    )
  return storage[offset : offset + math.prod(size)].reshape(size)


def _parameter(tensor, *_) -> np.ndarray:
  """The place of torch.nn.parameter.Parameter: its tensor."""
  return tensor


def _empty_array(*_) -> np.ndarray:
  """The place of NumPy's _reconstruct: an array yet to be filled."""
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
