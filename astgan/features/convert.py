"""VGG weights of every family, as the parameters that `vgg.apply` reads.

Families differ in the names of arrays, the order of a kernel's axes and of
the colours, and the scale of the pixels. After conversion all take RGB in
[0, 1] and scale it alike, so that a loss's weight that suits one family is
not off by the powers of 255 for another.
"""

import hashlib
from typing import Any

import numpy as np

from astgan.features import vgg

# The Caffe network, which Keras and Gatys use: mean of ImageNet's pixels in
# [0, 1], RGB. Its pixels in [0, 255] are shifted and not scaled.
CAFFE_MEAN = (123.68 / 255, 116.779 / 255, 103.939 / 255)
# A deviation of the pixels like torchvision's, so that activations become as
# large as torchvision's: dividing the input and all biases by one number
# divides all activations by it, because max(0, x) scales with x.
CAFFE_DEVIATION = 0.225


def canonical(arrays: dict[str, np.ndarray]) -> tuple[str, dict[str, Any]]:
  """The net, "vgg16" or "vgg19", and parameters of any family's arrays.

  Args:
    arrays: by the family's names. `conv1_1.kernel` is our own, also
      `block1_conv1.kernel` Keras' and `features.0.weight` torchvision's.

  Raises:
    ValueError: when the arrays are no VGG, or one of another shape.
  """
  kernels = {name for name, array in arrays.items() if array.ndim == 4}
  for names, convert in (
    (own_names, _from_own),
    (keras_names, _from_keras),
    (torchvision_names, _from_torchvision),
  ):
    for net in vgg.BLOCKS:
      if kernels == {kernel for kernel, _ in names(net).values()}:
        try:
          params = convert(arrays, names(net))
        except KeyError as error:
          raise ValueError(f"it has no array {error}") from None
        _check(params, net)
        return net, params
  found = ", ".join(sorted(kernels)[:3]) or "no kernels"
  raise ValueError(f"its arrays are not VGG16's or VGG19's ({found}, ...)")


def digest(params: dict[str, Any]) -> str:
  """SHA-256 of all names, shapes and values, as hexadecimal digits."""
  sha256 = hashlib.sha256()
  for name, array in sorted(flatten(params).items()):
    sha256.update(f"{name} {array.shape} ".encode())
    sha256.update(np.ascontiguousarray(array, "<f4").data)
  return sha256.hexdigest()


def flatten(params: dict[str, Any]) -> dict[str, np.ndarray]:
  """One dict of arrays: `mean`, `scale`, `conv1_1.kernel`, ..."""
  arrays = {}
  for name, value in params.items():
    if isinstance(value, dict):
      arrays |= {f"{name}.{part}": array for part, array in value.items()}
    else:
      arrays[name] = value
  return {name: np.asarray(array) for name, array in arrays.items()}


def own_names(net: str) -> dict[str, tuple[str, str]]:
  """Our names of every convolution's kernel and bias."""
  return {
    layer: (f"{layer}.kernel", f"{layer}.bias") for layer in vgg.kernels(net)
  }


def keras_names(net: str) -> dict[str, tuple[str, str]]:
  """Keras' layer names, and what `files.read` calls their two arrays."""
  names = {}
  for layer in vgg.kernels(net):
    block, index = layer.removeprefix("conv").split("_")
    prefix = f"block{block}_conv{index}"
    names[layer] = (f"{prefix}.kernel", f"{prefix}.bias")
  return names


def torchvision_names(net: str) -> dict[str, tuple[str, str]]:
  """torchvision's: places in a list with every ReLU and pooling in it."""
  names = {}
  place = 0
  for block, depth in enumerate(vgg.BLOCKS[net], start=1):
    for index in range(1, depth + 1):
      prefix = f"features.{place}"
      names[f"conv{block}_{index}"] = (f"{prefix}.weight", f"{prefix}.bias")
      place += 2  # The convolution and its ReLU.
    place += 1  # The block's pooling.
  return names


def _from_own(arrays, names):
  params = _layers(arrays, names)
  return params | {part: _float32(arrays[part]) for part in ("mean", "scale")}


def _from_keras(arrays, names):
  params = _layers(arrays, names)
  first = params["conv1_1"]
  first["kernel"] = first["kernel"][:, :, ::-1]  # BGR to RGB.
  for layer in params.values():
    layer["bias"] = layer["bias"] / np.float32(255 * CAFFE_DEVIATION)
  mean, scale = _float32(CAFFE_MEAN), _float32([CAFFE_DEVIATION] * 3)
  return params | {"mean": mean, "scale": scale}


def _from_torchvision(arrays, names):
  params = _layers(arrays, names)
  for layer in params.values():
    layer["kernel"] = layer["kernel"].transpose(2, 3, 1, 0)  # OIHW to HWIO.
  mean, scale = _float32(vgg.IMAGENET_MEAN), _float32(vgg.IMAGENET_DEVIATION)
  return params | {"mean": mean, "scale": scale}


def _layers(arrays, names):
  return {
    layer: {"kernel": _float32(arrays[kernel]), "bias": _float32(arrays[bias])}
    for layer, (kernel, bias) in names.items()
  }


def _float32(array) -> np.ndarray:
  return np.asarray(array, np.float32)


def _check(params: dict[str, Any], net: str) -> None:
  """Raises ValueError for a wrong shape, or values that are not finite."""
  expected = {"mean": (3,), "scale": (3,)}
  for layer, shape in vgg.kernels(net).items():
    expected |= {f"{layer}.kernel": shape, f"{layer}.bias": shape[3:]}
  for name, array in flatten(params).items():
    if array.shape != expected[name]:
      raise ValueError(
        f"{name} of {net} has shape {expected[name]}; got {array.shape}"
      )
    if not np.isfinite(array).all():
      raise ValueError(f"{name} holds values that are not finite")
