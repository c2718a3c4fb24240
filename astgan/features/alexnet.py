"""Features of images: the convolutional layers of AlexNet.

The network is that of torchvision: "one weird trick", without local response
normalization. No discriminator here is built on it.

References: Krizhevsky, One weird trick for parallelizing convolutional neural
networks, 2014.
"""

from collections.abc import Sequence
from typing import Any

import jax
from flax import linen

from astgan import arrays
from astgan.features import vgg

# The kernel, HWIO, stride and padding of each convolution.
KERNEL_SHAPES = {
  "conv1": (11, 11, 3, 64),
  "conv2": (5, 5, 64, 192),
  "conv3": (3, 3, 192, 384),
  "conv4": (3, 3, 384, 256),
  "conv5": (3, 3, 256, 256),
}
STRIDES = {"conv1": 4}
PADDINGS = {"conv1": 2, "conv2": 2}
POOLED = ("conv2", "conv3")  # Max pooling precedes these.
TAPS = ("relu1", "relu2", "relu3", "relu4", "relu5")
# One pixel is left after the second pooling.
MIN_SIDE = 31


def apply(
  params: dict[str, Any], images: arrays.Images, taps: Sequence[str] = TAPS
) -> vgg.Layers:
  """Features of the images after the given ReLUs, by name.

  torchvision's weights are for pixels less ImageNet's mean and divided by its
  standard deviation. The activations are as torchvision gives them, 0.2 to 0.6
  in the mean over paintings of 128 pixels; the deeper layers are sparse.

  Args:
    params: parameters from `astgan.features.weights.load`, which include the
      preprocessing that they were trained with.
    images: RGB in [0, 1], of MIN_SIDE pixels a side or more.
    taps: some of `TAPS`.

  Raises:
    ValueError: unknown tap, or images that are too small.
  """
  if unknown := set(taps) - set(TAPS):
    raise ValueError(f"alexnet has {', '.join(TAPS)}; got {min(unknown)!r}")
  if min(images.shape[1:3]) < MIN_SIDE:
    raise ValueError(
      f"alexnet needs images of {MIN_SIDE} pixels a side; got"
      f" {images.shape[1]} x {images.shape[2]}"
    )
  x = images - params["mean"][None, None, None]
  x = x / params["scale"][None, None, None]
  features = {}
  for conv, relu in zip(KERNEL_SHAPES, TAPS, strict=True):
    if conv in POOLED:
      x = linen.max_pool(x, (3, 3), (2, 2))
    x = jax.nn.relu(_convolve(x, conv, **params[conv]))
    features[relu] = x
  return {tap: features[tap] for tap in taps}


def _convolve(x, name, kernel, bias):
  stride, padding = STRIDES.get(name, 1), PADDINGS.get(name, 1)
  x = jax.lax.conv_general_dilated(
    x, kernel, (stride, stride), [(padding, padding)] * 2,
    dimension_numbers=("NHWC", "HWIO", "NHWC"),
  )  # fmt: skip
  return x + bias[None, None, None]
