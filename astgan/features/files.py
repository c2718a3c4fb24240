"""Reads weight files of every format as arrays by name; runs no code."""

import hashlib
import pathlib
import pickle
import re
import zipfile
import zlib

import h5py
import numpy as np
import safetensors
import safetensors.numpy

from astgan.features import archives

_INCEPTION = (
  "sha256",
  "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
)
# Algorithm and first digits of the hashes that the authors publish.
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
  "alexnet-owt-7be5be79.pth": ("sha256", "7be5be79"),
  "alexnet-owt-4df8aa71.pth": ("sha256", "4df8aa71"),
  "pt_inception-2015-12-05-6726825d.pth": _INCEPTION,
  "weights-inception-2015-12-05-6726825d.pth": _INCEPTION,
}


def read(path: pathlib.Path | str) -> dict[str, np.ndarray]:
  """The arrays of a .safetensors, .npz, Keras .h5 or torch .pth file.

  Raises:
    OSError: the file cannot be opened.
    ValueError: the file is damaged or has another format.
  """
  path = pathlib.Path(path)
  if path.suffix not in READERS:
    raise ValueError(f"its extension is none of {', '.join(READERS)}")
  with path.open("rb"):  # The OSError of a file that cannot be opened.
    pass
  try:
    return READERS[path.suffix](path)
  except DAMAGE as error:
    reason = " ".join(str(error).split())
    raise ValueError(f"damaged or another format ({reason})") from error


def check_published(path: pathlib.Path | str) -> None:
  """Raises ValueError if a file with a published name has another hash."""
  path = pathlib.Path(path)
  if path.name not in PUBLISHED:
    return
  algorithm, expected = PUBLISHED[path.name]
  found = _digest(path, algorithm)
  if not found.startswith(expected):
    raise ValueError(f"its {algorithm} is {found}; expected {expected}")


def is_published(path: pathlib.Path | str, name: str) -> bool:
  """Whether a file, under any name, has the hash of a published one.

  Args:
    path: the file.
    name: of the published file, one of `PUBLISHED`.
  """
  algorithm, expected = PUBLISHED[name]
  return _digest(path, algorithm).startswith(expected)


def _digest(path: pathlib.Path | str, algorithm: str) -> str:
  with pathlib.Path(path).open("rb") as file:
    return hashlib.file_digest(file, algorithm).hexdigest()


def read_quantized(path: pathlib.Path | str) -> dict[str, np.ndarray]:
  """Keras' arrays from an archive of 8-bit quantized kernels.

  torch.save wrote for each layer the uint8 indices of the weights, OIHW
  (`_W_q`), the lookup table of 256 values (`_W_table`) and the bias (`_b`).
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
  """Arrays by torchvision's names from the pickled parameters of Flax layers.

  Args:
    path: a pickle of dicts of convolutions, HWIO; some have no bias.
    names: the names to give to the kernel and bias of each convolution, by the
      path of its dict, such as `VGG16_0/Conv_0`.
  """
  stored = archives.read_numpy(path)
  arrays = {}
  for layer, (kernel, bias) in names.items():
    module, name = layer.split("/")
    arrays[kernel] = stored[module][name]["kernel"].transpose(3, 2, 0, 1)
    outputs = np.zeros(len(arrays[kernel]), np.float32)
    arrays[bias] = stored[module][name].get("bias", outputs)
  return arrays


def _read_npz(path: pathlib.Path) -> dict[str, np.ndarray]:
  with zipfile.ZipFile(path) as archive:
    _check_size(sum(member.file_size for member in archive.infolist()))
  with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
    return dict(stored)


def _check_size(size: int) -> None:
  """Raises ValueError for the arrays of a file that expands to too much."""
  if size > MAX_BYTES:
    raise ValueError(f"its arrays claim more than {MAX_BYTES:,} bytes")


def _read_keras(path: pathlib.Path) -> dict[str, np.ndarray]:
  # Array names differ between versions of Keras. In all of them the path
  # contains the layer name; the kernel has four axes and the bias one.
  found = {}

  def visit(name, node):
    layer = re.search(r"block\d_conv\d", name)
    if layer and isinstance(node, h5py.Dataset):
      part = "kernel" if node.ndim == 4 else "bias"
      found[f"{layer.group()}.{part}"] = node

  with h5py.File(path, "r") as file:
    file.visititems(visit)
    _check_size(sum(node.nbytes for node in found.values()))
    return {name: node[()] for name, node in found.items()}


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
# What compressed arrays may expand to: twice the largest network that is read.
MAX_BYTES = 2**30

# The exceptions of the libraries for files that they cannot read.
DAMAGE = (
  safetensors.SafetensorError,
  pickle.UnpicklingError,
  zipfile.BadZipFile,
  zlib.error,
  OSError,
  EOFError,
  MemoryError,
  KeyError,
  IndexError,
  TypeError,
  AttributeError,
  OverflowError,
  RuntimeError,
  ValueError,
)
