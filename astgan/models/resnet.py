"""The residual generator and critic of WGAN-GP.

Layers have width * min(8, size / side) channels at a side in pixels, so that
they are the paper's at size 64 and other sizes have one block more or fewer
per factor of two. At width 64, size 64 and 128 latent dimensions they have
8,540,483 and 7,491,841 parameters; with `norm="none"` the critic has
7,488,961.

Kernels start as uniform draws with the variance 2 / n of He et al. (2015) in
the blocks' 3x3 convolutions and the generator's last, and 1 / n of Glorot and
Bengio (2010) elsewhere, n the mean of fan-in and fan-out, as in the paper's
code. Biases start at zero. A block's first convolution has none, for a
normalisation follows it.

Convolutions pad zeros, as in the paper, but those on resized images replicate
the border (`resampling.upsample_conv`), which leaves no dark rim.

References: Gulrajani et al., Improved Training of Wasserstein GANs, 2017,
  appendix, and the 64x64 networks of its published code. He et al., Delving
  Deep into Rectifiers, 2015.
"""

import functools
from collections.abc import Callable

import flax.linen as nn
import jax.numpy as jnp
from jax import lax
from jax.typing import DTypeLike

from astgan.arrays import Images, Latents, Logits
from astgan.models import modules, resampling

_he = nn.initializers.variance_scaling(2.0, "fan_avg", "uniform")
_glorot = nn.initializers.variance_scaling(1.0, "fan_avg", "uniform")


