"""Regions of an image: the weights of its positions, and samples of them."""

import functools
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int
from PIL import Image

from astgan import errors
from astgan.data import colours, image_files, images
from astgan.nst import objective as objectives

# How far a mask may be stretched, as a share of the longer side.
_STRETCH = 0.01

# In [0, 1].
Mask = Float[np.ndarray, "_ _"]


def make(
  objective: objectives.Objective,
  params: Any,
  shape: tuple[int, int, int],
  mask: Float[np.ndarray, "h w"] | None = None,
  name: str = "paint.style_masks: a mask",
) -> objectives.Region:
  """A region of images of a shape, in every layer that the terms read.

  Args:
    objective: the terms and their network.
    params: parameters of the network.
    shape: of an image, [h w 3].
    mask: the weight of every pixel, in [0, 1]; None is the whole image. A
      position of a deeper layer weighs what its pixels do on average.
    name: of the mask, for messages.

  Raises:
    ValueError: the mask is of another size.
    UserError: it is zero everywhere in a layer.
  """
  image = jax.ShapeDtypeStruct((1, *shape), jnp.float32)
  layers = _features.eval_shape(image, params, objective=objective)
  sizes = {"image": shape[:2]}
  sizes |= {tap: layer.shape[1:3] for tap, layer in layers.items()}
  weights = None
  if mask is not None:
    if mask.shape != shape[:2]:
      raise ValueError(f"expected a mask of {shape[:2]}, got {mask.shape}")
    weights = {tap: reduce(mask, size) for tap, size in sizes.items()}
    for tap, weight in weights.items():
      if not weight.any():
        raise errors.UserError(
          f"{name} covers no position of {tap}; paint more of it white"
        )
  samples = {
    tap: sample(
      sizes[tap],
      item.term.sample_size,
      None if weights is None else weights[tap],
    )
    for item in objective.items
    for tap in item.term.taps
    if item.term.sample_size
  }
  if weights is not None:
    weights = {
      tap: jnp.asarray(weight[None, :, :, None], jnp.float32)
      for tap, weight in weights.items()
    }
  return objectives.Region(weights, jax.tree.map(jnp.asarray, samples))


# Traced once for each shape: that takes 20 ms, and a group has many images.
@functools.partial(jax.jit, static_argnames="objective")
def _features(image, params, *, objective):
  return objective.features(params, image)


def split(
  objective: objectives.Objective,
  params: Any,
  shape: tuple[int, int, int],
  masks: Sequence[Mask],
) -> tuple[objectives.Region, ...]:
  """The regions of masks, each with its share of all of them.

  Args:
    objective, params, shape: as for `make`.
    masks: of any size, resized to the image.
  """
  masks = [fit(mask, shape[:2]) for mask in masks]
  total = sum(mask.sum() for mask in masks)
  return tuple(
    make(
      *(objective, params, shape, mask), name=f"paint.masks: number {number}"
    )._replace(share=jnp.float32(mask.sum() / total))
    for number, mask in enumerate(masks, 1)
  )


def read(path: str) -> Float[np.ndarray, "h w"]:
  """The mask in an image file: white is 1, black and transparent are 0.

  Raises:
    UserError: the file is no image, or black everywhere.
  """
  with image_files.opened(pathlib.Path(path).expanduser()) as image:
    on_white, alpha = colours.separate(image_files.upright(image))
  mask = np.asarray(on_white).mean(axis=2, dtype=np.float32) / 255
  if alpha is not None:  # On black.
    mask = np.maximum(mask - (1 - np.asarray(alpha, np.float32) / 255), 0)
  if not mask.any():
    raise errors.UserError(f"{path}: the mask is black everywhere")
  return mask


def masks_of(
  stem: str, paths: Sequence[str], shape: tuple[int, int]
) -> list[Mask]:
  """The masks of a photograph, of any size.

  Args:
    stem: of the photograph's file.
    paths: `paint.masks`: image files, or folders with one for each photograph,
      of its stem.
    shape: height and width of the photograph.

  Raises:
    UserError: there is no mask for the photograph, or it has other proportions.
  """
  masks = []
  for path in paths:
    (file,) = _files([stem], path)
    mask = read(file)
    _check_proportions(mask, file, stem, shape)
    masks.append(mask)
  return masks


def check(shapes: Mapping[str, tuple[int, int]], paths: Sequence[str]) -> None:
  """Raises UserError if `masks_of` would, for any of the photographs.

  Each file is read once.

  Args:
    shapes: height and width of the photographs by stem.
    paths: `paint.masks`.
  """
  stems_of = {}
  for path in paths:
    for stem, file in zip(shapes, _files(shapes, path), strict=True):
      stems_of.setdefault(file, []).append(stem)
  for file, stems in stems_of.items():
    mask = read(file)
    for stem in stems:
      _check_proportions(mask, file, stem, shapes[stem])


def _check_proportions(mask, file, stem, shape):
  sides = images.fitted(mask.shape, max(shape))
  rounding = 1 + _STRETCH * max(shape)
  if max(abs(np.subtract(sides, shape))) > rounding:
    raise errors.UserError(
      f"paint.masks: {file} has other proportions than {stem},"
      f" {_sides(mask.shape)} pixels instead of {_sides(shape)} or a multiple"
      " of both; make one of the photograph's"
    )


def _sides(shape):
  return f"{shape[1]}x{shape[0]}"


def _files(stems, path):
  """The mask of each photograph, where `path` may be a folder of them."""
  found = pathlib.Path(path).expanduser()
  if not found.is_dir():
    return [str(found)] * len(stems)
  by_stem = {}
  for file in images.find(found):
    by_stem.setdefault(file.stem, []).append(str(file))
  for stem in stems:
    count = len(by_stem.get(stem, ()))
    if count != 1:
      raise errors.UserError(
        f"paint.masks: {path} has {count} masks named {stem}; it needs"
        " one for each photograph, of its name"
      )
  return [by_stem[stem][0] for stem in stems]


def fit(mask: Mask, size: tuple[int, int]) -> Float[np.ndarray, "h w"]:
  """The mask resized to an image."""
  if mask.shape == size:
    return mask
  resized = Image.fromarray(mask).resize(
    (size[1], size[0]), Image.Resampling.BILINEAR
  )
  return np.clip(np.asarray(resized, np.float32), 0, 1)


def reduce(
  mask: Float[np.ndarray, "h w"], size: tuple[int, int]
) -> Float[np.ndarray, "_ _"]:
  """The mask in a layer: means over the pixels of each position.

  The side of a position is a power of two: poolings halve an image, and drop
  what is over.
  """
  height, width = size
  side = 1 << (mask.shape[0] // height).bit_length() - 1
  mask = mask[: height * side, : width * side]
  return mask.reshape(height, side, width, side).mean(axis=(1, 3))


def sample(
  size: tuple[int, int],
  count: int,
  weights: Float[np.ndarray, "h w"] | None = None,
) -> Int[np.ndarray, "count 2"]:
  """Rows and columns of positions, drawn in proportion to their weights.

  One position is drawn from each of `count` parts of equal weight, the same at
  every call: samples of equal sizes are comparable, and an optimiser sees one
  objective.
  """
  draws = np.random.default_rng(0).uniform(size=count)
  quantiles = (np.arange(count) + draws) / count
  if weights is None:
    index = (quantiles * size[0] * size[1]).astype(np.int64)
  else:
    cumulative = np.cumsum(weights, dtype=np.float64)
    index = np.searchsorted(cumulative, quantiles * cumulative[-1], "right")
  return np.stack(np.unravel_index(index, size), axis=1).astype(np.int32)
