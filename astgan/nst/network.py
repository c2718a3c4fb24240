"""The feature network of a painting, hashable by its settings."""

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from astgan.features import vgg

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
  """The parameters with convolutions in another dtype, such as "bfloat16".

  The preprocessing stays in float32: bfloat16 has fewer digits than a pixel.
  """

  def cast_layer(name, layer):
    if name in ("mean", "scale"):
      return layer
    return jax.tree.map(lambda array: array.astype(jnp.dtype(dtype)), layer)

  return {name: cast_layer(name, layer) for name, layer in params.items()}
