"""Converted weights in the user's cache folder, one file per network."""

import pathlib
from typing import Any

import numpy as np
import platformdirs
import safetensors
import safetensors.numpy

from astgan import runs
from astgan.features import convert, files


def path(net: str) -> pathlib.Path:
  """The file that keeps the network's weights."""
  folder = pathlib.Path(platformdirs.user_cache_dir("astgan")) / "weights"
  return folder / f"{net}.safetensors"


def read(net: str) -> dict[str, Any]:
  """The kept parameters, compared with the hash that was written with them.

  Raises:
    OSError: if there is no file, or it cannot be opened.
    ValueError: if the file is not as it was written.
  """
  found, params = convert.canonical(files.read(path(net)))
  with safetensors.safe_open(path(net), "numpy") as file:
    expected = (file.metadata() or {}).get("sha256")
  if found != net or convert.digest(params) != expected:
    raise ValueError("the file is damaged")
  return params


def write(net: str, params: dict[str, Any]) -> None:
  """Keeps the parameters, with their hash.

  Raises:
    OSError: if the folder cannot be written.
  """
  arrays = {
    name: np.ascontiguousarray(array)
    for name, array in convert.flatten(params).items()
  }
  data = safetensors.numpy.save(arrays, {"sha256": convert.digest(params)})
  path(net).parent.mkdir(parents=True, exist_ok=True)
  runs.write_atomically(path(net), data)
