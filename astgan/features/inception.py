"""Features of images: the Inception network of the Frechet Inception distance.

It is Inception v3 as TensorFlow published it in December 2015 and as ports to
PyTorch hold it. It differs from torchvision's: average pools leave the padding
out of the mean, and the last block pools by maximum. Batch normalization (with
epsilon 0.001) is folded into the convolutions when weights are converted.

References: Szegedy, Vanhoucke, Ioffe, Shlens and Wojna, Rethinking the
Inception architecture for computer vision, 2015; Heusel, Ramsauer, Unterthiner,
Nessler and Hochreiter, GANs trained by a two time-scale update rule converge to
a local Nash equilibrium, 2017.
"""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import linen
from jaxtyping import Array, Float

from astgan import arrays

SIDE = 299
BATCH_NORM_EPSILON = 1e-3


class Conv(NamedTuple):
  """A convolution and its ReLU."""

  name: str
  outputs: int
  kernel: tuple[int, int] = (1, 1)
  stride: int = 1
  padding: str = "SAME"


class Branches(NamedTuple):
  """Paths from one input, concatenated; a path is a tuple of steps."""

  paths: tuple


WINDOW = {"window_shape": (3, 3)}
POOLS = {
  "halve": functools.partial(linen.max_pool, **WINDOW, strides=(2, 2)),
  "max": functools.partial(linen.max_pool, **WINDOW, padding="SAME"),
  "average": functools.partial(
    linen.avg_pool, **WINDOW, padding="SAME", count_include_pad=False
  ),
}
SQUARE, ROW, COLUMN = (3, 3), (1, 3), (3, 1)
LONG_ROW, LONG_COLUMN = (1, 7), (7, 1)


def _numbered(prefix, *layers):
  """Convolutions prefix_1, prefix_2, ... of the given fields."""
  return tuple(
    Conv(f"{prefix}_{number}", *layer)
    for number, layer in enumerate(layers, start=1)
  )


def _a(name, pooled):
  return Branches((
    (Conv(f"{name}.branch1x1", 64),),
    _numbered(f"{name}.branch5x5", (48,), (64, (5, 5))),
    _numbered(f"{name}.branch3x3dbl", (64,), (96, SQUARE), (96, SQUARE)),
    ("average", Conv(f"{name}.branch_pool", pooled)),
  ))  # fmt: skip


def _b(name):
  last = (96, SQUARE, 2, "VALID")
  return Branches((
    (Conv(f"{name}.branch3x3", 384, SQUARE, 2, "VALID"),),
    _numbered(f"{name}.branch3x3dbl", (64,), (96, SQUARE), last),
    ("halve",),
  ))  # fmt: skip


def _c(name, width):
  row, column = (width, LONG_ROW), (width, LONG_COLUMN)
  return Branches((
    (Conv(f"{name}.branch1x1", 192),),
    _numbered(f"{name}.branch7x7", (width,), row, (192, LONG_COLUMN)),
    _numbered(
      f"{name}.branch7x7dbl", (width,), column, row, column, (192, LONG_ROW)
    ),
    ("average", Conv(f"{name}.branch_pool", 192)),
  ))  # fmt: skip


def _d(name):
  return Branches((
    _numbered(f"{name}.branch3x3", (192,), (320, SQUARE, 2, "VALID")),
    _numbered(
      f"{name}.branch7x7x3",
      (192,), (192, LONG_ROW), (192, LONG_COLUMN), (192, SQUARE, 2, "VALID"),
    ),
    ("halve",),
  ))  # fmt: skip


def _e(name, pool):
  def cross(prefix):
    row = Conv(f"{prefix}a", 384, ROW)
    return Branches(((row,), (Conv(f"{prefix}b", 384, COLUMN),)))

  short, double = f"{name}.branch3x3", f"{name}.branch3x3dbl"
  return Branches((
    (Conv(f"{name}.branch1x1", 320),),
    (*_numbered(short, (384,)), cross(f"{short}_2")),
    (*_numbered(double, (448,), (384, SQUARE)), cross(f"{double}_3")),
    (pool, Conv(f"{name}.branch_pool", 192)),
  ))  # fmt: skip


# The network, from the images to the last features before pooling.
STEPS = (
  Conv("Conv2d_1a_3x3", 32, SQUARE, 2, "VALID"),
  Conv("Conv2d_2a_3x3", 32, SQUARE, 1, "VALID"),
  Conv("Conv2d_2b_3x3", 64, SQUARE),
  "halve",
  Conv("Conv2d_3b_1x1", 80),
  Conv("Conv2d_4a_3x3", 192, SQUARE, 1, "VALID"),
  "halve",
  *(_a("Mixed_5b", 32), _a("Mixed_5c", 64), _a("Mixed_5d", 64)),
  _b("Mixed_6a"),
  *(_c("Mixed_6b", 128), _c("Mixed_6c", 160)),
  *(_c("Mixed_6d", 160), _c("Mixed_6e", 192)),
  _d("Mixed_7a"),
  *(_e("Mixed_7b", "average"), _e("Mixed_7c", "max")),
)


def apply(
  params: dict[str, Any], images: arrays.Images, *, side: int = SIDE
) -> Float[Array, "b 2048"]:
  """The features of the last pooling ("pool3"), of the published size.

  The images are resized bilinearly, without antialiasing, as the ports do;
  TensorFlow's first release sampled half a pixel apart and gives slightly
  different numbers.

  Args:
    params: parameters from `astgan.features.weights.load`.
    images: RGB in [0, 1], of any size.
    side: the size that the network sees, at least 75; other than SIDE only
      for tests.
  """
  shape = (len(images), side, side, 3)
  x = jax.image.resize(images, shape, "bilinear", antialias=False)
  x = x - params["mean"][None, None, None]
  x = x / params["scale"][None, None, None]
  return _run(params, x, STEPS).mean((1, 2))


def _run(params, x, steps):
  for step in steps:
    if isinstance(step, Conv):
      x = _convolve(x, step, **params[step.name])
    elif isinstance(step, Branches):
      branches = [_run(params, x, path) for path in step.paths]
      x = jnp.concatenate(branches, axis=-1)
    else:
      x = POOLS[step](x)
  return x


def _convolve(x, step, kernel, bias):
  x = jax.lax.conv_general_dilated(
    x, kernel, (step.stride, step.stride), step.padding,
    dimension_numbers=("NHWC", "HWIO", "NHWC"),
  )  # fmt: skip
  return jax.nn.relu(x + bias[None, None, None])


def kernel_shapes() -> dict[str, tuple[int, ...]]:
  """The kernel shape, HWIO, of each convolution by its published name."""
  shapes, _ = _shapes(3, STEPS)
  return shapes


def _shapes(channels, steps):
  """Shapes by name, and the channels that come out."""
  shapes = {}
  for step in steps:
    if isinstance(step, Conv):
      shapes[step.name] = (*step.kernel, channels, step.outputs)
      channels = step.outputs
    elif isinstance(step, Branches):
      found = [_shapes(channels, path) for path in step.paths]
      channels = sum(outputs for _, outputs in found)
      for inner, _ in found:
        shapes |= inner
  return shapes, channels
