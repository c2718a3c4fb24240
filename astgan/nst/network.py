"""The feature network of a painting, hashable by its settings."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from astgan.features import vgg

DTYPES = ("auto", "float32", "bfloat16")

# extract(params, images in [0, 1], taps) -> {tap: features}.
Extract = Callable[[Any, Any, tuple[str, ...]], vgg.Layers]


class Geometry(NamedTuple):
  """Where the features of a layer come from.

  Args:
    stride: pixels of the image between neighbouring positions.
    reach: pixels that a position depends on, beyond its own `stride` pixels, on
      each side.
  """

  stride: int
  reach: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Network:
  """VGG with its settings. Equal settings are equal, so that jit compiles once.

  Args:
    net: "vgg19" or "vgg16".
    pooling, padding: see `vgg.apply`.
  """

  net: str = "vgg19"
  pooling: str = "max"
  padding: str = "zeros"

  def __call__(
    self, params: Any, images: jax.Array, taps: tuple[str, ...]
  ) -> vgg.Layers:
    """Features by tap, of images in [0, 1]."""
    return vgg.apply(
      params, images, taps, pooling=self.pooling, padding=self.padding
    )

  def geometry(self, tap: str) -> Geometry:
    """Stride and reach of a layer.

    A convolution in the block of stride s reaches s pixels further; a window of
    pooling is one position of the next block, and reaches no further.
    """
    layers = vgg.layers_by_tap(self.net)
    stride, reach = 1, 0
    for layer in dict.fromkeys(layers.values()):
      if layer.startswith("conv"):
        reach += stride
      elif layer.startswith("pool"):
        stride *= 2
      if layer == layers[tap]:
        break
    return Geometry(stride, reach)


def cast(params: Any, dtype: str) -> Any:
  """The parameters with convolutions in another precision.

  The preprocessing stays in float32: bfloat16 has fewer digits than a pixel.
  Statistics of features are in float32 whatever the precision, so that they
  overflow in none.

  Args:
    params: of the network.
    dtype: "float32", "bfloat16", or "auto": bfloat16 where there is an
      accelerator, whose matrix units it feeds, and float32 on CPUs.
  """
  if dtype == "auto":
    dtype = "float32" if jax.default_backend() == "cpu" else "bfloat16"
  cast_all = functools.partial(
    jax.tree.map, lambda array: array.astype(jnp.dtype(dtype))
  )
  return {
    name: layer if name in ("mean", "scale") else cast_all(layer)
    for name, layer in params.items()
  }
