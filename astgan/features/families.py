"""The families of weight files: their names of arrays, axes and pixels.

A family names the kernel and the bias of each convolution, and converts its
arrays to the parameters of `nets`: RGB in [0, 1] and HWIO. All families of a
network then give activations of one scale, so that a loss weight chosen for
one also suits the others.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from astgan.features import inception, nets, vgg

# Keras and Gatys use the Caffe network. It takes pixels in [0, 255] less this
# mean of ImageNet (here for RGB in [0, 1]) and does not divide them.
CAFFE_MEAN = (123.68 / 255, 116.779 / 255, 103.939 / 255)
# A standard deviation close to torchvision's, so that the activations have
# torchvision's scale. ReLU is positively homogeneous: dividing the input and
# all biases by a constant divides every activation by it.
CAFFE_STD = 0.225
# The classes of the Inception of 2015; torchvision's has 1,000.
INCEPTION_CLASSES = 1008

Arrays = dict[str, np.ndarray]
# Names of the kernel and the bias by layer.
Names = dict[str, tuple[str, str]]


class Family(NamedTuple):
  """How the arrays of a family are named and converted to parameters."""

  names: Callable[[str], Names]
  convert: Callable[[Arrays, Names], dict[str, Any]]


def own_names(net: str) -> Names:
  """Our names, those of `convert.flatten`."""
  return {
    layer: (f"{layer}.kernel", f"{layer}.bias") for layer in nets.NETS[net]()
  }


def keras_names(net: str) -> Names:
  """The names that `files.read` gives to kernel and bias in Keras files."""
  names = {}
  for layer in nets.NETS[net]():
    block, index = layer.removeprefix("conv").split("_")
    prefix = f"block{block}_conv{index}"
    names[layer] = (f"{prefix}.kernel", f"{prefix}.bias")
  return names


def torchvision_names(net: str) -> Names:
  """torchvision's names: indices into a list of all layers.

  The list also counts ReLU and pooling layers. The heads of LPIPS, which
  torchvision does not have, keep their names.
  """
  layers, trunk = list(nets.NETS[net]()), net.removeprefix("lpips_")
  is_vgg = trunk in vgg.BLOCKS
  positions = _vgg_positions(trunk) if is_vgg else (0, 3, 6, 8, 10)
  prefixes = [f"features.{position}" for position in positions]
  prefixes += layers[len(prefixes) :]
  return {
    layer: (f"{prefix}.weight", f"{prefix}.bias")
    for layer, prefix in zip(layers, prefixes, strict=True)
  }


def _vgg_positions(net):
  position = 0
  for depth in vgg.BLOCKS[net]:
    for _ in range(depth):
      yield position
      position += 2  # The convolution and its ReLU.
    position += 1  # The pooling.


def inception_names(net: str) -> Names:
  """The names of the ports of Inception to PyTorch."""
  return {
    layer: (f"{layer}.conv.weight", f"{layer}.bn.bias")
    for layer in nets.NETS[net]()
  }


def from_own(arrays: Arrays, names: Names) -> dict[str, Any]:
  """What `convert.flatten` gave."""
  params = _layers(arrays, names)
  return params | {part: _float32(arrays[part]) for part in ("mean", "scale")}


def from_keras(arrays: Arrays, names: Names) -> dict[str, Any]:
  """Keras' VGG, for BGR in [0, 255]."""
  params = _layers(arrays, names)
  first = params["conv1_1"]
  first["kernel"] = first["kernel"][:, :, ::-1]  # BGR to RGB.
  for layer in params.values():
    layer["bias"] = layer["bias"] / np.float32(255 * CAFFE_STD)
  mean, scale = _float32(CAFFE_MEAN), _float32([CAFFE_STD] * 3)
  return params | {"mean": mean, "scale": scale}


def from_torchvision(arrays: Arrays, names: Names) -> dict[str, Any]:
  """torchvision's VGG and AlexNet, for ImageNet's mean and deviation."""
  params = _layers(arrays, names)
  for layer in params.values():
    layer["kernel"] = layer["kernel"].transpose(2, 3, 1, 0)  # OIHW to HWIO.
  mean, scale = _float32(vgg.IMAGENET_MEAN), _float32(vgg.IMAGENET_STD)
  return params | {"mean": mean, "scale": scale}


def from_inception(arrays: Arrays, names: Names) -> dict[str, Any]:
  """Inception for pixels in [-1, 1], batch normalization folded in.

  y = weight (conv(x) - mean) / sqrt(variance + epsilon) + bias
  """
  classes = len(arrays["fc.bias"])
  if classes != INCEPTION_CLASSES:
    raise ValueError(
      f"it has {classes} classes; the Inception of the Frechet Inception"
      f" distance has {INCEPTION_CLASSES}"
    )
  params = {}
  for layer, (kernel, _) in names.items():
    weight, bias, mean, variance = (
      np.asarray(arrays[f"{layer}.bn.{part}"], np.float64)
      for part in ("weight", "bias", "running_mean", "running_var")
    )
    kernel = arrays[kernel].transpose(2, 3, 1, 0)  # OIHW to HWIO.
    if {a.shape for a in (weight, bias, mean, variance)} != {kernel.shape[3:]}:
      raise ValueError(f"{layer}.bn is not {kernel.shape[3:]}")
    factor = weight / np.sqrt(variance + inception.BATCH_NORM_EPSILON)
    params[layer] = {
      "kernel": _float32(kernel * factor),
      "bias": _float32(bias - mean * factor),
    }
  half = _float32([0.5] * 3)
  return params | {"mean": half, "scale": half}


def _layers(arrays, names):
  return {
    layer: {"kernel": _float32(arrays[kernel]), "bias": _float32(arrays[bias])}
    for layer, (kernel, bias) in names.items()
  }


def _float32(array) -> np.ndarray:
  return np.asarray(array, np.float32)


OWN = Family(own_names, from_own)
KERAS = Family(keras_names, from_keras)
TORCHVISION = Family(torchvision_names, from_torchvision)
INCEPTION = Family(inception_names, from_inception)
FAMILIES: dict[str, tuple[Family, ...]] = {
  "vgg16": (OWN, KERAS, TORCHVISION),
  "vgg19": (OWN, KERAS, TORCHVISION),
  "alexnet": (OWN, TORCHVISION),
  "lpips_alexnet": (OWN, TORCHVISION),
  "lpips_vgg16": (OWN, TORCHVISION),
  "inception": (INCEPTION,),
}
