"""Styles as latents: a linear map of features that a latent decides.

Features are compressed to a few channels, multiplied by a matrix of the content
and one of the style, and expanded again. The matrix of the style, and its mean,
come out of a variational autoencoder of styles, so that latents can be mixed.

References: Liu, Kalogeiton and Cani, Multiple Style Transfer via Variational
  AutoEncoder, 2021; Li et al., Learning Linear Transformations for Fast Image
  and Video Style Transfer, 2019, section 3.2, for matrices of covariances.
"""

from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from astgan.arrays import Features, Latents

# Units of the fully connected layers.
_UNITS = 1024


class Encoded(NamedTuple):
  """The distribution of a style's latent."""

  mean: Latents
  log_variance: Float[Array, "b z"]


class Inputs(NamedTuple):
  """Features of contents and of styles, and noise of the latents."""

  content: Features
  style: Float[Array, "b _h _w c"]
  noise: Latents


class Transform(nn.Module):
  """The autoencoder of styles, and the map.

  Attributes:
    latent_dim: dimensions of a latent.
    channels: of compressed features.
  """

  latent_dim: int
  channels: int = 32

  def __call__(
    self, inputs: Inputs, *, train: bool = False
  ) -> tuple[Features, Encoded]:
    """Features of the contents in drawn styles, and the distributions."""
    del train
    encoded = self.encode(inputs.style)
    std = jnp.exp(encoded.log_variance / 2)
    latents = encoded.mean + std * inputs.noise
    return self.transform(inputs.content, latents), encoded

  def setup(self) -> None:
    """The layers."""
    self.of_content = Summary(self.channels)
    self.of_style = Summary(self.channels)
    # First the map reduces features to a few of their directions, whatever the
    # style: random matrices make it grow beyond all bounds.
    zeros = nn.initializers.zeros
    self.content_matrix = nn.Dense(self.channels**2, kernel_init=zeros)
    self.hidden = nn.Dense(_UNITS)
    self.mean = nn.Dense(self.latent_dim)
    # First the prior's.
    self.log_variance = nn.Dense(self.latent_dim, kernel_init=zeros)
    self.decoded = nn.Dense(_UNITS)
    self.style_matrix = nn.Dense(self.channels**2, kernel_init=zeros)
    self.style_mean = nn.Dense(512)
    self.compress = nn.Dense(self.channels, kernel_init=_orthonormal)
    self.expand = nn.Dense(512, kernel_init=_orthonormal)

  def encode(self, style: Features) -> Encoded:
    """The distributions of the latents of images of these features."""
    means = jnp.mean(style, axis=(1, 2))
    covariances = self.of_style(style)
    x = nn.relu(self.hidden(jnp.concatenate([means, covariances], axis=-1)))
    return Encoded(self.mean(x), self.log_variance(x))

  def transform(self, content: Features, latents: Latents) -> Features:
    """The features of contents in the styles of the latents."""
    hidden = nn.relu(self.decoded(latents))
    matrices = [
      self.style_matrix(hidden),
      self.content_matrix(self.of_content(content)),
    ]
    size, identity = self.channels, jnp.eye(self.channels)[None]
    of_style, of_content = (x.reshape(-1, size, size) for x in matrices)
    matrix = (identity + of_style) @ (identity + of_content)
    centred = content - jnp.mean(content, axis=(1, 2), keepdims=True)
    x = jnp.einsum("bij,bhwj->bhwi", matrix, self.compress(centred))
    return self.expand(x) + self.style_mean(hidden)[:, None, None]


def _orthonormal(key, shape, dtype):
  """Of two shapes that are each other's transposes, matrices that are, too."""
  del key
  return nn.initializers.orthogonal()(jax.random.key(0), shape, dtype)


class Summary(nn.Module):
  """The covariances of features, compressed by three convolutions.

  Attributes:
    channels: of compressed features.
  """

  channels: int

  @nn.compact
  def __call__(self, features: Features) -> Float[Array, "b covariances"]:
    """[b channels^2]."""
    x = features - jnp.mean(features, axis=(1, 2), keepdims=True)
    for i, channels in enumerate((256, 128, self.channels)):
      x = nn.Conv(channels, (3, 3), padding="REFLECT", name=f"conv_{i}")(x)
      x = nn.relu(x) if i < 2 else x
    count = x.shape[1] * x.shape[2]
    covariances = jnp.einsum("bhwi,bhwj->bij", x, x) / count
    return covariances.reshape(len(x), -1)
