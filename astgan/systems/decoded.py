"""Painters that change features of VGG19 and decode them."""

import functools
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from astgan import arrays, memory
from astgan.arrays import Features, Images
from astgan.models import decoder, rows
from astgan.systems import encoding, painters

# Bytes per pixel that a level needs at most. At relu1_1, 1,380 were measured on
# a CPU; 1,037 of them are the decoder's, which a GPU needs as well.
_BYTES = 1400
# Side of a square of as many pixels as a strip has, where memory is short.
TILE = 512

# What becomes of a slice of rows of the features of a photograph.
Change = Callable[[slice], Float[Array | np.ndarray, "1 _ _ _"]]
# Given all features, which lie on the host.
Transfer = Callable[[rows.Host], Change]


class Level(NamedTuple):
  """A layer at which features are changed.

  Attributes:
    module: its decoder.
    params: of the decoder.
    transfer: gives what becomes of the photograph's features, of which it sees
      all.
  """

  module: decoder.Decoder
  params: PyTree
  transfer: Transfer


class Painter(NamedTuple):
  """A `painters.Painter` of one or more levels, one after the other.

  What is between them reaches only so far, so that large photographs are
  encoded, changed and decoded in strips, without seams. The features of one
  level lie on the host meanwhile: 256 bytes per pixel of the photograph at
  relu1_1, half as many at each deeper level.

  Attributes:
    net: parameters of VGG19.
    params: by direction.
    levels: in their order; the deepest is the first.
    strength: share of the changed features, in [0, 1]; the others stay as they
      were.
  """

  net: PyTree
  params: dict[str, PyTree]
  levels: tuple[Level, ...]
  strength: float

  @property
  def directions(self) -> tuple[str, ...]:
    """The domains that it paints."""
    return tuple(self.params)

  @property
  def smallest(self) -> int:
    """The shortest side that it paints, in pixels."""
    return smallest(self.levels[0].module.block)

  def paint(
    self, pixels: painters.Pixels, direction: str, *, tile: int = 0
  ) -> painters.Pixels:
    """The photograph, painted; see `painters.Painter`."""
    del direction
    height, width = pixels.shape[:2]
    multiple = _scale(self.levels[0].module.block)
    ends = [(0, -side % multiple) for side in (height, width)]
    images = np.pad(pixels, (*ends, (0, 0)), mode="reflect")[None]
    size = images.shape[1] * images.shape[2]
    if not tile and _BYTES * size > memory.available_bytes():
      tile = TILE
    strip = images.shape[1]
    if tile and tile**2 < size:
      strip = max(tile**2 // images.shape[2] // multiple, 1) * multiple
    for level in self.levels:
      images = self._paint(images, level, strip)
    return images[0, :height, :width]

  def _paint(self, images, level, strip):
    """The images, changed at one level, in strips of so many rows."""
    block = level.module.block
    scale = _scale(block)
    margin = -(-decoder.reach(block) // scale)
    features = rows.apply(
      lambda seen: _encode(self.net, jnp.asarray(images[:, seen]), block=block),
      images.shape[1],
      rows=strip,
      margin=margin * scale,
      scale=Fraction(1, scale),
    )
    change = level.transfer(features)

    def paint(seen: slice) -> Images:
      pair = jnp.asarray(features[:, seen]), jnp.asarray(change(seen))
      return _decode(level.params, *pair, self.strength, module=level.module)

    return rows.apply(
      paint,
      features.shape[1],
      rows=strip // scale,
      margin=margin,
      scale=Fraction(scale),
    )


class StylePainter(NamedTuple):
  """A `painters.StylePainter`, whose style is told to one or more levels.

  Attributes:
    params: by direction: of the decoders, by name, and of what else learned.
    modules: the decoders by name; the deepest is the first.
    load: gives the parameters of VGG19.
    transfers: what becomes of the features at each level, given VGG19 and the
      groups.
  """

  params: dict[str, PyTree]
  modules: dict[str, decoder.Decoder]
  load: Callable[[], PyTree]
  transfers: Callable[[PyTree, Sequence[painters.Group]], Sequence[Transfer]]

  @property
  def directions(self) -> tuple[str, ...]:
    """The domains that it paints."""
    return tuple(self.params)

  @property
  def smallest(self) -> int:
    """The shortest side that it paints, in pixels."""
    return smallest(next(iter(self.modules.values())).block)

  def tell(
    self, groups: Sequence[painters.Group], *, strength: float
  ) -> Painter:
    """The painter of the styles; see `painters.StylePainter`."""
    net = self.load()
    (params,) = self.params.values()
    levels = tuple(
      Level(module, params[name], transfer)
      for (name, module), transfer in zip(
        self.modules.items(),
        self.transfers(net, groups),
        strict=True,
      )
    )
    return Painter(net, self.params, levels, strength)


def smallest(block: int) -> int:
  """The receptive field of relu{block}_1, in pixels."""
  return 2 * decoder.reach(block) + _scale(block)


def _scale(block: int) -> int:
  return 2 ** (block - 1)


@functools.partial(jax.jit, static_argnames="block")
def _encode(
  net: PyTree, images: Images, *, block: int
) -> Float[Array, "1 _h _w _c"]:
  (features,) = encoding.encode(net, arrays.unit_to_signed(images), (block,))
  return features


@functools.partial(jax.jit, static_argnames="module")
def _decode(
  params: PyTree,
  features: Features,
  changed: Features,
  strength: float | Float[Array, ""],
  *,
  module: decoder.Decoder,
) -> Float[Array, "1 _h _w 3"]:
  mixed = strength * changed + (1 - strength) * features
  images = module.apply({"params": params}, mixed)
  return jnp.clip(arrays.signed_to_unit(images), 0, 1)
