"""The generator of CycleGAN and of fast style transfer: images to images.

A 7x7 convolution, two of stride 2, residual blocks at a quarter of the size,
two that double it and a 7x7 convolution. With 9 blocks and a width of 64 it has
11,378,179 parameters, with 6 blocks 7,837,699. Convolutions of stride 1 reflect
the border, the others pad zeros; all but the last are followed by instance
normalisation. The papers double by transposed convolutions; as many parameters
on a resized image, whose border is replicated, leave no lattice.

The network for fast style transfer has 9x9 convolutions at its ends, half the
width, 5 blocks, and learns what follows its normalisations: 1,677,635
parameters, with none of the biases before these.

References: Zhu, Park, Isola and Efros, Unpaired Image-to-Image Translation
  using Cycle-Consistent Adversarial Networks, 2017, section 7.2, after Johnson,
  Alahi and Fei-Fei, Perceptual Losses for Real-Time Style Transfer, 2016.
"""

from collections.abc import Mapping
from typing import NamedTuple

import flax.linen as nn
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float

from astgan.arrays import Features, Images
from astgan.models import instance, layers, resampling, unpadded

# Sides of images are multiples of this.
MULTIPLE = 4

# What doubles the sides: 3x3 convolutions, transposed or of the image resized.
UPSAMPLE = ("transposed", "nearest")


class Step(NamedTuple):
  """A convolution and what follows it.

  Attributes:
    kind: `same` keeps both sides, `down` halves them, `transposed` and
      `nearest` double them.
    size: side of the kernel.
    channels: that come out.
    end: `relu`, after normalisation; `add`, normalisation and the addition of
      what entered the step before; or `tanh`, after a bias.
  """

  kind: str
  size: int
  channels: int
  end: str


def steps(
  width: int, blocks: int, upsample: str, *, ends: int = 7
) -> dict[str, Step]:
  """The steps of a network by name, in their order.

  Args:
    width, blocks, upsample, ends: as in `Translator`.
  """
  found = {
    "input": Step("same", ends, width, "relu"),
    "down_1": Step("down", 3, 2 * width, "relu"),
    "down_2": Step("down", 3, 4 * width, "relu"),
  }
  for i in range(1, blocks + 1):
    found[f"block_{i}_1"] = Step("same", 3, 4 * width, "relu")
    found[f"block_{i}_2"] = Step("same", 3, 4 * width, "add")
  return found | {
    "up_1": Step(upsample, 3, 2 * width, "relu"),
    "up_2": Step(upsample, 3, width, "relu"),
    "output": Step("same", ends, 3, "tanh"),
  }


def receptive_field(blocks: int, *, ends: int = 7) -> int:
  """Side of the square of pixels that one pixel of the output depends on.

  Beyond it reach only the means and variances of normalisation.
  """
  side, apart = 1, 1
  for step in steps(1, blocks, "transposed", ends=ends).values():
    if step.kind == "transposed":
      # At most two of the three taps meet inputs, or inputs that differ.
      side += apart
      apart //= 2
    else:
      side += (step.size - 1) * apart
      apart *= 2 if step.kind == "down" else 1
  return side


class Translator(nn.Module):
  """Images to images.

  Attributes:
    width: channels at full size.
    blocks: residual blocks; in the paper 6 for 128 pixels, 9 for 256 and more.
    upsample: one of `UPSAMPLE`.
    dtype: precision of the convolutions; parameters and moments are float32.
    ends: side of the first and of the last kernel, odd.
    affine: whether a scale and a bias per channel follow each normalisation.
  """

  width: int
  blocks: int
  upsample: str = "transposed"
  dtype: DTypeLike = jnp.float32
  ends: int = 7
  affine: bool = False

  @property
  def steps(self) -> dict[str, Step]:
    """The steps of the network by name, in their order."""
    return steps(self.width, self.blocks, self.upsample, ends=self.ends)

  @nn.compact
  def __call__(self, images: Images, *, train: bool = False) -> Images:
    """Images in [-1, 1], float32, [b h w 3].

    Args:
      images: in [-1, 1], [b h w 3], with sides that are multiples of 4, at
        least 8.
      train: changes nothing.
    """
    del train
    before = x = images.astype(self.dtype)
    for name, step in self.steps.items():
      pair = (x.shape[-1], step.channels)
      # Transposed, the outputs come first.
      shape = pair[::-1] if step.kind == "transposed" else pair
      layer = instance.Parameters(
        (step.size, step.size, *shape),
        step.channels,
        affine=self.affine and step.end != "tanh",
        name=name,
      )()
      y = convolve(x, layer["kernel"].astype(self.dtype), kind=step.kind)
      if step.end != "tanh":
        y = instance.normalize(y, *instance.moments(y))
      before, x = x, finish(step, y, layer, before)
    return x


def convolve(
  inputs: Features, kernel: Float[Array, "n n i o"], *, kind: str
) -> Float[Array, "b h2 w2 c2"]:
  """The convolution of a step, with its padding."""
  if kind == "same":
    return unpadded.valid_conv(reflect(inputs, len(kernel) // 2), kernel)
  if kind == "nearest":
    return resampling.upsample_conv(inputs, kernel, method=kind)
  operation = layers.strided_conv if kind == "down" else layers.conv_transpose
  return operation(inputs, kernel)


def reflect(
  inputs: Features, reach: int, *, rows: bool = True
) -> Float[Array, "b h2 w2 c"]:
  """The inputs and their mirror images beyond the border, which is not twice.

  Args:
    inputs: [b h w c].
    reach: pixels beyond the border.
    rows: whether there are rows to add, or columns alone.
  """
  ends = (reach, reach)
  above = ends if rows else (0, 0)
  return jnp.pad(inputs, ((0, 0), above, ends, (0, 0)), mode="reflect")


def finish(
  step: Step,
  x: Features,
  layer: Mapping[str, Float[Array, "..."]],
  before: Float[Array, "..."] | None,
) -> Features:
  """What a step makes of its convolution, normalised where it is.

  Args:
    step: in question.
    x: the convolution.
    layer: its parameters: the bias of the last step, and the scale and the bias
      of others, where they have a scale.
    before: what entered the step before; read where it is added.
  """
  if "scale" in layer:
    x = instance.add_bias(instance.rescale(x, layer["scale"]), layer["bias"])
  if step.end == "relu":
    return nn.relu(x)
  if step.end == "add":
    return before + x
  return jnp.tanh(instance.add_bias(x.astype(jnp.float32), layer["bias"]))
