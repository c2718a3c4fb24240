"""DCGAN: a generator and a discriminator of strided 4x4 convolutions.

At width 64 and size 64 they have the 3,576,704 and 2,765,568 parameters of
the usual DCGAN, which has no biases beside those of batch normalisation.

References: Radford, Metz and Chintala, Unsupervised Representation Learning
  with Deep Convolutional Generative Adversarial Networks, 2015.
"""

import functools
import math

import flax.linen as nn
import jax.numpy as jnp
from jax.typing import DTypeLike

from astgan.arrays import Images, Latents, Logits
from astgan.models import layers

_kernel_init = nn.initializers.normal(0.02)


def _scale_init(key, shape, dtype=jnp.float32):
  return 1 + _kernel_init(key, shape, dtype)


class Generator(nn.Module):
  """Latents to images: a 4x4 start, doubled until `size`.

  Attributes:
    size: side of the images in pixels, a power of two from 8.
    width: channels of the last but one pictures; the deeper have 2, 4, ...
      times as many.
    axis_name: mapped axis over which batch statistics are shared, or None.
    dtype: precision of the convolutions; parameters are float32.
    momentum: share of the running statistics that a batch leaves as they were.
  """

  size: int
  width: int
  axis_name: str | None = None
  dtype: DTypeLike = jnp.float32
  momentum: float = 0.9

  @nn.compact
  def __call__(self, latents: Latents, *, train: bool) -> Images:
    """Images in [-1, 1], float32, [b size size 3].

    Args:
      latents: z ~ N(0, I), [b z].
      train: normalise by the batch, and move the running statistics, or
        normalise by the running statistics.
    """
    norm = functools.partial(
      _batch_norm,
      train=train,
      axis_name=self.axis_name,
      dtype=self.dtype,
      momentum=self.momentum,
    )
    doublings = _doublings(self.size)
    channels = self.width * 2 ** (doublings - 1)
    kernel = self.param(
      "project", _kernel_init, (latents.shape[-1], 4, 4, channels)
    )
    x = jnp.einsum(
      "bz,zhwc->bhwc", latents.astype(self.dtype), kernel.astype(self.dtype)
    )  # [b, 4, 4, channels]
    x = nn.relu(norm(name="norm_0")(x))
    for i in range(1, doublings):
      channels //= 2
      x = _Up(channels, self.dtype, name=f"up_{i}")(x)
      x = nn.relu(norm(name=f"norm_{i}")(x))
    x = _Up(3, self.dtype, name=f"up_{doublings}")(x)
    return jnp.tanh(x.astype(jnp.float32))


class Discriminator(nn.Module):
  """Images to one logit each: halved to 4x4, then one weighted sum.

  Attributes:
    size: side of the images in pixels, a power of two from 8.
    width: channels of the first response; the deeper have 2, 4, ... times as
      many.
    slope: LeakyReLU's slope below zero.
    axis_name: mapped axis over which batch statistics are shared, or None.
    dtype: precision of the convolutions; parameters are float32.
  """

  size: int
  width: int
  slope: float
  axis_name: str | None = None
  dtype: DTypeLike = jnp.float32

  @nn.compact
  def __call__(self, images: Images, *, train: bool) -> Logits:
    """Logits of being real, float32, [b].

    Args:
      images: in [-1, 1], [b size size 3].
      train: normalise by the batch, and move the running statistics, or
        normalise by the running statistics.
    """
    norm = functools.partial(
      _batch_norm, train=train, axis_name=self.axis_name, dtype=self.dtype
    )
    activate = functools.partial(nn.leaky_relu, negative_slope=self.slope)
    x = _Down(self.width, self.dtype, name="down_0")(images)
    x = activate(x)
    for i in range(1, _doublings(self.size)):
      x = _Down(self.width * 2**i, self.dtype, name=f"down_{i}")(x)
      x = activate(norm(name=f"norm_{i}")(x))
    kernel = self.param("judge", _kernel_init, (*x.shape[1:], 1))
    logits = jnp.einsum("bhwc,hwco->bo", x, kernel.astype(self.dtype))
    return logits[:, 0].astype(jnp.float32)


class _Up(nn.Module):
  channels: int
  dtype: DTypeLike

  @nn.compact
  def __call__(self, x):
    shape = (4, 4, self.channels, x.shape[-1])
    kernel = self.param("kernel", _kernel_init, shape)
    return layers.conv_transpose(x, kernel.astype(self.dtype))


class _Down(nn.Module):
  channels: int
  dtype: DTypeLike

  @nn.compact
  def __call__(self, x):
    shape = (4, 4, x.shape[-1], self.channels)
    kernel = self.param("kernel", _kernel_init, shape)
    return layers.strided_conv(x.astype(self.dtype), kernel.astype(self.dtype))


def _batch_norm(*, name, train, axis_name, dtype, momentum=0.9):
  return nn.BatchNorm(
    use_running_average=not train,
    momentum=momentum,
    epsilon=1e-5,
    scale_init=_scale_init,
    axis_name=axis_name,
    dtype=dtype,
    name=name,
  )


def _doublings(size: int) -> int:
  if size < 8 or size & (size - 1):
    raise ValueError(f"size must be a power of two from 8, got {size}")
  return int(math.log2(size)) - 2
