"""What grows from 4x4: sides, channels, levels, and the discriminator.

A level says at which side a pair of networks works, and how far the newest side
has faded in: with sides 4, 8, 16, ... a level of 1.7 is 30 % of what side 8
gives and 70 % of what side 16 gives. It is a variable of the networks, in their
collection `growth`, so that a state knows it. Parameters of all sides exist
from the start; those of sides beyond the level have no gradient.

References: Karras, Aila, Laine and Lehtinen, Progressive Growing of GANs for
  Improved Quality, Stability, and Variation, 2018, figure 2, table 2.
"""

import functools

import flax.linen as nn
import jax.numpy as jnp
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from astgan.arrays import Features, Images, Logits
from astgan.models import equalised, layers, resampling


def sides_to(size: int) -> list[int]:
  """4, 8, ..., size."""
  if size < 4 or size & (size - 1):
    raise ValueError(f"size must be a power of two from 4, got {size}")
  return [2**i for i in range(2, size.bit_length())]


def channels_at(side: int, width: int) -> int:
  """As many as the width up to 32 pixels, then half as many each doubling.

  The papers' min(8192 / 2^stage, 512) is that of width 512; their stage is
  log2(side) - 1.
  """
  return max(1, min(width, 32 * width // side))


def fade(
  before: Features, after: Features, level: Float[Array, ""], number: int
) -> Features:
  """What side `number` shows: from that of the side before it to its own.

  Args:
    before, after: what both sides give, of one shape.
    level: see above.
    number: of the side, from 0 for 4x4.
  """
  share = jnp.clip(level - (number - 1), 0, 1).astype(before.dtype)
  return (1 - share) * before + share * after


class Discriminator(nn.Module):
  """Images to one logit each.

  Attributes:
    size: side of the images in pixels, a power of two from 8.
    width: channels at sides up to 32.
    blurs: whether a blur comes before a halving, as in StyleGAN's.
    dtype: precision of the convolutions; parameters are float32.
  """

  size: int
  width: int
  blurs: bool
  dtype: DTypeLike = jnp.float32

  @nn.compact
  def __call__(self, images: Images, *, train: bool) -> Logits:
    """Logits of being real, float32, [b].

    Args:
      images: [b size size 3].
      train: nothing depends on it.
    """
    del train
    level = self.variable("growth", "level", jnp.zeros, ()).value
    sides = sides_to(self.size)
    features = {}
    # Those that are not used are never computed, but have parameters.
    for side in reversed(sides):
      shape = (1, 1, 3, channels_at(side, self.width))
      features[side] = self._layer(layers.conv, shape, f"from_rgb_{side}")(
        images
      )
      if side > 4:
        images = resampling.downsample(images)
    x = features[self.size]
    for side in sides[:0:-1]:
      x = self._halve(x, side)
      if side == self.size:
        x = fade(features[side // 2], x, level, len(sides) - 1)
    x = equalised.append_deviation(x)
    channels = self.width
    shape = (3, 3, channels + 1, channels)
    x = self._layer(layers.conv, shape, "conv_4")(x)
    shape = (4, 4, channels, channels)
    connect = functools.partial(jnp.einsum, "bhwc,hwco->bo")
    x = self._layer(connect, shape, "connect")(x)
    output = equalised.Linear(
      jnp.matmul, (channels, 1), self.dtype, gain=1.0, name="output"
    )
    return output(x)[:, 0].astype(jnp.float32)

  def _halve(self, x, side):
    """From a side to half of it."""
    before, after = x.shape[-1], channels_at(side // 2, self.width)
    shape = (3, 3, before, before)
    x = self._layer(layers.conv, shape, f"conv_{side}")(x)
    if self.blurs:
      x = equalised.blur(x)
    down = resampling.conv_downsample
    return self._layer(down, (3, 3, before, after), f"down_{side}")(x)

  def _layer(self, operation, shape, name):
    """A linear layer and a leaky ReLU."""
    linear = equalised.Linear(operation, shape, self.dtype, name=name)
    return lambda x: equalised.leaky_relu(linear(x))
