"""Features of images from convolutions with random weights of fixed seeds.

No image has trained these networks, so no discriminator and no style loss can
have learned what they reward, and they need no download. Their numbers rank
generators much as those of trained networks do, and complement them.

Each seed makes one narrow network of convolution, ReLU and max pooling. The
features are mean and standard deviation of each channel over the pixels, after
every ReLU: the early layers see colours, blur and checkerboards, the later ones
how edges lie together. Several seeds average out the luck of one.

From 150 Monets of 64 pixels, the kernel distance of these features (each
divided by its standard deviation) is 0.01 to 150 others; 0.3 to paintings of
other masters, to procedural landscapes and to the Monets with a checkerboard of
10 of 255 levels, which AlexNet and the second block of VGG19 do not tell from
the originals; 0.4 and 2 to the Monets blurred by half a pixel and by one; 1.9
to photographs, 3.7 to shuffled patches, and thousands to noise. Three other
seeds move these numbers by up to a half. With average pooling in place of max
pooling, those of blurs and shuffled patches are a fifth to a ninth.

References: Lee, Kim and Lee, Demystifying randomly initialized networks for
evaluating generative models, 2022; He, Zhang, Ren and Sun, Delving deep into
rectifiers, 2015, equation 10.
"""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from astgan import arrays
from astgan.features import vgg

SEEDS = (0, 1, 2)
# Output channels of the four layers; the sides are those of the kernels.
CHANNELS = (16, 32, 64, 64)
SIDES = (5, 3, 3, 3)
# Each pooling halves the image.
MIN_SIDE = 2 ** (len(CHANNELS) - 1)

Params = tuple[tuple[Float[Array, "_h _w _inputs _outputs"], ...], ...]


def init() -> Params:
  """The kernels, HWIO, of each layer of each seed: the same everywhere.

  He's variance, 2 / inputs, in the uniform distribution: its numbers follow
  from the bits of the generator by exact operations, those of the normal
  distribution also from logarithms, which differ between machines.
  """
  return tuple(_kernels(seed) for seed in SEEDS)


def _kernels(seed):
  rng = np.random.default_rng(seed)
  kernels = []
  for side, (inputs, outputs) in zip(
    SIDES, itertools.pairwise((3, *CHANNELS)), strict=True
  ):
    bound = np.sqrt(6 / (side * side * inputs))
    drawn = (2 * rng.random((side, side, inputs, outputs)) - 1) * bound
    kernels.append(jnp.asarray(drawn.astype(np.float32)))
  return tuple(kernels)


def apply(params: Params, images: arrays.Images) -> Float[Array, "b d"]:
  """Means and standard deviations of all channels of all layers and seeds.

  Args:
    params: from `init`.
    images: RGB in [0, 1], of MIN_SIDE pixels a side or more.

  Raises:
    ValueError: the images are too small.
  """
  if min(images.shape[1:3]) < MIN_SIDE:
    raise ValueError(
      f"random convolutions need images of {MIN_SIDE} pixels a side; got"
      f" {images.shape[1]} x {images.shape[2]}"
    )
  centred = 2 * images - 1
  features = [
    statistic
    for kernels in params
    for layer in _layers(kernels, centred)
    for statistic in (layer.mean((1, 2)), layer.std((1, 2)))
  ]
  return jnp.concatenate(features, axis=1)


def _layers(kernels, x):
  """The output of every ReLU, from input to output."""
  layers = []
  for kernel in kernels:
    if layers:
      x = vgg.max_pool(x)
    x = jax.nn.relu(
      jax.lax.conv_general_dilated(
        x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
      )
    )
    layers.append(x)
  return layers
