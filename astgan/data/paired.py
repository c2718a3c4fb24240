"""Photographs, and the pictures that were painted of them."""

import pathlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8

from astgan import errors
from astgan.data import images


class Pair(NamedTuple):
  """A photograph and what was painted of it, in one shape."""

  photograph: UInt8[np.ndarray, "h w 3"]
  painted: UInt8[np.ndarray, "h w 3"]


def match(
  photographs: Sequence[pathlib.Path], paintings: Sequence[pathlib.Path]
) -> dict[str, tuple[pathlib.Path, pathlib.Path]]:
  """The photograph and the painting of each stem that is painted.

  Raises:
    UserError: a painting has no photograph, or two files share a stem.
  """
  pairs = {}
  for painting in paintings:
    stem = painting.stem
    same = [path for path in photographs if path.stem == stem]
    if not same:
      raise errors.UserError(
        f"{painting}: no photograph is called {stem}; add it or rename one"
      )
    if stem in pairs:
      same = [pairs[stem][1], painting]
    if len(same) > 1:
      raise errors.UserError(
        f"{same[0]} and {same[1]} share a name; rename one"
      )
    pairs[stem] = same[0], painting
  return pairs


def read(
  photograph: pathlib.Path,
  painting: pathlib.Path,
  *,
  longer_side: int,
  min_side: int,
) -> Pair:
  """Both, in the shape that the photograph has at that longer side.

  Args:
    min_side: lower bound of the shorter side, in pixels.

  Raises:
    UserError: one cannot be read, the painting differs from the photograph's
      shape by more than a pixel, or the photograph is too narrow.
  """
  content, painted = images.read(photograph), images.read(painting)
  found = painted.shape[:2]
  expected = images.fitted(content.shape[:2], max(found))
  if max(abs(a - b) for a, b in zip(expected, found, strict=True)) > 1:
    raise errors.UserError(
      f"{painting}: has {found[1]} x {found[0]} pixels, but as large a picture"
      f" of {photograph} has {expected[1]} x {expected[0]}; name the photograph"
      " that it was painted of, uncropped"
    )
  content = images.fit(content, longer_side)
  height, width, _ = content.shape
  if min(height, width) < min_side:
    raise errors.UserError(
      f"{photograph}: at a longer side of {longer_side} its shorter one has"
      f" {min(height, width)} pixels, {min_side} are needed; compare at more"
    )
  return Pair(content, images.resize(painted, height, width))
