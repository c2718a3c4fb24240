"""Weights out of files of every format, as arrays by name, nothing run."""

import hashlib
import pathlib
import pickle
import re
import zipfile

import h5py
import numpy as np
import safetensors
import safetensors.numpy

from astgan.features import archives

# Kind and first digits of the hashes that Keras and torchvision publish.
PUBLISHED = {
  "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5": (
    "md5",
    "253f8cb515780f3b799900260a226db6",
  ),
  "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5": (
    "md5",
    "6d6bbae143d832006294945121d1f1fc",
  ),
  "vgg19-dcbb9e9d.pth": ("sha256", "dcbb9e9d"),
  "vgg16-397923af.pth": ("sha256", "397923af"),
}


def read(path: pathlib.Path | str) -> dict[str, np.ndarray]:
  """The arrays of a .safetensors, .npz, Keras .h5 or torch .pth file.

  Raises:
    OSError: if the file cannot be opened.
    ValueError: if the file is damaged or of another kind.
  """
  path = pathlib.Path(path)
  if path.suffix not in READERS:
    raise ValueError(f"its ending is none of {', '.join(READERS)}")
  with path.open("rb"):  # What can't be opened is told apart from damage.
    pass
  try:
    return READERS[path.suffix](path)
  except DAMAGE as error:
    reason = " ".join(str(error).split())
    raise ValueError(f"it is damaged or of another kind ({reason})") from error


def check_published(path: pathlib.Path | str) -> None:
  """Raises ValueError if a file with a published name is not that file."""
  path = pathlib.Path(path)
  if path.name not in PUBLISHED:
    return
  kind, expected = PUBLISHED[path.name]
  with path.open("rb") as file:
    found = hashlib.file_digest(file, kind).hexdigest()
  if not found.startswith(expected):
    raise ValueError(f"its {kind} is {found}; the published one's {expected}")


def read_palette(path: pathlib.Path | str) -> dict[str, np.ndarray]:
  """Keras' arrays from an archive that keeps 256 values for each kernel.

  torch.save wrote, for every layer, one byte for each weight, OIHW (`_W_q`),
  the values that these bytes point to (`_W_table`), and the biases (`_b`).
  """
  arrays = {}
  stored = archives.read_torch(path)
  for name in stored:
    layer = name.removesuffix("_W_q")
    if layer != name:
      kernel = stored[f"{layer}_W_table"][stored[name]]
      arrays[f"{layer}.kernel"] = kernel.transpose(2, 3, 1, 0)
      arrays[f"{layer}.bias"] = stored[f"{layer}_b"]
  return arrays


def read_flax(
  path: pathlib.Path | str, names: dict[str, tuple[str, str]]
) -> dict[str, np.ndarray]:
  """torchvision's arrays from a pickled Flax network of numbered layers.

  Args:
    path: its `VGG16_0` holds `Conv_0`, `Conv_1`, ..., HWIO.
    names: torchvision's, of every convolution's kernel and bias.
  """
  layers = archives.read_numpy(path)["VGG16_0"]
  arrays = {}
  for index, (kernel, bias) in enumerate(names.values()):
    layer = layers[f"Conv_{index}"]
    arrays[kernel] = layer["kernel"].transpose(3, 2, 0, 1)  # HWIO to OIHW.
    arrays[bias] = layer["bias"]
  return arrays


def _read_npz(path: pathlib.Path) -> dict[str, np.ndarray]:
  with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
    return dict(stored)


def _read_keras(path: pathlib.Path) -> dict[str, np.ndarray]:
  # The names of the arrays changed with Keras' versions, but each was a path
  # with the layer's name in it, one array of 4 axes and one of 1.
  arrays = {}

  def visit(name, node):
    layer = re.search(r"block\d_conv\d", name)
    if layer and isinstance(node, h5py.Dataset):
      part = "kernel" if node.ndim == 4 else "bias"
      arrays[f"{layer.group()}.{part}"] = node[()]

  with h5py.File(path, "r") as file:
    file.visititems(visit)
  return arrays


def _read_torch(path: pathlib.Path) -> dict[str, np.ndarray]:
  stored = archives.read_torch(path)
  if not isinstance(stored, dict):
    raise ValueError("not a dict of tensors")
  return {
    name: array
    for name, array in stored.items()
    if isinstance(array, np.ndarray)
  }


READERS = {
  ".safetensors": safetensors.numpy.load_file,
  ".npz": _read_npz,
  ".h5": _read_keras,
  ".pth": _read_torch,
}
# What the libraries raise at files that they cannot read.
DAMAGE = (
  safetensors.SafetensorError,
  pickle.UnpicklingError,
  zipfile.BadZipFile,
  OSError,
  EOFError,
  KeyError,
  IndexError,
  TypeError,
  AttributeError,
  OverflowError,
  ValueError,
)
