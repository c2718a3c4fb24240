"""The two sets of images that an evaluation compares."""

import functools
import pathlib
from collections.abc import Callable, Mapping
from typing import NamedTuple

import ml_collections
import numpy as np
from jaxtyping import Int, UInt8

from astgan import errors
from astgan.data import decoded, held_out, images, pipeline, sources

Images = UInt8[np.ndarray, "_n _s _s 3"]


class Reals(NamedTuple):
  """The images of a source: those to train on, and those held out."""

  training: Images
  held_out: Images


def read_reals(
  data: ml_collections.ConfigDict, fingerprint: Mapping | None = None
) -> Reals:
  """The images of `data.source`, as training sees them, in the two sides.

  Which images are held out follows from the bytes that training decodes. Where
  training crops windows of larger images, one window of each is compared.

  Args:
    data: the section `data` of a config.
    fingerprint: count and digest that the images must have, if any.

  Raises:
    UserError: no such source, no readable image, others than those of the
      fingerprint, or a side without images.
  """
  array = _decode(data, fingerprint).array
  sides = held_out.split(array, data.hold_out)
  return Reals(*(windows(array, side, data.size) for side in sides))


def held_out_images(
  data: ml_collections.ConfigDict, fingerprint: Mapping, *, side: int
) -> list[Callable[[], images.Pixels]]:
  """What reads each of the images that a training holds out, of any size.

  Args:
    data: the section `data` of the training's config.
    fingerprint: of its images, as for `read_reals`.
    side: of the images of a source that draws them, in pixels.

  Raises:
    UserError: none are held out, or as for `read_reals`.
  """
  if not data.hold_out:
    raise errors.UserError(
      "its config.data.hold_out is 0, so that no paintings were held out; name"
      " a run that holds some out, or a folder of images"
    )
  found = _decode(data, fingerprint)
  source = sources.open_source(data, side=side)
  skipped = {label for label, _ in found.skipped}
  kept = [i for i, label in enumerate(source.labels) if label not in skipped]
  indices = held_out.split(found.array, data.hold_out).held_out
  return [functools.partial(source.read, kept[index]) for index in indices]


def _decode(
  data: ml_collections.ConfigDict, fingerprint: Mapping | None
) -> decoded.Decoded:
  """All images of the source, at least one."""
  found = pipeline.decode(data, at_least=0)
  count = len(found.array)
  if fingerprint not in (None, found.fingerprint):
    raise errors.UserError(
      f"config.data.source={data.source}: the images are not those that the run"
      f" learned from (now {count}, then {fingerprint['count']}); bring those"
      " back, or name others"
    )
  if not count:
    raise errors.UserError(
      f"config.data.source={data.source}: none of its images can be read"
    )
  return found


def windows(
  array: Images, indices: Int[np.ndarray, "_"], size: int
) -> UInt8[np.ndarray, "_m {size} {size} 3"]:
  """A window of each of some images, at the same place every time.

  Places are as equally likely as in training. It is a view where it is all.
  """
  room = array.shape[1] - size + 1
  if room == 1:
    is_all = np.array_equal(indices, np.arange(len(array)))
    return array if is_all else array[indices]
  corners = np.random.default_rng(0).integers(room, size=(len(array), 2))
  found = np.empty((len(indices), size, size, 3), np.uint8)
  for window, i in zip(found, indices, strict=True):
    row, column = corners[i]
    window[:] = array[i, row : row + size, column : column + size]
  return found


def read_pictures(
  folder: str, side: int
) -> UInt8[np.ndarray, "_n {side} {side} 3"]:
  """The images of a folder as squares.

  Args:
    folder: of images of one size.
    side: of the squares, in pixels.

  Raises:
    UserError: there are none, one cannot be read, or their sizes differ.
  """
  squares, first = [], None
  for file in images.find(pathlib.Path(folder).expanduser()):
    image = images.read(file)
    first = first or (file, image.shape)
    if image.shape != first[1]:
      sizes = [f"{w} x {h}" for h, w, _ in (first[1], image.shape)]
      raise errors.UserError(
        f"config.evaluate.pictures={folder}: {first[0].name} has {sizes[0]}"
        f" pixels and {file.name} {sizes[1]}; give images of one size"
      )
    squares.append(images.resize(images.centre_square(image), side, side))
  return np.stack(squares)
