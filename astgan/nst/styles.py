"""Style images: in files, drawn by a generator, or arrays."""

import dataclasses
import logging
import pathlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from jaxtyping import Float, UInt8

from astgan import digests, errors
from astgan.data import formats, images
from astgan.nst import regions

logger = logging.getLogger(__name__)

# In [0, 1].
Image = Float[np.ndarray, "_ _ 3"]

# Images in the contact sheet style.png, and their side there.
MAX_SHOWN = 64
_THUMBNAIL = 96
# The longer side at which an image is shown, at least.
_SMALLEST = 32
# Generated images are padded to this side, in a painting of full size.
_PADDED_SIDE = 256


@dataclasses.dataclass(frozen=True)
class Files:
  """Style images in files.

  Args:
    paths: the files, at least one of them readable.
    longer_side: of every image in a painting of full size, in pixels.
  """

  paths: Sequence[pathlib.Path]
  longer_side: int

  def __len__(self) -> int:
    return len(self.paths)

  def __iter__(self) -> Iterator[images.Pixels]:
    """The images, each file read once. Unreadable files are skipped."""
    return (image for _, image in self.numbered())

  def numbered(self) -> Iterator[tuple[int, images.Pixels]]:
    """The images and their numbers, which `take` takes."""
    failures = []
    for number, path in enumerate(self.paths):
      try:
        image = images.read(path)
      except errors.UserError as error:
        failures.append(str(error))
      else:
        yield number, image
    if failures:
      logger.warning(
        "style: %d of %d images were skipped; the first: %s",
        len(failures),
        len(self.paths),
        failures[0],
      )

  def take(self, numbers: Sequence[int]) -> "Files":
    """The style of those of its images alone."""
    return dataclasses.replace(self, paths=[self.paths[i] for i in numbers])

  def shown(self, image: images.Pixels, *, scale: float = 1.0) -> Image:
    """The image as the feature network gets it, in [0, 1].

    Args:
      image: one of the style.
      scale: size of the painting, as a share of its full size.
    """
    # Each shape compiles the feature network once. Sides are rounded to
    # multiples of 16 pixels where there are several images.
    multiple = 16 if len(self) > 1 else 1
    side = max(_SMALLEST, round(scale * self.longer_side))
    height, width = images.fitted(image.shape[:2], side)
    shape = (_round(height, multiple), _round(width, multiple))
    return _to_unit(images.resize(image, *shape))

  def shown_mask(
    self, mask: regions.Mask, shown: Image, *, scale: float = 1.0
  ) -> regions.Mask:
    """A mask of any size as large as the image that `shown` gave."""
    del scale
    return regions.fit(mask, shown.shape[:2])

  def thumbnail(
    self, image: images.Pixels, *, alone: bool
  ) -> UInt8[np.ndarray, "s s 3"]:
    """The image in the contact sheet: its centre square."""
    del alone
    return images.resize(images.centre_square(image), _THUMBNAIL, _THUMBNAIL)

  def fingerprint(self) -> dict[str, object]:
    """Of all files; the style skips those that cannot be read, too."""
    return digests.fingerprint(self.paths)


@dataclasses.dataclass(frozen=True)
class Generated:
  """Small style images in memory, drawn by a generator.

  A feature network pads with zeros as it was trained, and many pixels of 64 by
  64 lie near the border. A painting that matches their Gram matrices gets a
  white and gaudy frame. Symmetric padding of each image avoids that frame, and
  adds neither seams nor new textures.

  Args:
    images: bytes, all of one shape.
    longer_side: of every image in a painting of full size, in pixels.
    origin: fingerprint of the generator.
  """

  images: UInt8[np.ndarray, "m h w 3"]
  longer_side: int
  origin: Mapping[str, object]

  def __len__(self) -> int:
    return len(self.images)

  def __iter__(self) -> Iterator[images.Pixels]:
    """The images."""
    return iter(self.images)

  def numbered(self) -> Iterator[tuple[int, images.Pixels]]:
    """The images and their numbers, which `take` takes."""
    return enumerate(self)

  def take(self, numbers: Sequence[int]) -> "Generated":
    """The style of those of its images alone."""
    return dataclasses.replace(self, images=self.images[np.asarray(numbers)])

  def shown(self, image: images.Pixels, *, scale: float = 1.0) -> Image:
    """The image as the feature network gets it, in [0, 1].

    Args:
      image: one of the style.
      scale: size of the painting, as a share of its full size.

    Returns: sides of at least 256 pixels times the scale.
    """
    side = max(_SMALLEST, round(scale * self.longer_side))
    return _to_unit(_pad(images.fit(image, side), scale))

  def shown_mask(
    self, mask: regions.Mask, shown: Image, *, scale: float = 1.0
  ) -> regions.Mask:
    """A mask of any size, padded as the image is."""
    del shown
    side = max(_SMALLEST, round(scale * self.longer_side))
    size = images.fitted(self.images.shape[1:3], side)
    return _pad(regions.fit(mask, size), scale)

  def thumbnail(self, image: images.Pixels, *, alone: bool) -> images.Pixels:
    """The image in the contact sheet: itself, or resized beside others."""
    return image if alone else images.resize(image, _THUMBNAIL, _THUMBNAIL)

  def fingerprint(self) -> dict[str, object]:
    """The number of images, and the fingerprint of the generator."""
    return {"images": len(self), **self.origin}


@dataclasses.dataclass(frozen=True)
class Arrays:
  """Style images in memory, of a caller's own.

  Args:
    images: [h w 3] in [0, 1], of any sizes.
    longer_side: of every image in a painting of full size, in pixels.
  """

  images: Sequence[Image]
  longer_side: int

  def __len__(self) -> int:
    return len(self.images)

  def __iter__(self) -> Iterator[images.Pixels]:
    """The images as bytes."""
    for image in self.images:
      yield formats.to_integers(np.asarray(image), bits=8)

  def take(self, numbers: Sequence[int]) -> "Arrays":
    """The style of those of its images alone."""
    return dataclasses.replace(self, images=[self.images[i] for i in numbers])

  numbered = Generated.numbered
  shown, shown_mask = Files.shown, Files.shown_mask
  thumbnail = Files.thumbnail


def _pad(image: np.ndarray, scale: float) -> np.ndarray:
  """A generated image, or its mask, with its mirror images around it."""
  wanted = round(scale * _PADDED_SIDE)
  missing = [max(0, wanted - side) for side in image.shape[:2]]
  padding = [(each // 2, each - each // 2) for each in missing]
  padding += [(0, 0)] * (image.ndim - 2)
  return np.pad(image, padding, mode="symmetric")


def _round(side: int, multiple: int) -> int:
  return max(16, multiple * round(side / multiple))


def _to_unit(image: images.Pixels) -> Float[np.ndarray, "h w 3"]:
  return image.astype(np.float32) / 255
