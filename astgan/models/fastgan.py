"""A light generator that learns from few images, with skip-layer excitation.

From a 4x4 start every octave is one 3x3 convolution of the bilinearly resized
features, batch normalisation and a gated linear unit. Features of 4, 8 and 16
pixels weigh the channels of those sixteen times as large, a short way for the
gradient. It is the `lite` form of the published network, one convolution an
octave, without its spectral normalisation, and with three differences against
patterns that few updates do not unlearn. Images are resized bilinearly instead
of by nearest neighbours; their border is replicated instead of padded by zeros;
and every octave adds noise, as the larger form does in some, without which
smooth features end in rings like contour lines.

References: Liu, Zhu, Song and Elgammal, Towards Faster and Stabilized GAN
  Training for High-fidelity Few-shot Image Synthesis, 2021, figure 3; Sauer,
  Chitta, Müller and Geiger, Projected GANs Converge Faster, 2021, appendix.
"""

import functools
import math

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float

from astgan.arrays import Features, Images, Latents
from astgan.models import modules, noise, resampling, unpadded

# Channels at each side in pixels, in units of the width.
CHANNELS = {
  4: 16, 8: 8, 16: 4, 32: 2, 64: 2, 128: 1, 256: 0.5, 512: 0.25
}  # fmt: skip
SIZES = (32, 64, 128, 256, 512)
# The side of the features that weigh those of a side.
_EXCITED_BY = {64: 4, 128: 8, 256: 16, 512: 32}

_kernel_init = nn.initializers.normal(0.02)


class Generator(nn.Module):
  """Latents to images.

  Attributes:
    size: side of the images in pixels, one of `SIZES`.
    width: channels at 128 pixels, a multiple of 4; see `CHANNELS`.
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
      latents: of any length but zero, [b z], z at least 2; they are scaled to
        sqrt(z).
      train: normalise by the batch, and move the running statistics, or
        normalise by the running statistics.

    Raises:
      ValueError: the size is not one of those above.
    """
    if self.size not in SIZES:
      raise ValueError(f"size must be one of {SIZES}, got {self.size}")
    norm = functools.partial(
      modules.normalization,
      "batch",
      train=train,
      axis_name=self.axis_name,
      dtype=self.dtype,
      momentum=self.momentum,
    )
    squares = jnp.mean(latents**2, axis=1, keepdims=True)
    sides = [2**i for i in range(3, int(math.log2(self.size)) + 1)]
    noises = noise.of_latents(latents, sides)
    latents = latents * jax.lax.rsqrt(squares + 1e-8)
    channels = self._channels(4)
    shape = (latents.shape[-1], 4, 4, 2 * channels)
    kernel = self.param("project", _kernel_init, shape)
    x = jnp.einsum(
      "bz,zhwc->bhwc", latents.astype(self.dtype), kernel.astype(self.dtype)
    )
    x = nn.glu(norm(name="norm_4")(x))  # [b, 4, 4, channels]
    features = {4: x}
    for side, pixels in zip(sides, noises, strict=True):
      shape = (3, 3, x.shape[-1], 2 * self._channels(side))
      up = functools.partial(resampling.upsample_conv, method="bilinear")
      x = self._linear(up, shape, f"up_{side}")(x, train=train)
      x = self._with_noise(x, pixels, side)
      x = nn.glu(norm(name=f"norm_{side}")(x))
      if side in _EXCITED_BY:
        smaller = features[_EXCITED_BY[side]]
        gate = self._excitation(smaller, x.shape[-1], side, train)
        x = x * jnp.broadcast_to(gate, x.shape)
      features[side] = x
    # No normalisation follows, so that small kernels would draw grey for
    # hundreds of updates.
    x = modules.Linear(
      _conv,
      (3, 3, x.shape[-1], 3),
      nn.initializers.lecun_normal(),
      self.dtype,
      name="output",
    )(x, train=train)
    return jnp.tanh(x.astype(jnp.float32))

  def _with_noise(self, x, pixels, side):
    """The features and as much noise as the network has learned to add."""
    shape = (x.shape[-1],)
    strength = self.param(f"noise_{side}", nn.initializers.zeros, shape)
    weighted = pixels[..., None] * strength[None, None, None]
    return x + weighted.astype(self.dtype)

  def _channels(self, side):
    return max(1, int(CHANNELS[side] * self.width))

  def _linear(self, operation, shape, name):
    return modules.Linear(operation, shape, _kernel_init, self.dtype, name=name)

  def _excitation(
    self, x: Features, channels: int, side: int, train: bool
  ) -> Float[Array, "b 1 1 channels"]:
    """Weights in [0, 1] of the channels at a side."""
    b, h, w, c = x.shape
    x = jnp.mean(x.reshape(b, 4, h // 4, 4, w // 4, c), axis=(2, 4))
    squeeze = functools.partial(jnp.einsum, "bhwc,hwco->bo")
    x = self._linear(squeeze, (4, 4, c, channels), f"squeeze_{side}")(
      x, train=train
    )
    x = self._linear(jnp.matmul, (channels, channels), f"excite_{side}")(
      nn.swish(x), train=train
    )
    return nn.sigmoid(x)[:, None, None]


def _conv(inputs, kernel):
  """3x3 convolution of stride 1; the border is replicated."""
  padded = jnp.pad(inputs, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
  return unpadded.valid_conv(padded, kernel)
