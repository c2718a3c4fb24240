"""The table of the networks that have weights: the shapes of their arrays.

The parameters of every network are a dict of `mean` and `scale`, [3], what the
pixels are lessened and divided by, and for each convolution, by its name, a
dict of `kernel`, HWIO, and `bias`.
"""

import functools
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from astgan.features import alexnet, inception, lpips, vgg

Shapes = dict[str, tuple[int, ...]]

# The kernel shapes of each network, from input to output.
NETS: dict[str, Callable[[], Shapes]] = {
  "vgg16": functools.partial(vgg.kernel_shapes, "vgg16"),
  "vgg19": functools.partial(vgg.kernel_shapes, "vgg19"),
  "alexnet": lambda: alexnet.KERNEL_SHAPES,
  "lpips_alexnet": functools.partial(lpips.kernel_shapes, "lpips_alexnet"),
  "lpips_vgg16": functools.partial(lpips.kernel_shapes, "lpips_vgg16"),
  "inception": inception.kernel_shapes,
}


def shapes(net: str) -> Shapes:
  """The shapes of all arrays by dotted names, as `convert.flatten` has them."""
  found = {"mean": (3,), "scale": (3,)}
  for layer, shape in NETS[net]().items():
    found |= {f"{layer}.kernel": shape, f"{layer}.bias": shape[3:]}
  return found


def init(seed: int, net: str) -> dict[str, Any]:
  """Untrained parameters: He-normal kernels, zero biases, ImageNet's pixels.

  They have the structure of pretrained ones and serve speed tests. NumPy draws
  them in a tenth of the time that JAX needs to compile and draw.

  References: He, Zhang, Ren and Sun, Delving deep into rectifiers, 2015,
  equation 10.
  """
  rng = np.random.default_rng(seed)
  params = {
    "mean": jnp.float32(vgg.IMAGENET_MEAN),
    "scale": jnp.float32(vgg.IMAGENET_STD),
  }
  for layer, shape in NETS[net]().items():
    std = np.float32((2 / np.prod(shape[:3])) ** 0.5)
    kernel = std * rng.standard_normal(shape, np.float32)
    bias = jnp.zeros(shape[3], jnp.float32)
    params[layer] = {"kernel": jnp.asarray(kernel), "bias": bias}
  return params
