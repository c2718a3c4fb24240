"""Discriminators of patches: images, or features of them, to grids of logits.

A head halves its input by 4x4 convolutions of stride 2 until 8 pixels are left,
and a last one of stride 1 gives 5x5 logits. Kernels are divided by their
largest singular value, and batch normalisation follows all convolutions but
the first on pixels and the last.

References: Sauer, Chitta, Müller and Geiger, Projected GANs Converge Faster,
  2021, appendix; Miyato, Kataoka, Koyama and Yoshida, Spectral Normalization
  for Generative Adversarial Networks, 2018.
"""

from collections.abc import Mapping

import flax.linen as nn
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float

from astgan.arrays import Features
from astgan.models import layers, modules, unpadded

_SLOPE = 0.2
# Side of the smallest inputs, which the last convolution sees, in pixels.
SMALLEST = 8
_SIZE = 4

_kernel_init = nn.initializers.normal(0.02)

Logits = Float[Array, "b _h _w"]


class Heads(nn.Module):
  """A head for each input.

  Attributes:
    width: channels of the first layer of a head on pixels. A head whose input
      has half the side starts with twice as many.
    largest: channels of any layer, at most.
    size: side of the images that the inputs come from, in pixels.
    axis_name: mapped axis over which batch statistics are shared, or None.
    dtype: precision of the convolutions; parameters are float32.
  """

  width: int
  size: int
  largest: int = 512
  axis_name: str | None = None
  dtype: DTypeLike = jnp.float32

  @nn.compact
  def __call__(
    self, inputs: Mapping[str, Features], *, train: bool
  ) -> dict[str, Logits]:
    """Logits of being real by input, float32.

    Args:
      inputs: pixels in [-1, 1] or features by name; sides are powers of two
        from 8.
      train: normalise by the batch, and move the running statistics, or
        normalise by the running statistics. It also moves the vectors of
        spectral normalisation.
    """
    return {
      name: self._head(name, x, train) for name, x in sorted(inputs.items())
    }

  def _head(self, name, x, train):
    x, i = x.astype(self.dtype), 0
    while x.shape[1] > SMALLEST:
      channels = min(self.width * self.size // x.shape[1], self.largest)
      x = self._linear(
        layers.strided_conv, x.shape[-1], channels, f"{name}_{i}"
      )(x, train=train)
      if i or name != "pixels":
        x = modules.normalization(
          "batch",
          name=f"{name}_norm_{i}",
          train=train,
          axis_name=self.axis_name,
          dtype=self.dtype,
        )(x)
      x = nn.leaky_relu(x, _SLOPE)
      i += 1
    logits = self._linear(
      unpadded.valid_conv, x.shape[-1], 1, f"{name}_logits"
    )(x, train=train)
    return logits[..., 0].astype(jnp.float32)

  def _linear(self, operation, inputs, outputs, name):
    return modules.Linear(
      operation,
      (_SIZE, _SIZE, inputs, outputs),
      _kernel_init,
      self.dtype,
      spectral_norm=True,
      name=name,
    )
