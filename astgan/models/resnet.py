"""The residual generator and critic of WGAN-GP.

At a side in pixels the layers have width * min(8, size / side) channels. Size
64 is the paper's network; every doubling of the size adds one block. At width
64, size 64 and 128 latent dimensions they have 8,540,483 and 7,491,841
parameters; with `norm="none"` the critic has 7,488,961.

References: Gulrajani et al., Improved Training of Wasserstein GANs, 2017,
  appendix, and the 64x64 networks of its published code.
"""

import functools

import flax.linen as nn
import jax.numpy as jnp
from jax.typing import DTypeLike

from astgan.arrays import Images, Latents, Logits
from astgan.models import layers, modules, residual


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
      residual.linear, dtype=self.dtype, spectral_norm=self.spectral_norm
    )
    sides = _sides(self.size)
    channels = _channels(self.size, self.width, 4)
    x = linear(
      "input",
      jnp.matmul,
      (latents.shape[-1], 16 * channels),
      kernel_init=residual.glorot,
    )(latents, train=train)
    x = x.reshape(-1, 4, 4, channels)
    for i, side in enumerate(sides[1:], 1):
      channels = _channels(self.size, self.width, side)
      x = residual.Up(channels, norm, linear, name=f"block_{i}")(x, train=train)
    x = nn.relu(norm(name="norm")(x))
    x = linear("output", layers.conv, (3, 3, self.width, 3))(x, train=train)
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
      residual.linear, dtype=self.dtype, spectral_norm=self.spectral_norm
    )
    sides = _sides(self.size)
    x = linear(
      "input", layers.conv, (3, 3, 3, self.width), kernel_init=residual.glorot
    )(images, train=train)
    for i, side in enumerate(sides[-2::-1], 1):
      channels = _channels(self.size, self.width, side)
      biased = self.norm == "none"
      block = residual.Down(channels, biased, norm, linear, name=f"block_{i}")
      x = block(x, train=train)
    x = x.reshape(x.shape[0], -1)
    x = linear(
      "output", jnp.matmul, (x.shape[1], 1), kernel_init=residual.glorot
    )(x, train=train)
    return x[:, 0].astype(jnp.float32)


def _sides(size: int) -> list[int]:
  """4, 8, ..., size."""
  if size < 8 or size & (size - 1):
    raise ValueError(f"size must be a power of two from 8, got {size}")
  return [2**i for i in range(2, size.bit_length())]


def _channels(size: int, width: int, side: int) -> int:
  return width * min(8, size // side)
