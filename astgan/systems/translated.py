"""Painters that are translators: each direction is a network of its own."""

import functools
import types
from collections.abc import Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, PyTree

from astgan import arrays, memory
from astgan.arrays import Images
from astgan.models import strips, translator

# Images in one call, so that memory bounds no count.
_CHUNK = 4
# Bytes per pixel that one pass needs for each channel of full size.
_BYTES = 16
# Side of a square of as many pixels as a strip has, where memory is short.
TILE = 512


class Painter(NamedTuple):
  """A `painters.Painter` of one translator for each direction.

  Attributes:
    module: called as `module.apply({"params": params}, images)`.
    params: by direction, the domain that it leads to; the first is the usual
      one.
    noise: by direction, the standard deviation of the noise on what it gets, in
      [-1, 1]. It is the same for all images of one size.
  """

  module: translator.Translator
  params: dict[str, PyTree]
  noise: Mapping[str, float] = types.MappingProxyType({})

  @property
  def directions(self) -> tuple[str, ...]:
    """The domains that it paints."""
    return tuple(self.params)

  @property
  def smallest(self) -> int:
    """The shortest side that it paints, in pixels: its receptive field."""
    return translator.receptive_field(self.module.blocks, ends=self.module.ends)

  def translate(self, images: Images, direction: str) -> Images:
    """Images in [-1, 1] of images in [-1, 1], both [b h w 3].

    Args:
      images: with sides that are multiples of 4.
      direction: one of `directions`.
    """
    images = self._disturb(images, direction)
    parts = [
      _apply(self.module, self.params[direction], images[i : i + _CHUNK])
      for i in range(0, len(images), _CHUNK)
    ]
    return jnp.concatenate(parts)

  def paint(
    self, pixels: Float[np.ndarray, "h w 3"], direction: str, *, tile: int = 0
  ) -> Float[np.ndarray, "h w 3"]:
    """The photograph, painted in one pass, both in [0, 1].

    Args:
      pixels: of any size from `smallest`.
      direction: one of `directions`.
      tile: side of a square with as many pixels as are painted at a time;
        0 is the whole photograph where memory allows, else 512.
    """
    height, width = pixels.shape[:2]
    ends = [(0, -side % translator.MULTIPLE) for side in (height, width)]
    padded = np.pad(pixels, (*ends, (0, 0)), mode="reflect")
    needed = _BYTES * self.module.width * padded.shape[0] * padded.shape[1]
    if not tile and needed > memory.available_bytes():
      tile = TILE
    images = arrays.unit_to_signed(jnp.asarray(padded[None]))
    if not tile or tile**2 >= height * width:
      painted = self.translate(images, direction)
    else:
      painted = strips.translate(
        jax.device_get(self.params[direction]),
        np.asarray(self._disturb(images, direction)),
        steps=self.module.steps,
        dtype=self.module.dtype,
        pixels=tile**2,
      )
    painted = np.asarray(arrays.signed_to_unit(jnp.asarray(painted)))
    return painted[0, :height, :width]

  def _disturb(self, images: Images, direction: str) -> Images:
    deviation = self.noise.get(direction, 0.0)
    if not deviation:
      return images
    noise = jax.random.normal(jax.random.key(0), (1, *images.shape[1:]))
    return images + deviation * noise


@functools.partial(jax.jit, static_argnums=0)
def _apply(
  module: translator.Translator, params: PyTree, images: Images
) -> Images:
  return module.apply({"params": params}, images)
