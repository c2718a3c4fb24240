"""Residual blocks that change the size of their inputs by two.

Kernels start as uniform draws. Their variance is 2 / n (He et al.) in the 3x3
convolutions of the blocks and in the last one of the generator, and 1 / n
(Glorot and Bengio) elsewhere, where n is the mean of fan-in and fan-out, as in
the paper's code. Biases start at zero. The first convolution of a block has
none where a normalisation follows it.

Convolutions pad zeros, as in the paper. Those on resized images replicate the
border instead (`resampling.upsample_conv`).

References: Gulrajani et al., Improved Training of Wasserstein GANs, 2017,
  appendix, and its published code. He et al., Delving Deep into Rectifiers,
  2015. Glorot and Bengio, Understanding the Difficulty of Training Deep
  Feedforward Neural Networks, 2010.
"""

import functools
from collections.abc import Callable

import flax.linen as nn
from jax.typing import DTypeLike

from astgan.models import layers, modules, resampling

he = nn.initializers.variance_scaling(2.0, "fan_avg", "uniform")
glorot = nn.initializers.variance_scaling(1.0, "fan_avg", "uniform")


class Up(nn.Module):
  """Doubles both sides: [b h w c] to [b 2h 2w channels].

  Attributes:
    channels: of what comes out.
    norm: `modules.normalization`, all but the name given.
    linear: `linear`, all but name, operation and shape given.
  """

  channels: int
  norm: Callable
  linear: Callable

  @nn.compact
  def __call__(self, x, *, train):
    before, after = x.shape[-1], self.channels
    # A 1x1 convolution commutes with resizing and takes a quarter of the work
    # before it.
    shape = (1, 1, before, after)
    shortcut = self.linear("shortcut", layers.conv, shape, kernel_init=glorot)
    shortcut = resampling.upsample(shortcut(x, train=train))
    x = nn.relu(self.norm(name="norm_1")(x))
    conv_1 = functools.partial(resampling.upsample_conv, method="nearest")
    shape = (3, 3, before, after)
    x = self.linear("conv_1", conv_1, shape, use_bias=False)(x, train=train)
    x = nn.relu(self.norm(name="norm_2")(x))
    shape = (3, 3, after, after)
    return shortcut + self.linear("conv_2", layers.conv, shape)(x, train=train)


class Down(nn.Module):
  """Halves both sides: [b 2h 2w c] to [b h w channels].

  Attributes:
    channels: of what comes out.
    biased: whether the first convolution has a bias.
    norm, linear: as of `Up`.
  """

  channels: int
  biased: bool
  norm: Callable
  linear: Callable

  @nn.compact
  def __call__(self, x, *, train):
    before, after = x.shape[-1], self.channels
    shape = (1, 1, before, after)
    shortcut = self.linear("shortcut", layers.conv, shape, kernel_init=glorot)
    shortcut = shortcut(resampling.downsample(x), train=train)
    x = nn.relu(self.norm(name="norm_1")(x))
    shape = (3, 3, before, before)
    x = self.linear("conv_1", layers.conv, shape, use_bias=self.biased)(
      x, train=train
    )
    x = nn.relu(self.norm(name="norm_2")(x))
    conv_2 = resampling.conv_downsample
    shape = (3, 3, before, after)
    return shortcut + self.linear("conv_2", conv_2, shape)(x, train=train)


def linear(
  name: str,
  operation: Callable,
  shape: tuple[int, ...],
  *,
  dtype: DTypeLike,
  spectral_norm: bool,
  kernel_init: Callable = he,
  use_bias: bool = True,
) -> modules.Linear:
  """`modules.Linear` with the defaults of these networks."""
  return modules.Linear(
    operation,
    shape,
    kernel_init,
    dtype,
    use_bias=use_bias,
    spectral_norm=spectral_norm,
    name=name,
  )
