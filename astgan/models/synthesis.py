"""The part of a growing generator that makes images, side by side.

Convolutions pad zeros as the authors' do; where they follow a resizing, the
border is replicated instead (`resampling.upsample_conv`).

References: Karras, Aila, Laine and Lehtinen, Progressive Growing of GANs for
  Improved Quality, Stability, and Variation, 2018, table 2; Karras, Laine and
  Aila, A Style-Based Generator Architecture for Generative Adversarial
  Networks, 2019, figure 1 and appendix C.
"""

import functools

import flax.linen as nn
import jax.numpy as jnp
from jax.typing import DTypeLike

from astgan.arrays import Images
from astgan.models import equalised, growing, instance, layers, resampling


class Synthesis(nn.Module):
  """Styles and noise to images; latents to images without styles.

  Attributes: as of `Generator`.
  """

  size: int
  width: int
  has_styles: bool
  dtype: DTypeLike

  @nn.compact
  def __call__(self, inputs, noises, level) -> Images:
    images = None
    for i, side in enumerate(growing.sides_to(self.size)):
      channels = growing.channels_at(side, self.width)
      for part in range(2):
        if side == 4 and not part:
          x = self._start(inputs, channels)
        else:
          x = self._convolve(x, side, channels, part)
        x = self._finish(x, inputs, noises, 2 * i + part)
      shape = (1, 1, channels, 3)
      to_rgb = equalised.Linear(
        layers.conv, shape, self.dtype, gain=1.0, name=f"to_rgb_{side}"
      )
      colours = to_rgb(x).astype(jnp.float32)
      if images is None:
        images = colours
      else:
        images = growing.fade(resampling.upsample(images), colours, level, i)
    return images

  def _start(self, inputs, channels):
    """[b 4 4 channels]: a learned constant, or a linear map of the latents."""
    if self.has_styles:
      shape = (4, 4, channels)
      constant = self.param("constant", nn.initializers.ones, shape)
      constant = constant[None].astype(self.dtype)
      x = jnp.broadcast_to(constant, (len(inputs), *shape))
      bias = self.param("bias", nn.initializers.zeros, (channels,))
      return instance.add_bias(x, bias)
    x = equalised.pixel_norm(inputs)
    project = equalised.Linear(
      functools.partial(jnp.einsum, "bz,zhwc->bhwc"),
      (x.shape[-1], 4, 4, channels),
      self.dtype,
      name="project",
    )
    return project(x)

  def _convolve(self, x, side, channels, part):
    shape = (3, 3, x.shape[-1], channels)
    linear = functools.partial(equalised.Linear, shape=shape, dtype=self.dtype)
    if part:
      return linear(layers.conv, name=f"conv_{side}")(x)
    # Bilinear resizing is nearest resizing and a blur.
    method = "bilinear" if self.has_styles else "nearest"
    up = functools.partial(resampling.upsample_conv, method=method)
    return linear(up, name=f"up_{side}")(x)

  def _finish(self, x, inputs, noises, layer):
    """What follows every convolution: noise, a leaky ReLU, a norm, a style."""
    if not self.has_styles:
      return equalised.pixel_norm(equalised.leaky_relu(x))
    c = x.shape[-1]
    strength = self.param(f"noise_{layer}", nn.initializers.zeros, (c,))
    pixels = noises[layer][..., None] * strength[None, None, None]
    x = equalised.leaky_relu(x + pixels.astype(x.dtype))
    x = instance.normalize(x, *instance.moments(x))
    shape = (inputs.shape[-1], 2 * c)
    style = equalised.Linear(
      jnp.matmul, shape, self.dtype, gain=1.0, name=f"style_{layer}"
    )
    scale, bias = jnp.split(style(inputs[:, layer])[:, None, None], 2, axis=-1)
    return x * jnp.broadcast_to(1 + scale, x.shape) + jnp.broadcast_to(
      bias, x.shape
    )
