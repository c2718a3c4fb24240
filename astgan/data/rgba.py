"""Images with their transparency, of 8 bits or 16, as painting reads them."""

import logging
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8, UInt16
from PIL import Image

from astgan.data import colours, image_files, images, profiles, sixteen

logger = logging.getLogger(__name__)

_LARGEST = 65_535


class Pixels(NamedTuple):
  """An upright image in sRGB on white.

  Attributes:
    colour: of 8 bits or, where the file has them and they can be read, 16.
    alpha: how opaque the image was before it was laid on white, of as many
      bits; None where all of it was.
  """

  colour: UInt8[np.ndarray, "h w 3"] | UInt16[np.ndarray, "h w 3"]
  alpha: UInt8[np.ndarray, "h w"] | UInt16[np.ndarray, "h w"] | None


def decode(path: image_files.Path, data: bytes) -> Pixels:
  """The image of a file, as `images.read` gives it but for bits and alpha.

  Args:
    path: of the file, for messages.
    data: its bytes.

  Raises:
    UserError: the file is damaged or too large.
  """
  deep = sixteen.decode(path, data)
  if deep is not None:
    pixels = _to_pixels(deep)
    if pixels is not None:
      return pixels
    logger.warning("%s is read at 8 bits for its colour profile", path)
  with image_files.opened(path, data) as image:
    colour, alpha = colours.separate(image_files.upright(image))
    return Pixels(np.array(colour), None if alpha is None else np.array(alpha))


def _to_pixels(deep):
  """sRGB of 16 bits; None if the profile allows only 8."""
  colour, alpha = deep.values, None
  height, width, channels = colour.shape
  if channels in (2, 4):
    colour, alpha = colour[..., :-1], colour[..., -1]
  if deep.profile is not None:
    profile = profiles.parse(deep.profile)
    if profile is None:
      return None
    if len(profile.curves) == colour.shape[-1]:
      colour = profiles.to_srgb(colour, profile)
  colour = np.broadcast_to(colour, (height, width, 3))
  if alpha is None or alpha.min() == _LARGEST:
    return Pixels(colour, None)
  covered = (_LARGEST - colour).astype(np.uint32) * alpha[..., None]
  covered = (covered + _LARGEST // 2) // _LARGEST
  return Pixels(_LARGEST - covered.astype(np.uint16), alpha)


def fit(pixels: Pixels, longer_side: int) -> Pixels:
  """The image with a longer side of so many pixels, as by `images.fit`."""
  height, width, _ = pixels.colour.shape
  size = images.fitted((height, width), longer_side)
  channels = np.moveaxis(pixels.colour, -1, 0)
  colour = np.stack([_resize(channel, size) for channel in channels], axis=-1)
  return Pixels(
    colour, None if pixels.alpha is None else _resize(pixels.alpha, size)
  )


def _resize(channel, size):
  dtype = channel.dtype
  if dtype == np.uint16:  # Pillow resizes floats at this precision.
    channel = channel.astype(np.float32)
  image = Image.fromarray(np.ascontiguousarray(channel))
  resized = image.resize(size[::-1], Image.Resampling.BILINEAR)
  return np.rint(resized).astype(dtype)
