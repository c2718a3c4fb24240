"""PatchGAN: images to a logit for every patch of 70x70 pixels.

4x4 convolutions, three of stride 2 and two of stride 1, all padding one pixel
of zeros. Instance normalisation follows all but the first and the last. At
width 64 it has 2,764,737 parameters.

References: Isola, Zhu, Zhou and Efros, Image-to-Image Translation with
  Conditional Adversarial Networks, 2017, appendix 6.1.2; Zhu et al., Unpaired
  Image-to-Image Translation using Cycle-Consistent Adversarial Networks, 2017.
"""

import flax.linen as nn
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float

from astgan.arrays import Images
from astgan.models import instance, layers, unpadded

_SIZE = 4
_SLOPE = 0.2
# Channels in widths, and whether height and width are halved.
_LAYERS = ((1, True), (2, True), (4, True), (8, False))


class Discriminator(nn.Module):
  """Images to logits of being real, one per patch.

  Attributes:
    width: channels of the first layer; the others have 2, 4 and 8 times as
      many.
    dtype: precision of the convolutions; parameters and moments are float32.
  """

  width: int
  dtype: DTypeLike = jnp.float32

  @nn.compact
  def __call__(
    self, images: Images, *, train: bool = False
  ) -> Float[Array, "b h2 w2"]:
    """Logits, float32, [b h/8-2 w/8-2].

    Args:
      images: in [-1, 1], [b h w 3], with sides that are multiples of 8, at
        least 24.
      train: changes nothing.
    """
    del train
    x = images.astype(self.dtype)
    for i, (factor, halves) in enumerate(_LAYERS):
      x, bias = self._convolve(f"layer_{i}", x, factor * self.width, halves)
      if i == 0:
        x = instance.add_bias(x, bias)
      else:
        x = instance.normalize(x, *instance.moments(x))
      x = nn.leaky_relu(x, _SLOPE)
    logits, bias = self._convolve("output", x, 1, False)
    return instance.add_bias(logits.astype(jnp.float32), bias)[..., 0]

  def _convolve(self, name, x, channels, halves):
    """The convolution of a layer, and the bias that belongs to it."""
    shape = (_SIZE, _SIZE, x.shape[-1], channels)
    layer = instance.Parameters(shape, channels, name=name)()
    kernel, bias = layer["kernel"].astype(self.dtype), layer["bias"]
    if halves:
      return layers.strided_conv(x, kernel), bias
    padded = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    return unpadded.valid_conv(padded, kernel), bias