class Generator(nn.Module):
  """Latents to images: a 4x4 start, doubled by residual blocks until `size`.

  Attributes:
    size: side of the images in pixels, a power of two from 8.
    width: channels at full size.
    axis_name: mapped axis over which batch statistics are shared, or None.
    dtype: precision of the convolutions; parameters are float32.
    momentum: share of the running statistics that a batch leaves as they were.
    spectral_norm: whether every kernel is divided by its largest singular
      value (`spectral.kernel_param`).
  """

  size: int
  width: int
  axis_name: str | None = None
  dtype: DTypeLike = jnp.float32
  momentum: float = 0.9
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
      ValueError: the size is not one of those above.
    """
    norm = functools.partial(
      modules.normalization,
      "batch",
      train=train,
      axis_name=self.axis_name,
      dtype=self.dtype,
      momentum=self.momentum,
    )
    linear = functools.partial(
      _linear, dtype=self.dtype, spectral_norm=self.spectral_norm
    )
    sides = _sides(self.size)
    channels = _channels(self.size, self.width, 4)
    x = linear(
      "input",
      jnp.matmul,
      (latents.shape[-1], 16 * channels),
      kernel_init=_glorot,
    )(latents, train=train)
    x = x.reshape(-1, 4, 4, channels)
    for i, side in enumerate(sides[1:], 1):
      channels = _channels(self.size, self.width, side)
      x = _Up(channels, norm, linear, name=f"block_{i}")(x, train=train)
    x = nn.relu(norm(name="norm")(x))
    x = linear("output", _conv, (3, 3, self.width, 3))(x, train=train)
    return jnp.tanh(x.astype(jnp.float32))


class Discriminator(nn.Module):
  """Images to one logit each: halved by residual blocks to 4x4, then one sum.

  Attributes:
    size: side of the images in pixels, a power of two from 8.
    width: channels at full size.
    axis_name: mapped axis over which batch statistics are shared, or None.
    dtype: precision of the convolutions; parameters are float32.
    norm: `layer`, as in the paper, `batch` or `none`
      (`modules.normalization`). With `none` every convolution has a bias. A
      gradient penalty needs `layer` or `none`, where the logit of an image
      does not depend on its batch.
    spectral_norm: whether every kernel is divided by its largest singular
      value (`spectral.kernel_param`).
  """

  size: int
  width: int
  axis_name: str | None = None
  dtype: DTypeLike = jnp.float32
  norm: str = "layer"
  spectral_norm: bool = False

  @nn.compact
  def __call__(self, images: Images, *, train: bool) -> Logits:
    """Logits of being real, float32, [b].

    Args:
      images: in [-1, 1], [b size size 3].
      train: normalise by the batch, and move the running statistics, or
        normalise by the running statistics; acts on batch normalisation. It
        also moves the vectors of spectral normalisation.

    Raises:
      ValueError: the size or `norm` is not one of those above.
    """
    norm = functools.partial(
      modules.normalization,
      self.norm,
      train=train,
      axis_name=self.axis_name,
      dtype=self.dtype,
    )
    linear = functools.partial(
      _linear, dtype=self.dtype, spectral_norm=self.spectral_norm
    )
    sides = _sides(self.size)
    x = linear("input", _conv, (3, 3, 3, self.width), kernel_init=_glorot)(
      images, train=train
    )
    for i, side in enumerate(sides[-2::-1], 1):
      channels = _channels(self.size, self.width, side)
      biased = self.norm == "none"
      block = _Down(channels, biased, norm, linear, name=f"block_{i}")
      x = block(x, train=train)
    x = x.reshape(x.shape[0], -1)
    x = linear("output", jnp.matmul, (x.shape[1], 1), kernel_init=_glorot)(
      x, train=train
    )
    return x[:, 0].astype(jnp.float32)


class _Up(nn.Module):
  channels: int
  norm: Callable
  linear: Callable

  @nn.compact
  def __call__(self, x, *, train):
    before, after = x.shape[-1], self.channels
    # A 1x1 convolution commutes with resizing and takes a quarter of the work
    # before it.
    shape = (1, 1, before, after)
    shortcut = self.linear("shortcut", _conv, shape, kernel_init=_glorot)
    shortcut = resampling.upsample(shortcut(x, train=train))
    x = nn.relu(self.norm(name="norm_1")(x))
    conv_1 = functools.partial(resampling.upsample_conv, method="nearest")
    shape = (3, 3, before, after)
    x = self.linear("conv_1", conv_1, shape, use_bias=False)(x, train=train)
    x = nn.relu(self.norm(name="norm_2")(x))
    shape = (3, 3, after, after)
    return shortcut + self.linear("conv_2", _conv, shape)(x, train=train)


class _Down(nn.Module):
  channels: int
  biased: bool
  norm: Callable
  linear: Callable

  @nn.compact
  def __call__(self, x, *, train):
    before, after = x.shape[-1], self.channels
    shape = (1, 1, before, after)
    shortcut = self.linear("shortcut", _conv, shape, kernel_init=_glorot)
    shortcut = shortcut(resampling.downsample(x), train=train)
    x = nn.relu(self.norm(name="norm_1")(x))
    shape = (3, 3, before, before)
    x = self.linear("conv_1", _conv, shape, use_bias=self.biased)(
      x, train=train
    )
    x = nn.relu(self.norm(name="norm_2")(x))
    conv_2 = resampling.conv_downsample
    shape = (3, 3, before, after)
    return shortcut + self.linear("conv_2", conv_2, shape)(x, train=train)


def _linear(
  name,
  operation,
  shape,
  *,
  dtype,
  spectral_norm,
  kernel_init=_he,
  use_bias=True,
):
  return modules.Linear(
    operation,
    shape,
    kernel_init,
    dtype,
    use_bias=use_bias,
    spectral_norm=spectral_norm,
    name=name,
  )


def _conv(inputs, kernel):
  return lax.conv_general_dilated(
    inputs, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
  )


def _sides(size: int) -> list[int]:
  """4, 8, ..., size."""
  if size < 8 or size & (size - 1):
    raise ValueError(f"size must be a power of two from 8, got {size}")
  return [2**i for i in range(2, size.bit_length())]


def _channels(size: int, width: int, side: int) -> int:
  return width * min(8, size // side)
