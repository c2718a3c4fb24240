"""An autoencoder that sharpens enlarged images.

Two levels of two 3x3 convolutions and a maximum over 2x2 pixels, one
convolution in the middle, and back by nearest resizing; what entered a maximum
is added at the same size on the way back. With a width of 64 it has 1,110,403
parameters. The border is replicated. What comes out is added to the input, so
that the network learns the details alone and begins with the enlarged image.

References: Kumar and Goel, Image Super Resolution using Autoencoders, 2020;
  Kim, Lee and Lee, Accurate Image Super-Resolution Using Very Deep
  Convolutional Networks, 2016, section 3.2, for the sum at the end.
"""

import functools

import flax.linen as nn
import jax.numpy as jnp
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from astgan.arrays import Features, Images
from astgan.models import modules, resampling, unpadded

_kernel_init = nn.initializers.he_normal()
_upsample_conv = functools.partial(resampling.upsample_conv, method="nearest")


class Autoencoder(nn.Module):
  """Enlarged images to sharp ones.

  Attributes:
    width: channels at full size (the paper: 64), twice at half, four times at a
      quarter.
    dtype: precision of the convolutions; parameters are float32.
  """

  width: int = 64
  dtype: DTypeLike = jnp.float32

  @nn.compact
  def __call__(self, images: Images, *, train: bool = False) -> Images:
    """Images about [-1, 1], float32, [b h w 3].

    Args:
      images: in [-1, 1], [b h w 3], with sides that are multiples of 4.
      train: changes nothing.
    """

    def convolve(
      name,
      x,
      channels,
      operation=unpadded.replicated_conv,
      init=_kernel_init,
    ):
      shape = (3, 3, x.shape[-1], channels)
      layer = modules.Linear(
        operation, shape, init, self.dtype, use_bias=True, name=name
      )
      return layer(x, train=train)

    x, skipped = images, []
    for level in (1, 2):
      for i in (1, 2):
        x = nn.relu(convolve(f"down_{level}_{i}", x, level * self.width))
      skipped.append(x)
      x = _halve(x)
    x = nn.relu(convolve("middle", x, 4 * self.width))
    for level in (2, 1):
      channels = level * self.width
      x = nn.relu(convolve(f"up_{level}_1", x, channels, _upsample_conv))
      x = nn.relu(convolve(f"up_{level}_2", x, channels)) + skipped.pop()
    details = convolve("output", x, 3, init=nn.initializers.zeros)
    return images + details.astype(jnp.float32)


def _halve(x: Features) -> Float[Array, "b h2 w2 c"]:
  """Maxima over 2x2 pixels."""
  b, h, w, c = x.shape
  return jnp.max(x.reshape(b, h // 2, 2, w // 2, 2, c), axis=(2, 4))
