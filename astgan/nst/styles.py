"""Styles: images in files, a batch of generated ones, or a painter."""

import contextlib
import dataclasses
import hashlib
import logging
import pathlib
from collections.abc import Iterator, Mapping, Sequence

import jax
import ml_collections
import numpy as np
from jaxtyping import Float, PyTree, UInt8

from astgan import arrays, errors, sampling
from astgan.data import images
from astgan.systems import painters

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
    failures = []
    for path in self.paths:
      try:
        image = images.read(path)
      except errors.UserError as error:
        failures.append(str(error))
      else:
        yield image
    if failures:
      logger.warning(
        "style: %d of %d images were skipped; the first: %s",
        len(failures),
        len(self.paths),
        failures[0],
      )

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

  def thumbnail(
    self, image: images.Pixels, *, alone: bool
  ) -> UInt8[np.ndarray, "s s 3"]:
    """The image in the contact sheet: its centre square."""
    del alone
    return images.resize(images.centre_square(image), _THUMBNAIL, _THUMBNAIL)

  def fingerprint(self) -> dict[str, object]:
    """The number of files, and the SHA-256 of their concatenated bytes."""
    sha256 = hashlib.sha256()
    for path in self.paths:
      with contextlib.suppress(OSError):  # The style skips it, too.
        sha256.update(path.read_bytes())
    return {"images": len(self), "sha256": sha256.hexdigest()}


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

  def shown(self, image: images.Pixels, *, scale: float = 1.0) -> Image:
    """The image as the feature network gets it, in [0, 1].

    Args:
      image: one of the style.
      scale: size of the painting, as a share of its full size.

    Returns: sides of at least 256 pixels times the scale.
    """
    side = max(_SMALLEST, round(scale * self.longer_side))
    image = images.fit(image, side)
    height, width = image.shape[:2]
    sides = (
      _padding(side, round(scale * _PADDED_SIDE)) for side in (height, width)
    )
    padding = [*sides, (0, 0)]
    return _to_unit(np.pad(image, padding, mode="symmetric"))

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
      yield np.uint8(np.round(np.clip(image, 0, 1) * 255))

  shown, thumbnail = Files.shown, Files.thumbnail


@dataclasses.dataclass(frozen=True)
class Painted:
  """A painter, which knows its style and paints in one pass.

  Args:
    painter: images to images.
    direction: one of its directions.
    origin: fingerprint of the painter.
  """

  painter: painters.Painter
  direction: str
  origin: Mapping[str, object]

  def fingerprint(self) -> dict[str, object]:
    """The direction, and the fingerprint of the painter."""
    return {"direction": self.direction, **self.origin}


def open_styles(
  config: ml_collections.ConfigDict, key: jax.Array
) -> tuple[Files | Generated | Painted, ...]:
  """The styles of `paint.style` and `paint.styles`.

  Raises:
    UserError: as `open_style`, or a painter is one of several.
  """
  opened = [open_style(config, key, config.paint.style)]
  for number, path in enumerate(config.paint.styles, start=1):
    opened.append(open_style(config, jax.random.fold_in(key, number), path))
  if len(opened) > 1 and any(isinstance(one, Painted) for one in opened):
    raise errors.UserError(
      "paint.styles: a painter paints alone, since it optimises nothing; leave"
      " paint.styles empty, or name images and generators"
    )
  return tuple(opened)


def open_style(
  config: ml_collections.ConfigDict, key: jax.Array, style: str
) -> Files | Generated | Painted:
  """One style.

  A folder with a config.json is the run folder of a training. Its generator
  draws `paint.style_batch` images, or its painter paints.

  Args:
    config: the whole config.
    key: key of the latents.
    style: an image, a folder of images or a run folder.

  Raises:
    UserError: the path does not exist, no image can be read, a run folder has
      no checkpoints, or there is no such direction.
  """
  paint = config.paint
  if not style:
    raise errors.UserError(
      "paint.style is empty; name an image, a folder of images or a run folder"
    )
  path = pathlib.Path(style).expanduser()
  if (path / "config.json").is_file():
    trained = sampling.load(path, step=paint.style_step)
    if trained.is_painter or paint.direction:
      direction = paint.direction or trained.sampler.directions[0]
      painter = trained.painter(direction)
      origin = _origin(trained.step, painter.params[direction])
      return Painted(painter, direction, origin)
    drawn = trained.generator.sample(key, paint.style_batch)
    batch = np.asarray(arrays.signed_to_bytes(drawn))
    share = round(paint.generated_share * paint.size)
    side = share or max(batch.shape[1:3])
    params = trained.generator.variables["params"]
    origin = _origin(trained.step, params)
    return Generated(batch, paint.style_size or side, origin)
  if paint.direction:
    raise errors.UserError(
      f"paint.direction={paint.direction} is for painters, and paint.style="
      f'{path} is no training run; leave it empty, ""'
    )
  paths = images.find(path)
  files = Files(paths, paint.style_size or paint.size)
  if len(paths) == 1:
    images.read(paths[0])
  elif next(iter(files), None) is None:
    raise errors.UserError(
      f"{path}: none of its {len(paths)} images can be read"
    )
  return files


def _origin(step: int, params: PyTree) -> dict[str, object]:
  # The last bits of the images depend on the device, those of params do not.
  sha256 = hashlib.sha256()
  for array in jax.tree.leaves(params):
    sha256.update(np.asarray(array).tobytes())
  return {"step": step, "sha256": sha256.hexdigest()}


def _padding(side: int, wanted: int) -> tuple[int, int]:
  missing = max(0, wanted - side)
  return missing // 2, missing - missing // 2


def _round(side: int, multiple: int) -> int:
  return max(16, multiple * round(side / multiple))


def _to_unit(image: images.Pixels) -> Float[np.ndarray, "h w 3"]:
  return image.astype(np.float32) / 255
