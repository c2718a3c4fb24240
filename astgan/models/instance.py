"""Instance normalisation, and convolutions that it follows.

Every channel of every image is given mean 0 and variance 1. This removes any
constant, so that a bias before it has no effect: such biases are parameters,
since published networks have them, but they are not added. Where a scale is
learned too, it and the bias follow the normalisation.

References: Ulyanov, Vedaldi and Lempitsky, Instance Normalization: The Missing
  Ingredient for Fast Stylization, 2016.
"""

import flax.linen as nn
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float

from astgan.arrays import Features

EPSILON = 1e-5

Moments = Float[Array, "#b 1 1 c"]

_kernel_init = nn.initializers.normal(0.02)


class Parameters(nn.Module):
  """A kernel, drawn from N(0, 0.02), and a bias, first zero.

  Attributes:
    shape: of the kernel.
    channels: of the bias.
    affine: whether there is a scale, first one, as well.
  """

  shape: tuple[int, int, int, int]
  channels: int
  affine: bool = False

  @nn.compact
  def __call__(self) -> dict[str, Float[Array, "..."]]:
    """`kernel` [n n i o], `bias` [c] and, where there is one, `scale` [c]."""
    zeros, ones = nn.initializers.zeros, nn.initializers.ones
    found = {
      "kernel": self.param("kernel", _kernel_init, self.shape),
      "bias": self.param("bias", zeros, (self.channels,)),
    }
    if self.affine:
      found["scale"] = self.param("scale", ones, (self.channels,))
    return found


def moments(inputs: Features) -> tuple[Moments, Moments]:
  """Mean and variance of each channel of each image, float32."""
  x = inputs.astype(jnp.float32)
  mean = jnp.mean(x, (1, 2), keepdims=True)
  return mean, jnp.mean(jnp.square(x - mean), (1, 2), keepdims=True)


def normalize(inputs: Features, mean: Moments, variance: Moments) -> Features:
  """The inputs with mean 0 and variance 1, given what they have."""
  x = (inputs.astype(jnp.float32) - mean) * lax.rsqrt(variance + EPSILON)
  return x.astype(inputs.dtype)


def rescale(inputs: Features, scale: Float[Array, "c"]) -> Features:
  """The inputs times the scale of each channel."""
  return inputs * jnp.broadcast_to(scale.astype(inputs.dtype), inputs.shape)


def add_bias(inputs: Features, bias: Float[Array, "c"]) -> Features:
  """The inputs plus the bias of each channel."""
  return inputs + jnp.broadcast_to(bias.astype(inputs.dtype), inputs.shape)
