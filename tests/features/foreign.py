"""Weights as other projects write them, in small."""

import collections
import io
import pathlib
import pickle
import sys
import types
import zipfile
from typing import Any

import h5py
import numpy as np

from astgan.features import convert, vgg

STORAGES = {"f": "FloatStorage", "B": "ByteStorage"}


def torchvision_arrays(net: str, seed: int = 0) -> dict[str, np.ndarray]:
  """torchvision's names and axes, for as many channels as vgg.CHANNELS."""
  rng = np.random.default_rng(seed)
  arrays = {}
  channels = 3
  for layer, (kernel, bias) in convert.torchvision_names(net).items():
    made = vgg.CHANNELS[int(layer[4]) - 1]
    deviation = np.sqrt(2 / (9 * channels))
    drawn = rng.normal(0, deviation, (made, channels, 3, 3))
    arrays[kernel] = drawn.astype(np.float32)
    arrays[bias] = rng.normal(0, 0.1, made).astype(np.float32)
    channels = made
  return arrays


def keras_arrays(net: str) -> dict[str, np.ndarray]:
  """The same numbers under Keras' names, HWIO."""
  stored = torchvision_arrays(net)
  arrays = {}
  there = convert.torchvision_names(net)
  for layer, (kernel, bias) in convert.keras_names(net).items():
    arrays[kernel] = stored[there[layer][0]].transpose(2, 3, 1, 0)
    arrays[bias] = stored[there[layer][1]]
  return arrays


def write_keras(path: pathlib.Path, arrays: dict[str, np.ndarray]) -> None:
  """A file with the groups and names of Keras' applications."""
  with h5py.File(path, "w") as file:
    for name, array in arrays.items():
      layer, part = name.split(".")
      letter = {"kernel": "W", "bias": "b"}[part]
      file[f"{layer}/{layer}_{letter}_1:0"] = array


def raw(array: np.ndarray) -> bytes:
  """The numbers in the order in which they lie in memory."""
  return array.tobytes("A")


def write_torch(
  path: pathlib.Path, arrays: dict[str, Any], *, legacy: bool, monkeypatch
) -> None:
  """What torch.save writes, made without torch: an archive or, until 1.6, rows.

  Args:
    arrays: float32 or uint8; an object that is no array is pickled as it is.
  """
  modules = {name: types.ModuleType(name) for name in ("torch", "torch._utils")}

  def rebuild():
    raise AssertionError("only its name is written")

  rebuild.__module__ = "torch._utils"
  rebuild.__qualname__ = rebuild.__name__ = "_rebuild_tensor_v2"
  modules["torch._utils"]._rebuild_tensor_v2 = rebuild
  for name in STORAGES.values():
    storage = type(name, (), {"__module__": "torch"})
    setattr(modules["torch"], name, storage)

  class Tensor:
    def __init__(self, key, array):
      self.key, self.array = key, array

    def __reduce__(self):
      strides = tuple(s // self.array.itemsize for s in self.array.strides)
      hooks = collections.OrderedDict()
      shape = self.array.shape
      return rebuild, (Storage(self), 0, shape, strides, False, hooks)

  class Storage:
    def __init__(self, tensor):
      self.tensor = tensor

  class Pickler(pickle.Pickler):
    def persistent_id(self, thing):
      if not isinstance(thing, Storage):
        return None
      array = thing.tensor.array
      kind = getattr(modules["torch"], STORAGES[array.dtype.char])
      pid = ("storage", kind, thing.tensor.key, "cpu", array.size)
      return (*pid, None) if legacy else pid

  tensors = {
    name: Tensor(str(index), array) if isinstance(array, np.ndarray) else array
    for index, (name, array) in enumerate(arrays.items())
  }
  stored = [t for t in tensors.values() if isinstance(t, Tensor)]
  pickled = io.BytesIO()
  with monkeypatch.context() as patch:
    for name, module in modules.items():
      patch.setitem(sys.modules, name, module)
    Pickler(pickled, 2).dump(tensors)
  if legacy:
    with path.open("wb") as file:
      pickle.dump(0x1950A86A20F9469CFC6C, file, 2)
      pickle.dump(1001, file, 2)
      pickle.dump({"protocol_version": 1001, "little_endian": True}, file, 2)
      file.write(pickled.getvalue())
      pickle.dump([t.key for t in stored], file, 2)
      for t in stored:
        file.write(t.array.size.to_bytes(8, "little") + raw(t.array))
  else:
    with zipfile.ZipFile(path, "w") as archive:
      archive.writestr("archive/data.pkl", pickled.getvalue())
      archive.writestr("archive/byteorder", "little")
      for t in stored:
        archive.writestr(f"archive/data/{t.key}", raw(t.array))
