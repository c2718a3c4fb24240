"""LPIPS: the distance between images as people perceive it.

On torchvision's AlexNet or VGG16, with the published linear weights, version
0.1.

References: Zhang, Isola, Efros, Shechtman and Wang, The unreasonable
effectiveness of deep features as a perceptual metric, 2018, equation 1.
"""

from typing import Any

import jax.numpy as jnp

from astgan import arrays
from astgan.features import alexnet, vgg

# The last ReLU of each block of VGG16.
VGG_TAPS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3")
# The weight of each channel of each tap, as a 1 x 1 convolution.
HEADS = ("head1", "head2", "head3", "head4", "head5")


def kernel_shapes(net: str) -> dict[str, tuple[int, ...]]:
  """The kernel shape, HWIO, of each convolution and then of each head.

  Args:
    net: lpips_alexnet or lpips_vgg16.
  """
  if net == "lpips_vgg16":
    shapes, channels = vgg.kernel_shapes("vgg16"), vgg.CHANNELS
  else:
    shapes = alexnet.KERNEL_SHAPES
    channels = [shape[3] for shape in shapes.values()]
  heads = zip(HEADS, channels, strict=True)
  return shapes | {head: (1, 1, inputs, 1) for head, inputs in heads}


def distance(
  params: dict[str, Any], images: arrays.Images, others: arrays.Images
) -> arrays.PerExample:
  """The distance between images[i] and others[i]; 0 for equal images.

  At each tap the features of a pixel are divided by their norm; the squared
  differences are weighted by channel, summed, and averaged over the pixels.
  The layers add up.

  Args:
    params: from `astgan.features.weights.load`, of lpips_alexnet or
      lpips_vgg16.
    images, others: RGB in [0, 1], of one shape.
  """
  is_vgg = "conv1_1" in params
  apply, taps = (
    (vgg.apply, VGG_TAPS) if is_vgg else (alexnet.apply, alexnet.TAPS)
  )
  features = apply(params, images, taps)
  other_features = apply(params, others, taps)
  return sum(
    _layer(params[head]["kernel"], features[tap], other_features[tap])
    for head, tap in zip(HEADS, taps, strict=True)
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
