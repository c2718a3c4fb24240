"""Finds the network that arrays are of, and converts and checks them."""

import hashlib
from typing import Any

import numpy as np

from astgan.features import families, nets


def canonical(arrays: dict[str, np.ndarray]) -> tuple[str, dict[str, Any]]:
  """The name of the network, one of `nets.NETS`, and its parameters.

  Args:
    arrays: arrays by one family's names: `conv1_1.kernel` (ours),
      `block1_conv1.kernel` (Keras), `features.0.weight` (torchvision) or
      `Conv2d_1a_3x3.conv.weight` (Inception).

  Raises:
    ValueError: the arrays are not a network of the table, have other shapes,
      or hold values that are not finite.
  """
  kernels = {
    name
    for name, array in arrays.items()
    if array.ndim == 4 and not name.startswith("AuxLogits.")
  }
  for net, candidates in families.FAMILIES.items():
    for family in candidates:
      names = family.names(net)
      if kernels == {kernel for kernel, _ in names.values()}:
        try:
          params = family.convert(arrays, names)
        except KeyError as error:
          raise ValueError(f"it has no array {error}") from None
        _check(params, net)
        return net, params
  found = ", ".join(sorted(kernels)[:3]) or "no kernels"
  known = ", ".join(nets.NETS)
  raise ValueError(f"its arrays ({found}, ...) are none of {known}")


def digest(params: dict[str, Any]) -> str:
  """SHA-256 of all names, shapes and values, in hexadecimal."""
  sha256 = hashlib.sha256()
  for name, array in sorted(flatten(params).items()):
    sha256.update(f"{name} {array.shape} ".encode())
    sha256.update(np.ascontiguousarray(array, "<f4").data)
  return sha256.hexdigest()


def flatten(params: dict[str, Any]) -> dict[str, np.ndarray]:
  """The parameters by dotted names: `mean`, `scale`, `conv1_1.kernel`, ..."""
  arrays = {}
  for name, value in params.items():
    if isinstance(value, dict):
      arrays |= {f"{name}.{part}": array for part, array in value.items()}
    else:
      arrays[name] = value
  return {name: np.asarray(array) for name, array in arrays.items()}


def _check(params: dict[str, Any], net: str) -> None:
  """Raises ValueError for wrong shapes and values that are not finite."""
  expected = nets.shapes(net)
  for name, array in flatten(params).items():
    if array.shape != expected[name]:
      raise ValueError(
        f"{name} of {net} has shape {expected[name]}; got {array.shape}"
      )
    if not np.isfinite(array).all():
      raise ValueError(f"{name} holds values that are not finite")
