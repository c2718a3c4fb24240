"""VAE-GAN's encoder, decoder and discriminator, of 5x5 convolutions.

At size 64, width 64 and 128 latent dimensions they have 18,071,360 parameters
(35,112,768 with 2,048 units), 4,693,155 and 10,953,857. All halve or double
their images three times, so that other sizes change the fully connected layers
alone. Nonlinearities are ReLUs; what is normalised has no bias.

References: Larsen, Sonderby, Larochelle and Winther, Autoencoding beyond Pixels
  Using a Learned Similarity Metric, 2016, table 1.
"""

import functools
from collections.abc import Callable

import flax.linen as nn
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float

from astgan.arrays import Images, Latents
from astgan.models import layers, modules

# Halvings of an image.
DEPTH = 3

_kernel_init = nn.initializers.normal(0.02)


class Encoder(nn.Module):
  """Images to the means and log variances of normal distributions of latents.

  Attributes:
    size: side of the images in pixels, a multiple of 8.
    width: channels of the first layer.
    latent_dim: dimensions of a latent.
    units: of the fully connected layer: 1,024 in the authors' code, 2,048 in
      their table.
    axis_name: mapped axis over which batch statistics are shared, or None.
    dtype: precision of the convolutions; parameters are float32.
  """

  size: int
  width: int
  latent_dim: int
  units: int
  axis_name: str | None = None
  dtype: DTypeLike = jnp.float32

  @nn.compact
  def __call__(
    self, images: Images, *, train: bool
  ) -> tuple[Latents, Float[Array, "b z"]]:
    """Means and log variances, float32, [b z].

    Args:
      images: in [-1, 1], [b size size 3].
      train: normalise by the batch, and move the running statistics, or
        normalise by the running statistics.

    Raises:
      ValueError: the size is not one of those above.
    """
    linear, norm = _makers(self, train)
    _start(self.size)
    x = images
    for i in range(DEPTH):
      shape = (5, 5, x.shape[-1], self.width * 2**i)
      x = linear(layers.strided_conv, shape, name=f"down_{i}")(x, train=train)
      x = nn.relu(norm(name=f"norm_{i}")(x))
    shape = (*x.shape[1:], self.units)
    x = linear(_connect, shape, name="connect")(x, train=train)
    x = nn.relu(norm(name=f"norm_{DEPTH}")(x))
    mean, log_variance = (
      linear(
        jnp.matmul, (self.units, self.latent_dim), use_bias=True, name=name
      )(x, train=train).astype(jnp.float32)
      for name in ("mean", "log_variance")
    )
    return mean, log_variance


class Decoder(nn.Module):
  """Latents to images: an eighth of the size, doubled three times.

  Attributes:
    size: side of the images in pixels, a multiple of 8.
    width: a quarter of the channels of the first layer.
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
      latents: [b z].
      train: as of the encoder.

    Raises:
      ValueError: the size is not one of those above.
    """
    linear, norm = _makers(self, train, momentum=self.momentum)
    side, channels = _start(self.size), 4 * self.width
    shape = (latents.shape[-1], side * side * channels)
    x = linear(jnp.matmul, shape, name="project")(latents, train=train)
    # Every unit for itself, not every channel.
    x = nn.relu(norm(name="norm_0")(x)).reshape(-1, side, side, channels)
    for i in range(DEPTH):
      channels = (4 * self.width, 2 * self.width, self.width // 2)[i]
      shape = (5, 5, channels, x.shape[-1])
      x = linear(layers.conv_transpose, shape, out_axes=(2,), name=f"up_{i}")(
        x, train=train
      )
      x = nn.relu(norm(name=f"norm_{i + 1}")(x))
    shape = (5, 5, channels, 3)
    x = linear(layers.conv, shape, use_bias=True, name="paint")(x, train=train)
    return jnp.tanh(x.astype(jnp.float32))


class Discriminator(nn.Module):
  """Images to logits, and the features that images are compared by.

  Attributes:
    size: side of the images in pixels, a multiple of 8.
    width: twice the channels of the first layer.
    axis_name: mapped axis over which batch statistics are shared, or None.
    dtype: precision of the convolutions; parameters are float32.
    part: what is applied: the "whole", only what comes to the "features", from
      images, or only what comes to the "logits", from features. The parameters
      are those of the whole all the same.
  """

  size: int
  width: int
  axis_name: str | None = None
  dtype: DTypeLike = jnp.float32
  part: str = "whole"

  @nn.compact
  def __call__(
    self, x: Float[Array, "b h w c"], *, train: bool
  ) -> Float[Array, "b *features"]:
    """Logits of being real, [b], or features [b size/8 size/8 4 width].

    Features are the outputs of the third strided convolution, before its
    normalisation. Both are float32.

    Args:
      x: images in [-1, 1], [b size size 3], or features.
      train: as of the encoder.

    Raises:
      ValueError: the size is not one of those above.
    """
    linear, norm = _makers(self, train)
    _start(self.size)
    if self.part != "logits":
      shape = (5, 5, 3, self.width // 2)
      x = linear(layers.conv, shape, use_bias=True, name="look")(x, train=train)
      x = nn.relu(x)
      for i in range(DEPTH):
        if i > 0:
          x = nn.relu(norm(name=f"norm_{i - 1}")(x))
        shape = (5, 5, x.shape[-1], (2, 4, 4)[i] * self.width)
        x = linear(layers.strided_conv, shape, name=f"down_{i}")(x, train=train)
      x = x.astype(jnp.float32)
    if self.part == "features":
      return x
    x = nn.relu(norm(name=f"norm_{DEPTH - 1}")(x))
    shape = (*x.shape[1:], 8 * self.width)
    x = linear(_connect, shape, name="connect")(x, train=train)
    x = nn.relu(norm(name=f"norm_{DEPTH}")(x))
    shape = (x.shape[-1], 1)
    x = linear(jnp.matmul, shape, use_bias=True, name="score")(x, train=train)
    return x[:, 0].astype(jnp.float32)


def _makers(
  module: nn.Module, train: bool, **options: float
) -> tuple[Callable, Callable]:
  """Makers of the module's linear layers and of its normalisations."""
  linear = functools.partial(
    modules.Linear, kernel_init=_kernel_init, dtype=module.dtype
  )
  norm = functools.partial(
    modules.normalization,
    "batch",
    train=train,
    axis_name=module.axis_name,
    dtype=module.dtype,
    **options,
  )
  return linear, norm


def _connect(x: Float[Array, "b h w c"], kernel: Float[Array, "h w c o"]):
  return jnp.einsum("bhwc,hwco->bo", x, kernel)


def _start(size: int) -> int:
  if size < 8 or size % 2**DEPTH:
    raise ValueError(f"size must be a multiple of 8, got {size}")
  return size // 2**DEPTH
