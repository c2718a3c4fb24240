"""DCGAN: a generator and a discriminator of strided 4x4 convolutions.

At width 64 and size 64 they have the 3,576,704 and 2,765,568 parameters of
the usual DCGAN, which has no biases beside those of batch normalisation.
Options replace the generator's transposed convolutions by resizing and 3x3
convolutions, the discriminator's normalisation, and normalise kernels.

References: Radford, Metz and Chintala, Unsupervised Representation Learning
  with Deep Convolutional Generative Adversarial Networks, 2015.
"""

import functools
import math

import flax.linen as nn
import jax.numpy as jnp
from jax.typing import DTypeLike

from astgan.arrays import Images, Latents, Logits
from astgan.models import layers, modules, resampling, spectral

UPSAMPLINGS = ("transposed", *resampling.METHODS)

_kernel_init = nn.initializers.normal(0.02)


def _scale_init(key, shape, dtype=jnp.float32):
  return 1 + _kernel_init(key, shape, dtype)


class Generator(nn.Module):
  """Latents to images: a 4x4 start, doubled until `size`.

  Attributes:
    size: side of the images in pixels, a power of two from 8.
    width: channels at half the size; the layers before have 2, 4, ... times
      as many.
    axis_name: mapped axis over which batch statistics are shared, or None.
    dtype: precision of the convolutions; parameters are float32.
    momentum: share of the running statistics that a batch leaves as they were.
    upsample: `transposed` convolutions (4x4), or `nearest` or `bilinear`
      resizing followed by a 3x3 convolution (`resampling.upsample_conv`).
    spectral_norm: whether every kernel is divided by its largest singular
      value (`spectral.kernel_param`).
  """

  size: int
  width: int
  axis_name: str | None = None
  dtype: DTypeLike = jnp.float32
  momentum: float = 0.9
  upsample: str = "transposed"
  spectral_norm: bool = False

  @nn.compact
  def __call__(self, latents: Latents, *, train: bool) -> Images:
    """Images in [-1, 1], float32, [b size size 3].

    Args:
      latents: z ~ N(0, I), [b z].
      train: normalise by the batch, and move the running statistics, or
        normalise by the running statistics. It also moves the vectors of
        spectral normalisation.

    Raises:
      ValueError: the size or `upsample` is not one of those above.
    """
    norm = functools.partial(
      modules.normalization,
      "batch",
      train=train,
      axis_name=self.axis_name,
      dtype=self.dtype,
      momentum=self.momentum,
      scale_init=_scale_init,
    )
    doublings = _doublings(self.size)
    channels = self.width * 2 ** (doublings - 1)
    kernel = spectral.kernel_param(
      self,
      "project",
      _kernel_init,
      (latents.shape[-1], 4, 4, channels),
      spectral_norm=self.spectral_norm,
      train=train,
      out_axes=(1, 2, 3),
    )
    x = jnp.einsum(
      "bz,zhwc->bhwc", latents.astype(self.dtype), kernel.astype(self.dtype)
    )  # [b, 4, 4, channels]
    x = nn.relu(norm(name="norm_0")(x))
    for i in range(1, doublings):
      channels //= 2
      x = self._up(i, x.shape[-1], channels)(x, train=train)
      x = nn.relu(norm(name=f"norm_{i}")(x))
    x = self._up(doublings, x.shape[-1], 3)(x, train=train)
    return jnp.tanh(x.astype(jnp.float32))

  def _up(self, i, inputs, outputs):
    if self.upsample not in UPSAMPLINGS:
      raise ValueError(
        f"upsample must be one of {UPSAMPLINGS}, got {self.upsample!r}"
      )
    shared = {
      "kernel_init": _kernel_init,
      "dtype": self.dtype,
      "spectral_norm": self.spectral_norm,
      "name": f"up_{i}",
    }
    if self.upsample == "transposed":
      shape = (4, 4, outputs, inputs)
      return modules.Linear(
        layers.conv_transpose, shape, out_axes=(2,), **shared
      )
    operation = functools.partial(
      resampling.upsample_conv, method=self.upsample
    )
    return modules.Linear(operation, (3, 3, inputs, outputs), **shared)


class Discriminator(nn.Module):
  """Images to one logit each: halved to 4x4, then one weighted sum.

  Attributes:
    size: side of the images in pixels, a power of two from 8.
    width: channels of the first layer; the layers after it have 2, 4, ...
      times as many.
    leaky_relu_slope: LeakyReLU's slope below zero.
    axis_name: mapped axis over which batch statistics are shared, or None.
    dtype: precision of the convolutions; parameters are float32.
    norm: `batch`, `layer` or `none` (`modules.normalization`) after every
      convolution but the first. With `none` the convolutions have biases. A
      gradient penalty needs `layer` or `none`, where the logit of an image
      does not depend on its batch.
    spectral_norm: whether every kernel is divided by its largest singular
      value (`spectral.kernel_param`).
  """

  size: int
  width: int
  leaky_relu_slope: float
  axis_name: str | None = None
  dtype: DTypeLike = jnp.float32
  norm: str = "batch"
  spectral_norm: bool = False

  @nn.compact
  def __call__(self, images: Images, *, train: bool) -> Logits:
    """Logits of being real, float32, [b].

    Args:
      images: in [-1, 1], [b size size 3].
      train: normalise by the batch, and move the running statistics, or
        normalise by the running statistics. It also moves the vectors of
        spectral normalisation.

    Raises:
      ValueError: the size or `norm` is not one of those above.
    """
    x = images
    for i in range(_doublings(self.size)):
      channels = self.width * 2**i
      x = modules.Linear(
        layers.strided_conv,
        (4, 4, x.shape[-1], channels),
        _kernel_init,
        self.dtype,
        use_bias=self.norm == "none",
        spectral_norm=self.spectral_norm,
        name=f"down_{i}",
      )(x, train=train)
      if i > 0:
        x = modules.normalization(
          self.norm,
          name=f"norm_{i}",
          train=train,
          axis_name=self.axis_name,
          dtype=self.dtype,
          scale_init=_scale_init,
        )(x)
      x = nn.leaky_relu(x, self.leaky_relu_slope)
    kernel = spectral.kernel_param(
      self,
      "score",
      _kernel_init,
      (*x.shape[1:], 1),
      spectral_norm=self.spectral_norm,
      train=train,
    )
    logits = jnp.einsum("bhwc,hwco->bo", x, kernel.astype(self.dtype))
    return logits[:, 0].astype(jnp.float32)


def _doublings(size: int) -> int:
  if size < 8 or size & (size - 1):
    raise ValueError(f"size must be a power of two from 8, got {size}")
  return int(math.log2(size)) - 2
