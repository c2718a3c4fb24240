"""Instance normalisation, and convolutions that it follows.

Every channel of every image is given mean 0 and variance 1. This removes any
constant, so that a bias before it has no effect: such biases are parameters,
since published networks have them, but they are not added.

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
  """

  shape: tuple[int, int, int, int]
  channels: int

  @nn.compact
  def __call__(self) -> tuple[Float[Array, "n n i o"], Float[Array, "c"]]:
    """The kernel and the bias."""
    kernel = self.param("kernel", _kernel_init, self.shape)
    return kernel, self.param("bias", nn.initializers.zeros, (self.channels,))


def moments(inputs: Features) -> tuple[Moments, Moments]:
  """Mean and variance of each channel of each image, float32."""
  x = inputs.astype(jnp.float32)
  mean = jnp.mean(x, (1, 2), keepdims=True)
  return mean, jnp.mean(jnp.square(x - mean), (1, 2), keepdims=True)


def normalize(inputs: Features, mean: Moments, variance: Moments) -> Features:
  """The inputs with mean 0 and variance 1, given what they have."""
  x = (inputs.astype(jnp.float32) - mean) * lax.rsqrt(variance + EPSILON)
  return x.astype(inputs.dtype)


def add_bias(inputs: Features, bias: Float[Array, "c"]) -> Features:
  """The inputs plus the bias of each channel."""
  return inputs + jnp.broadcast_to(bias.astype(inputs.dtype), inputs.shape)
