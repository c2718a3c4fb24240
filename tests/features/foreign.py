"""Weight files as other projects write them, with random weights."""

import collections
import io
import pathlib
import pickle
import sys
import types
import zipfile
from typing import Any
from unittest import mock

import h5py
import numpy as np
import safetensors.numpy

from astgan.features import convert, vgg

STORAGES = {"f": "FloatStorage", "B": "ByteStorage"}


def torchvision_arrays(net: str) -> dict[str, np.ndarray]:
  """torchvision's names and axes, OIHW, with the channels of vgg.CHANNELS."""
  rng = np.random.default_rng(0)
  shapes = vgg.kernel_shapes(net)
  arrays = {}
  for layer, (kernel, bias) in convert.torchvision_names(net).items():
    _, _, inputs, outputs = shapes[layer]
    drawn = rng.normal(0, np.sqrt(2 / (9 * inputs)), (outputs, inputs, 3, 3))
    arrays[kernel] = drawn.astype(np.float32)
    arrays[bias] = rng.normal(0, 0.1, outputs).astype(np.float32)
  return arrays


def keras_arrays(net: str) -> dict[str, np.ndarray]:
  """The same numbers under Keras' names, HWIO."""
  names = [name for pair in convert.keras_names(net).values() for name in pair]
  arrays = torchvision_arrays(net).values()
  return {
    name: array.transpose(2, 3, 1, 0).copy() if array.ndim == 4 else array
    for name, array in zip(names, arrays, strict=True)
  }


def write(path: pathlib.Path, arrays: dict[str, np.ndarray]) -> None:
  """A file in the format of its extension."""
  writers = {
    ".safetensors": lambda: safetensors.numpy.save_file(arrays, path),
    ".npz": lambda: np.savez(path, **arrays),
    ".pth": lambda: write_torch(path, arrays),
    ".h5": lambda: write_h5(path, arrays, "{layer}/{layer}_{part[0]}:0"),
  }
  writers[path.suffix]()


def write_h5(
  path: pathlib.Path, arrays: dict[str, np.ndarray], place: str
) -> None:
  """Keras' arrays, placed in the file as one of its versions does."""
  with h5py.File(path, "w") as file:
    for name, array in arrays.items():
      layer, part = name.split(".")
      file[place.format(layer=layer, part=part, axes=array.ndim)] = array


def write_torch(
  path: pathlib.Path, objects: dict[str, Any], *, legacy: bool = False
) -> None:
  """A file of torch.save, made without torch: a zip archive, or legacy.

  Args:
    objects: float32 and uint8 arrays become tensors; other objects are
      pickled as they are.
  """
  torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
  rebuild = type("_rebuild_tensor_v2", (), {"__module__": "torch._utils"})
  utils._rebuild_tensor_v2 = rebuild
  for name in STORAGES.values():
    setattr(torch, name, type(name, (), {"__module__": "torch"}))

  class Storage:
    def __init__(self, array):
      self.array = array
      self.key = str(len(storages))
      storages.append(self)

  class Pickler(pickle.Pickler):
    def reducer_override(self, thing):
      if not isinstance(thing, np.ndarray):
        return NotImplemented
      strides = tuple(stride // thing.itemsize for stride in thing.strides)
      hooks = collections.OrderedDict()
      arguments = (Storage(thing), 0, thing.shape, strides, False, hooks)
      return rebuild, arguments

    def persistent_id(self, thing):
      if not isinstance(thing, Storage):
        return None
      dtype = getattr(torch, STORAGES[thing.array.dtype.char])
      pid = ("storage", dtype, thing.key, "cpu", thing.array.size)
      return (*pid, None) if legacy else pid

  storages, pickled = [], io.BytesIO()
  with mock.patch.dict(sys.modules, {"torch": torch, "torch._utils": utils}):
    Pickler(pickled, 2).dump(objects)
  if legacy:
    with path.open("wb") as file:
      information = {"protocol_version": 1001, "little_endian": True}
      for header in (0x1950A86A20F9469CFC6C, 1001, information):
        pickle.dump(header, file, 2)
      file.write(pickled.getvalue())
      pickle.dump([storage.key for storage in storages], file, 2)
      for storage in storages:
        count = storage.array.size.to_bytes(8, "little")
        file.write(count + raw(storage.array))
  else:
    with zipfile.ZipFile(path, "w") as archive:
      archive.writestr("archive/data.pkl", pickled.getvalue())
      archive.writestr("archive/byteorder", "little")
      for storage in storages:
        archive.writestr(f"archive/data/{storage.key}", raw(storage.array))


def raw(array: np.ndarray) -> bytes:
  """The numbers in memory order."""
  return array.tobytes("A")
