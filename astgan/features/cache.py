"""Cache of converted weights in the user's cache folder, one file per net."""

import pathlib
from typing import Any

import numpy as np
import platformdirs
import safetensors
import safetensors.numpy

from astgan import atomic
from astgan.features import convert, files


def path(net: str) -> pathlib.Path:
  """The cache file of a net of `nets.NETS`."""
  folder = pathlib.Path(platformdirs.user_cache_dir("astgan")) / "weights"
  return folder / f"{net}.safetensors"


def read(net: str) -> dict[str, Any]:
  """The cached parameters, verified by the digest stored with them.

  Raises:
    OSError: there is no file, or it cannot be opened.
    ValueError: the file is damaged or holds another net.
  """
  found, params = convert.canonical(files.read(path(net)))
  with safetensors.safe_open(path(net), "numpy") as file:
    expected = (file.metadata() or {}).get("sha256")
  if found != net or convert.digest(params) != expected:
    raise ValueError("the file is damaged")
  return params


def write(net: str, params: dict[str, Any]) -> None:
  """Writes the parameters and their digest atomically.

  Raises:
    OSError: the folder cannot be written.
  """
  arrays = {
    name: np.ascontiguousarray(array)
    for name, array in convert.flatten(params).items()
  }
  data = safetensors.numpy.save(arrays, {"sha256": convert.digest(params)})
  path(net).parent.mkdir(parents=True, exist_ok=True)
  atomic.sweep(path(net).parent)
  atomic.write(path(net), data)
