"""LPIPS: the distance between images as people perceive it, on AlexNet.

References: Zhang, Isola, Efros, Shechtman and Wang, The unreasonable
effectiveness of deep features as a perceptual metric, 2018, equation 1, with
the published linear weights, version 0.1.
"""

from typing import Any

import jax.numpy as jnp

from astgan import arrays
from astgan.features import alexnet

# The weight of each channel of each ReLU, as a 1 x 1 convolution.
HEADS = {relu: relu.replace("relu", "head") for relu in alexnet.TAPS}
KERNEL_SHAPES = alexnet.KERNEL_SHAPES | {
  HEADS[relu]: (1, 1, shape[3], 1)
  for relu, shape in zip(
    alexnet.TAPS, alexnet.KERNEL_SHAPES.values(), strict=True
  )
}


def distance(
  params: dict[str, Any], images: arrays.Images, others: arrays.Images
) -> arrays.PerExample:
  """The distance between images[i] and others[i]; 0 for equal images.

  At each ReLU the features of a pixel are divided by their norm; the squared
  differences are weighted by channel, summed, and averaged over the pixels.
  The layers add up.

  Args:
    params: from `astgan.features.weights.load("lpips")`.
    images, others: RGB in [0, 1], of one shape.
  """
  features = alexnet.apply(params, images)
  other_features = alexnet.apply(params, others)
  return sum(
    _layer(params[head]["kernel"], features[relu], other_features[relu])
    for relu, head in HEADS.items()
  )


def _layer(kernel, features, other_features):
  squares = (_unit(features) - _unit(other_features)) ** 2
  weighted = jnp.einsum("bhwc,c->bhw", squares, kernel[0, 0, :, 0])
  return weighted.mean((1, 2))


def _unit(features):
  """Divided by the norm.

  The published code adds 1e-10 to the norm; here its square is inside the
  root, which gives the same numbers and a finite gradient at 0.
  """
  squares = jnp.sum(features**2, axis=-1, keepdims=True)
  return features / jnp.sqrt(squares + 1e-20)
