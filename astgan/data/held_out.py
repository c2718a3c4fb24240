"""Images kept out of training, so that metrics compare with unseen ones."""

import hashlib
from typing import NamedTuple

import numpy as np
from jaxtyping import Int
from PIL import Image

from astgan import errors

# Side of the thumbnails, in pixels.
_SIDE = 16

# Cosine from which two thumbnails show one scene. Chosen on 508 landscape
# paintings of three collections: of the 20 pairs above it, about 15 are one
# motif painted twice; below it such pairs are the minority.
_NEAR = 0.5

# Cosine from which one mirrors the other. The largest by chance was 0.56 among
# those paintings, and 0.78 among 1,000 of the built-in landscapes.
_MIRRORED = 0.9

# Rows and columns of the matrix of cosines at a time.
CHUNK = 2048

Indices = Int[np.ndarray, "_"]


class Split(NamedTuple):
  """Indices of the images of a source, ascending.

  Attributes:
    training: that training may see.
    held_out: the others.
  """

  training: Indices
  held_out: Indices


def split(array: np.ndarray, share: float, *, at_least: int = 1) -> Split:
  """The two sides of a set of images.

  Near-duplicates form a group, and a group is on one side. The side follows
  from a hash of the bytes of the group's images. It does not depend on their
  order, nor on images outside the group, and it is the same at every start.
  Hence the share holds in the mean only: each group is held out with this
  probability.

  Args:
    array: bytes [n s s 3].
    share: of the images that are held out, in [0, 1); 0 keeps none.
    at_least: images that training needs.

  Raises:
    UserError: a side has too few images.
  """
  if not share:
    return Split(np.arange(len(array)), np.arange(0))
  digests = [hashlib.sha256(image.tobytes()).digest() for image in array]
  groups = group(array, digests)
  first = {}
  for number, digest in zip(groups.tolist(), digests, strict=True):
    first[number] = min(first.get(number, digest), digest)
  # Hashed again: the smallest of several digests is smaller than one.
  chosen = {number for number in first if _uniform(first[number]) < share}
  is_held_out = np.isin(groups, list(chosen))
  sides = Split(np.flatnonzero(~is_held_out), np.flatnonzero(is_held_out))
  field = f"config.data.hold_out={share}"
  if not len(sides.held_out):
    raise errors.UserError(
      f"{field} holds out none of {len(array)} images; raise it, or set 0"
    )
  if len(sides.training) < at_least:
    raise errors.UserError(
      f"{field} leaves {len(sides.training)} of {len(array)} images to train"
      f" on, fewer than a batch of {at_least}; lower it or add images"
    )
  return sides


def group(array: np.ndarray, digests: list[bytes]) -> Indices:
  """The number of each image's group of near-duplicates.

  Two images are near if their bytes are equal, or if the cosine between the
  horizontal differences of their grey thumbnails is above a threshold. That of
  an image and a mirrored one, which `data.flip` would show to training, is
  higher. Differences along rows ignore what landscapes share, a bright sky over
  a dark land. Groups are the connected components. Crops by more than a
  twentieth are not found.

  All pairs are compared, in chunks of constant memory: 10,000 images take
  four seconds on two busy CPU cores, 100,000 about four minutes.

  Args:
    array: bytes [n s s 3].
    digests: of each image's bytes.
  """
  parents = np.arange(len(array))
  firsts = {}
  for index, digest in enumerate(digests):
    parents[index] = firsts.setdefault(digest, index)
  differences = np.stack([_differences(image) for image in array])
  starts = range(0, len(array), CHUNK)
  for top in starts:
    for left in range(top, len(array), CHUNK):
      near = _near(differences, top, left)
      for row in np.flatnonzero(near.any(axis=1)):
        _join(parents, np.append(np.flatnonzero(near[row]) + left, row + top))
  return _roots(parents, np.arange(len(array)))


def _near(differences: np.ndarray, top: int, left: int) -> np.ndarray:
  rows = differences[top : top + CHUNK].astype(np.float32)
  columns = differences[left : left + CHUNK].astype(np.float32)
  lengths = np.outer(*(np.sqrt(np.sum(x * x, axis=1)) for x in (rows, columns)))
  mirrored = -columns.reshape(-1, _SIDE, _SIDE - 1)[:, :, ::-1]
  # Products of integers: their sums, below 2^24, are exact in float32, so that
  # no order of summation moves a pair across a threshold.
  near = rows @ columns.T > _NEAR * lengths
  near |= rows @ mirrored.reshape(columns.shape).T > _MIRRORED * lengths
  return np.triu(near, k=1) if top == left else near


def _differences(image: np.ndarray) -> np.ndarray:
  """Horizontal differences of an image's grey thumbnail, [240]."""
  grey = Image.fromarray(image).convert("L")
  thumbnail = grey.resize((_SIDE, _SIDE), Image.Resampling.BOX)
  return np.diff(np.asarray(thumbnail, np.int16), axis=1).reshape(-1)


def _roots(parents: Indices, indices: Indices) -> Indices:
  roots = parents[indices]
  while np.any(parents[roots] != roots):
    roots = parents[roots]
  return roots


def _join(parents: Indices, indices: Indices) -> None:
  """Makes one tree of those that the indices belong to."""
  roots = _roots(parents, indices)
  parents[roots] = parents[indices] = roots.min()


def _uniform(digest: bytes) -> float:
  """A number in [0, 1) that looks random."""
  number = hashlib.sha256(digest).digest()[:8]
  return int.from_bytes(number, "big") / 2**64
