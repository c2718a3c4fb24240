"""Features of pictures: the convolutional part of VGG16 and VGG19.

Style and content losses compare what these networks, trained to name the
objects of ImageNet, see in two pictures.

References: Simonyan and Zisserman, Very deep convolutional networks for
large-scale image recognition, 2014, table 1, columns D and E.
"""

from collections.abc import Collection, Sequence
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from astgan import arrays

# Features by layer: each layer has a height, width and channels of its own.
Layers = dict[str, Float[Array, "b _h _w _c"]]

# Convolutions in each of the five blocks, and the channels they make.
BLOCKS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
CHANNELS = (64, 128, 256, 512, 512)

# Mean and standard deviation of ImageNet's pixels in [0, 1].
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)


def apply(
  params: dict[str, Any],
  images: arrays.Images,
  taps: Sequence[str],
  *,
  pooling: str = "max",
) -> Layers:
  """Features of the images at every tap.

  A tap is named in any of these ways (in VGG19 the first four mean the tenth
  convolution, with or without its ReLU):

    conv_10       the convolution counted over the whole net, before its ReLU
    conv4_2       the convolution named by block, before its ReLU
    relu4_2       after its ReLU
    block4_conv2  Keras' name, after its ReLU as in Keras
    pool4         the block's output after pooling

  The network ends at the deepest tap: what lies deeper is neither computed
  nor read.

  Args:
    params: weights as `astgan.features.weights.load` gives them. They bring
      the preprocessing of the pixels that they were trained with.
    images: RGB in [0, 1], in the parameters' precision, of any size that
      leaves a pixel after pooling.
    taps: names of the features wanted.
    pooling: "max" as trained, or "average" (Gatys, Ecker and Bethge, A neural
      algorithm of artistic style, 2015, section "Methods").

  Returns: the features by the names in `taps`, the order kept.

  Raises:
    ValueError: for an unknown tap or pooling, or images that are too small.
  """
  net = "vgg19" if "conv3_4" in params else "vgg16"
  check_taps(net, taps)
  if pooling not in POOLS:
    raise ValueError(f"pooling is one of {', '.join(POOLS)}; got {pooling!r}")
  layers = {tap: layers_by_tap(net)[tap] for tap in taps}
  module = VGG(BLOCKS[net], pooling)
  features = module.apply({"params": params}, images, set(layers.values()))
  return {tap: features[layer] for tap, layer in layers.items()}


def init(seed: int, net: str) -> dict[str, Any]:
  """Untrained parameters: He-normal kernels, zero biases, ImageNet's pixels.

  They have the structure that `apply` reads, and are for speed tests. NumPy
  draws them, which takes a tenth of the time of compiling and drawing in JAX.

  References: He, Zhang, Ren and Sun, Delving deep into rectifiers, 2015,
  equation 10.
  """
  rng = np.random.default_rng(seed)
  params = {
    "mean": jnp.float32(IMAGENET_MEAN),
    "scale": jnp.float32(IMAGENET_DEVIATION),
  }
  for layer, shape in kernels(net).items():
    deviation = np.float32((2 / np.prod(shape[:3])) ** 0.5)
    kernel = deviation * rng.standard_normal(shape, np.float32)
    bias = jnp.zeros(shape[3], jnp.float32)
    params[layer] = {"kernel": jnp.asarray(kernel), "bias": bias}
  return params


def kernels(net: str) -> dict[str, tuple[int, ...]]:
  """The shape, HWIO, of every convolution's kernel, from the pixels on."""
  shapes = {}
  before = 3
  for block, depth in enumerate(BLOCKS[net], start=1):
    for index in range(1, depth + 1):
      shapes[f"conv{block}_{index}"] = (3, 3, before, CHANNELS[block - 1])
      before = CHANNELS[block - 1]
  return shapes


def check_taps(net: str, taps: Sequence[str]) -> None:
  """Raises ValueError naming the first tap that the network does not have."""
  if net not in BLOCKS:
    raise ValueError(f"the net is one of {', '.join(BLOCKS)}; got {net!r}")
  known, count = layers_by_tap(net), sum(BLOCKS[net])
  for tap in taps:
    if tap not in known:
      raise ValueError(
        f"{net} has no layer {tap!r}; its layers are conv_1..conv_{count}"
        " (counted, before ReLU), conv1_1..conv5_N (before ReLU),"
        " relu1_1..relu5_N and block1_conv1..block5_convN (after ReLU), where"
        f" N in blocks 1..5 is {', '.join(map(str, BLOCKS[net]))};"
        " and pool1..pool5"
      )


def layers_by_tap(net: str) -> dict[str, str]:
  """The layer that each name of a tap means: convB_I, reluB_I or poolB."""
  layers = {}
  count = 0
  for block, convolutions in enumerate(BLOCKS[net], start=1):
    for index in range(1, convolutions + 1):
      count += 1
      conv, relu = f"conv{block}_{index}", f"relu{block}_{index}"
      layers |= {f"conv_{count}": conv, conv: conv}
      layers |= {f"block{block}_conv{index}": relu, relu: relu}
    layers[f"pool{block}"] = f"pool{block}"
  return layers


class VGG(nn.Module):
  """The layers up to the deepest that is wanted, wanted ones kept."""

  blocks: tuple[int, ...]
  pooling: str = "max"

  @nn.compact
  def __call__(self, images: arrays.Images, wanted: Collection[str]) -> Layers:
    missing = set(wanted)
    features = {}

    def keep(layer, x):
      if layer in missing:
        features[layer] = x
        missing.remove(layer)

    mean = self.param("mean", nn.initializers.zeros, (3,))
    scale = self.param("scale", nn.initializers.ones, (3,))
    # Before the zero padding, which therefore means the mean colour.
    x = (images - mean[None, None, None]) / scale[None, None, None]
    for block, (depth, channels) in enumerate(
      zip(self.blocks, CHANNELS, strict=True), start=1
    ):
      for index in range(1, depth + 1):
        if not missing:
          return features
        x = nn.Conv(channels, (3, 3), name=f"conv{block}_{index}")(x)
        keep(f"conv{block}_{index}", x)
        x = nn.relu(x)
        keep(f"relu{block}_{index}", x)
      if not missing:
        return features
      if min(x.shape[1:3]) < 2:
        raise ValueError(
          f"images of {images.shape[1]} x {images.shape[2]} pixels are too"
          f" small for pool{block}: {2**block} a side at least"
        )
      x = POOLS[self.pooling](x)
      keep(f"pool{block}", x)
    return features


def windows(x: arrays.Features) -> Float[Array, "b h//2 2 w//2 2 c"]:
  """The 2 x 2 windows side by side; an odd last row or column is left out."""
  b, h, w, c = x.shape
  x = x[:, : h // 2 * 2, : w // 2 * 2]
  return x.reshape(b, h // 2, 2, w // 2, 2, c)


def max_pool(x: arrays.Features) -> Float[Array, "b h//2 w//2 c"]:
  """The largest value of each 2 x 2 window.

  On CPUs cheaper to differentiate than a reduce_window, whose gradient looks
  for the largest value's place once more. Where values tie, they share the
  gradient, where PyTorch gives it to the first: nearly all ties are between
  zeros, where the ReLU before stops it anyway, and the rest in flat colours.
  """
  return windows(x).max(axis=(2, 4))


def average_pool(x: arrays.Features) -> Float[Array, "b h//2 w//2 c"]:
  """The mean of each 2 x 2 window."""
  return windows(x).mean(axis=(2, 4))


POOLS = {"max": max_pool, "average": average_pool}
