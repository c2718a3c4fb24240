"""Layers that grow: equalised learning rates, and norms without parameters.

References: Karras, Aila, Laine and Lehtinen, Progressive Growing of GANs for
  Improved Quality, Stability, and Variation, 2018, sections 3 and 4; Karras,
  Laine and Aila, A Style-Based Generator Architecture for Generative
  Adversarial Networks, 2019, section 2 and appendix C.
"""

import math
from collections.abc import Callable

import flax.linen as nn
import jax.numpy as jnp
from jax import lax
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from astgan.arrays import Features

# Of kernels that a leaky ReLU follows (He et al., 2015).
HE = math.sqrt(2)
# Images that the deviation of a minibatch is taken over, at most.
_GROUP = 4
_EPSILON = 1e-8


class Linear(nn.Module):
  """`operation(inputs, kernel) + bias`, whose kernel is scaled at run time.

    kernel = rate gain / sqrt(fan_in) v,  v ~ N(0, 1 / rate^2),
    bias = rate u,  u = 0 at first,

  where v and u are the parameters. So optimisers that normalise gradients, such
  as Adam, move all layers at the same relative speed, and those with a rate
  below 1 more slowly.

  Attributes:
    operation: linear in both arguments, such as a convolution.
    shape: of the kernel; all axes but the last are the fan-in.
    dtype: precision of the operation; parameters are float32.
    gain: deviation of the outputs for inputs of deviation 1.
    rate: factor on the learning rate.
  """

  operation: Callable
  shape: tuple[int, ...]
  dtype: DTypeLike
  gain: float = HE
  rate: float = 1.0

  @nn.compact
  def __call__(self, inputs):
    init = nn.initializers.normal(1 / self.rate)
    kernel = self.param("kernel", init, self.shape)
    bias = self.param("bias", nn.initializers.zeros, self.shape[-1:])
    scale = self.rate * self.gain / math.sqrt(math.prod(self.shape[:-1]))
    kernel = (scale * kernel).astype(self.dtype)
    x = self.operation(inputs.astype(self.dtype), kernel)
    bias = (self.rate * bias).astype(self.dtype)
    return x + jnp.broadcast_to(bias, x.shape)


def leaky_relu(x: Array) -> Array:
  """With slope 0.2."""
  return nn.leaky_relu(x, 0.2)


def pixel_norm(x: Float[Array, "b *sides c"]) -> Float[Array, "b *sides c"]:
  """The channels of each pixel, or the numbers of each latent, of length 1.

  x / sqrt(mean_c(x^2) + 1e-8): that length is measured per channel.

  References: Karras et al., 2018, section 4.2.
  """
  squares = jnp.square(x.astype(jnp.float32))
  squares = jnp.mean(squares, axis=-1, keepdims=True)
  return x * lax.rsqrt(squares + _EPSILON).astype(x.dtype)


def append_deviation(
  x: Float[Array, "b h w c"],
) -> Float[Array, "b h w c_plus_1"]:
  """The features and one more channel: how much a few images differ.

  That is the standard deviation over a group, averaged over pixels and
  channels. A group are 4 neighbours, or 3 or 2 that divide the batch evenly, or
  all of it; the authors' groups are as large, with images from all over the
  batch. Each device groups its own share of a batch, so that shares that are no
  multiples of 4 are grouped otherwise than the batch would be on one device.

  References: Karras et al., 2018, section 3.
  """
  b, h, w, c = x.shape
  evenly = (n for n in range(_GROUP, 1, -1) if b % n == 0)
  size = next(evenly, b)
  groups = x.astype(jnp.float32).reshape(b // size, size, h, w, c)
  variance = jnp.var(groups, axis=1)
  deviation = jnp.mean(jnp.sqrt(variance + _EPSILON), axis=(1, 2, 3))
  deviation = jnp.repeat(deviation, size)[:, None, None, None]
  channel = jnp.broadcast_to(deviation, (b, h, w, 1)).astype(x.dtype)
  return jnp.concatenate([x, channel], axis=-1)


def blur(x: Features) -> Features:
  """Weighs neighbours 1-2-1 in rows and columns; the border is replicated.

  References: Karras et al., 2019, section 2.1; Zhang, Making Convolutional
    Networks Shift-Invariant Again, 2019.
  """
  x = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
  rows = x[:, :-2] + 2 * x[:, 1:-1] + x[:, 2:]
  return (rows[:, :, :-2] + 2 * rows[:, :, 1:-1] + rows[:, :, 2:]) / 16
