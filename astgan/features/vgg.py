"""Features of images: the convolutional layers of VGG16 and VGG19.

Style and content losses compare the activations that two images cause in
these networks, which were trained to classify ImageNet.

References: Simonyan and Zisserman, Very deep convolutional networks for
large-scale image recognition, 2014, table 1, columns D and E.
"""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from astgan import arrays
from astgan.models import layers, unpadded

# Features by layer; each layer has its own height, width and channels.
Layers = dict[str, Float[Array, "b _h _w _c"]]

# Convolutions in each of the five blocks, and their output channels.
BLOCKS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
CHANNELS = (64, 128, 256, 512, 512)

# Mean and standard deviation of ImageNet for RGB in [0, 1].
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class TooSmallError(ValueError):
  """Images are too small for a layer."""


def apply(
  params: dict[str, Any],
  images: arrays.Images,
  taps: Sequence[str],
  *,
  pooling: str = "max",
  padding: str = "zeros",
) -> Layers:
  """Features of the images at every tap.

  A tap is a layer name in any of these schemes (in VGG19 the first four name
  the tenth convolution, with or without its ReLU):

    conv_10       the convolution counted over the whole network, before ReLU
    conv4_2       the convolution counted within its block, before ReLU
    relu4_2       after ReLU
    block4_conv2  Keras' name, after ReLU as in Keras
    pool4         the output of the block after pooling

  The network ends at the deepest tap: deeper layers are not computed and
  their parameters are not read.

  Args:
    params: parameters from `astgan.features.weights.load`, which include the
      preprocessing that they were trained with.
    images: RGB in [0, 1], in the dtype of the parameters, large enough to
      leave one pixel after pooling.
    taps: names of the features.
    pooling: "max" as trained, or "average" (Gatys, Ecker and Bethge, A neural
      algorithm of artistic style, 2015, section "Methods").
    padding: of the convolutions: "zeros" as trained, or "replicate", the
      border itself, which makes no frame of features that no image has.

  Returns: the features by the names in `taps`, in the order of `taps`.

  Raises:
    ValueError: unknown tap, pooling or padding.
    TooSmallError: the images are too small for a tap.
  """
  net = "vgg19" if "conv3_4" in params else "vgg16"
  check_taps(net, taps)
  if pooling not in POOLS:
    raise ValueError(f"pooling is one of {', '.join(POOLS)}; got {pooling!r}")
  if padding not in PADDINGS:
    raise ValueError(
      f"padding is one of {', '.join(PADDINGS)}; got {padding!r}"
    )
  by_tap = layers_by_tap(net)
  missing = {by_tap[tap] for tap in taps}
  features = {}
  # Before the zero padding, which therefore stands for the mean colour.
  x = images - params["mean"][None, None, None]
  x = x / params["scale"][None, None, None]
  x = x.astype(params["conv1_1"]["kernel"].dtype)
  for layer in dict.fromkeys(by_tap.values()):
    if not missing:
      break
    if layer.startswith("conv"):
      x = _convolve(x, **params[layer], padding=padding)
    elif layer.startswith("relu"):
      x = jax.nn.relu(x)
    elif min(x.shape[1:3]) < 2:
      raise TooSmallError(
        f"images of {images.shape[1]} x {images.shape[2]} pixels are too small"
        f" for {layer}, which needs {2 ** int(layer[-1])} pixels a side"
      )
    else:
      x = POOLS[pooling](x)
    if layer in missing:
      features[layer] = x
      missing.remove(layer)
  return {tap: features[by_tap[tap]] for tap in taps}


def kernel_shapes(net: str) -> dict[str, tuple[int, ...]]:
  """The kernel shape, HWIO, of each convolution, from input to output."""
  shapes = {}
  inputs = 3
  for block, depth in enumerate(BLOCKS[net], start=1):
    for index in range(1, depth + 1):
      shapes[f"conv{block}_{index}"] = (3, 3, inputs, CHANNELS[block - 1])
      inputs = CHANNELS[block - 1]
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
  """The layer, convB_I, reluB_I or poolB, of every tap, in network order."""
  by_tap = {}
  count = 0
  for block, convolutions in enumerate(BLOCKS[net], start=1):
    for index in range(1, convolutions + 1):
      count += 1
      conv, relu = f"conv{block}_{index}", f"relu{block}_{index}"
      by_tap |= {f"conv_{count}": conv, conv: conv}
      by_tap |= {f"block{block}_conv{index}": relu, relu: relu}
    by_tap[f"pool{block}"] = f"pool{block}"
  return by_tap


def _convolve(x, kernel, bias, *, padding):
  y = CONVOLUTIONS[padding](x, jnp.asarray(kernel))
  return y + bias[None, None, None]


def windows(x: arrays.Features) -> Float[Array, "b h//2 2 w//2 2 c"]:
  """The 2 x 2 windows, without an odd last row or column."""
  b, h, w, c = x.shape
  x = x[:, : h // 2 * 2, : w // 2 * 2]
  return x.reshape(b, h // 2, 2, w // 2, 2, c)


def max_pool(x: arrays.Features) -> Float[Array, "b h//2 w//2 c"]:
  """The largest value of each 2 x 2 window.

  On CPUs the gradient is cheaper than that of reduce_window, which searches
  each window again. Tied values share the gradient, where PyTorch gives it
  to the first. Nearly all ties are between zeros, whose gradient the
  preceding ReLU stops; the rest are in regions of one colour.
  """
  return windows(x).max(axis=(2, 4))


def average_pool(x: arrays.Features) -> Float[Array, "b h//2 w//2 c"]:
  """The mean of each 2 x 2 window."""
  return windows(x).mean(axis=(2, 4))


# By padding.
CONVOLUTIONS = {"zeros": layers.conv, "replicate": unpadded.replicated_conv}
PADDINGS = tuple(CONVOLUTIONS)
POOLS = {"max": max_pool, "average": average_pool}
