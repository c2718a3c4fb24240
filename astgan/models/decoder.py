"""Decoders: features of VGG19 back to images, layer by layer.

Each layer of the encoder has its mirror image of the same name: a 3x3
convolution to as many channels as went in there, before which nearest resizing
undoes the pooling that followed. The border is reflected, and nothing is
normalised, since statistics of the features carry the style. From relu4_1 at a
width of 64 it has 3,505,219 parameters.

References: Huang and Belongie, Arbitrary Style Transfer in Real-time with
  Adaptive Instance Normalization, 2017, section 6.1; Li et al., Universal Style
  Transfer via Feature Transforms, 2017, section 3.1.
"""

from collections.abc import Iterator

import flax.linen as nn
import jax.numpy as jnp
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from astgan.arrays import Features
from astgan.models import instance, resampling, translator, unpadded

# Convolutions in each block of VGG19, and what they put out.
DEPTHS = (2, 2, 4, 4, 4)
CHANNELS = (64, 128, 256, 512, 512)
# Channels at full size.
FULL_WIDTH = CHANNELS[0]

_kernel_init = nn.initializers.he_normal()


class Decoder(nn.Module):
  """Features of relu{block}_1 to images.

  Attributes:
    block: from 1 to 5.
    width: channels at full size, 64 as in VGG; deeper layers have as many more
      as there.
    dtype: precision of the convolutions; parameters are float32.
  """

  block: int
  width: int = FULL_WIDTH
  dtype: DTypeLike = jnp.float32

  @nn.compact
  def __call__(
    self, features: Features, *, train: bool = False
  ) -> Float[Array, "b h2 w2 3"]:
    """Images, float32, about [-1, 1].

    Args:
      features: of a mean square about 1, since steps of Adam are as large for
        large inputs, [b h w c], at least 2 by 2 pixels.
      train: changes nothing.
    """
    del train
    x = features.astype(self.dtype)
    for name, channels, doubles in layers(self.block, self.width):
      kernel, bias = _Parameters(x.shape[-1], channels, name=name)()
      kernel = kernel.astype(self.dtype)
      if doubles:
        # Replicating the border of resized images is reflecting it.
        x = resampling.upsample_conv(x, kernel, method="nearest")
      else:
        x = unpadded.valid_conv(translator.reflect(x, 1), kernel)
      x = instance.add_bias(x, bias)
      if channels != 3:
        x = nn.relu(x)
    return x.astype(jnp.float32)


class _Parameters(nn.Module):
  inputs: int
  outputs: int

  @nn.compact
  def __call__(self):
    shape = (3, 3, self.inputs, self.outputs)
    kernel = self.param("kernel", _kernel_init, shape)
    return kernel, self.param("bias", nn.initializers.zeros, (self.outputs,))


def layers(block: int, width: int) -> Iterator[tuple[str, int, bool]]:
  """Name, outputs, and whether the sides are doubled before.

  Args:
    block, width: as of `Decoder`.
  """
  for deep in range(block, 0, -1):
    depth = 1 if deep == block else DEPTHS[deep - 1]
    for number in range(depth, 0, -1):
      # A mirror image puts out what goes in there.
      below = CHANNELS[deep - 1 if number > 1 else deep - 2] * width
      outputs = below // FULL_WIDTH if (deep, number) != (1, 1) else 3
      yield f"conv{deep}_{number}", outputs, number == depth and deep < block


def channels(block: int) -> int:
  """Of relu{block}_1."""
  return CHANNELS[block - 1]


def reach(block: int) -> int:
  """Pixels from an edge of one of relu{block}_1 to the furthest that it sees.

  As far reaches the decoder.
  """
  convolutions = [*DEPTHS[: block - 1], 1]
  return sum(count * 2**i for i, count in enumerate(convolutions))
