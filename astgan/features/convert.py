"""Converts VGG weights of every family to the parameters of `vgg.apply`.

Families differ in the names of the arrays, the order of the kernel axes, the
order of the colour channels and the scale of the pixels. After conversion all
families take RGB in [0, 1] and give activations of the same scale. A loss
weight chosen for one family then also suits the others.
"""

import hashlib
from typing import Any

import numpy as np

from astgan.features import vgg

# Keras and Gatys use the Caffe network. It takes pixels in [0, 255] less this
# mean of ImageNet (here for RGB in [0, 1]) and does not divide them.
CAFFE_MEAN = (123.68 / 255, 116.779 / 255, 103.939 / 255)
# A standard deviation close to torchvision's, so that the activations have
# torchvision's scale. ReLU is positively homogeneous: dividing the input and
# all biases by a constant divides every activation by it.
CAFFE_STD = 0.225


def canonical(arrays: dict[str, np.ndarray]) -> tuple[str, dict[str, Any]]:
  """The net, "vgg16" or "vgg19", and its parameters.

  Args:
    arrays: arrays by one family's names: `conv1_1.kernel` (ours),
      `block1_conv1.kernel` (Keras) or `features.0.weight` (torchvision).

  Raises:
    ValueError: the arrays are not a VGG, have other shapes, or hold values
      that are not finite.
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
  raise ValueError(f"its arrays are neither VGG16 nor VGG19 ({found}, ...)")


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


def own_names(net: str) -> dict[str, tuple[str, str]]:
  """Our names of the kernel and bias of each convolution."""
  return {
    layer: (f"{layer}.kernel", f"{layer}.bias")
    for layer in vgg.kernel_shapes(net)
  }


def keras_names(net: str) -> dict[str, tuple[str, str]]:
  """The names that `files.read` gives to kernel and bias in Keras files."""
  names = {}
  for layer in vgg.kernel_shapes(net):
    block, index = layer.removeprefix("conv").split("_")
    prefix = f"block{block}_conv{index}"
    names[layer] = (f"{prefix}.kernel", f"{prefix}.bias")
  return names


def torchvision_names(net: str) -> dict[str, tuple[str, str]]:
  """torchvision's names: indices into a list of all layers.

  The list also counts ReLU and pooling layers.
  """
  names = {}
  position = 0
  for block, depth in enumerate(vgg.BLOCKS[net], start=1):
    for index in range(1, depth + 1):
      prefix = f"features.{position}"
      names[f"conv{block}_{index}"] = (f"{prefix}.weight", f"{prefix}.bias")
      position += 2  # The convolution and its ReLU.
    position += 1  # The pooling.
  return names


def _from_own(arrays, names):
  params = _layers(arrays, names)
  return params | {part: _float32(arrays[part]) for part in ("mean", "scale")}


def _from_keras(arrays, names):
  params = _layers(arrays, names)
  first = params["conv1_1"]
  first["kernel"] = first["kernel"][:, :, ::-1]  # BGR to RGB.
  for layer in params.values():
    layer["bias"] = layer["bias"] / np.float32(255 * CAFFE_STD)
  mean, scale = _float32(CAFFE_MEAN), _float32([CAFFE_STD] * 3)
  return params | {"mean": mean, "scale": scale}


def _from_torchvision(arrays, names):
  params = _layers(arrays, names)
  for layer in params.values():
    layer["kernel"] = layer["kernel"].transpose(2, 3, 1, 0)  # OIHW to HWIO.
  mean, scale = _float32(vgg.IMAGENET_MEAN), _float32(vgg.IMAGENET_STD)
  return params | {"mean": mean, "scale": scale}


def _layers(arrays, names):
  return {
    layer: {"kernel": _float32(arrays[kernel]), "bias": _float32(arrays[bias])}
    for layer, (kernel, bias) in names.items()
  }


def _float32(array) -> np.ndarray:
  return np.asarray(array, np.float32)


def _check(params: dict[str, Any], net: str) -> None:
  """Raises ValueError for wrong shapes and values that are not finite."""
  expected = {"mean": (3,), "scale": (3,)}
  for layer, shape in vgg.kernel_shapes(net).items():
    expected |= {f"{layer}.kernel": shape, f"{layer}.bias": shape[3:]}
  for name, array in flatten(params).items():
    if array.shape != expected[name]:
      raise ValueError(
        f"{name} of {net} has shape {expected[name]}; got {array.shape}"
      )
    if not np.isfinite(array).all():
      raise ValueError(f"{name} holds values that are not finite")
