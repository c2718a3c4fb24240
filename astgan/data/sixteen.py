"""Pixels of 16 bits: read at full precision, and written.

Pillow has no RGB of 16 bits. It decodes the high byte of each value; asked for
the other byte order, it decodes the low byte. So two passes read all.
"""

import logging
import sys
import zlib
from collections.abc import Mapping
from typing import BinaryIO, NamedTuple

import numpy as np
from jaxtyping import UInt16
from PIL import PngImagePlugin, TiffImagePlugin, TiffTags

from astgan.data import image_files

logger = logging.getLogger(__name__)

Values = UInt16[np.ndarray, "h w c"]

_SWAPPED = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}
# Layouts of which two passes read all, without their byte order.
_TWO_PASSES = ("RGB;16", "RGBX;16", "RGBA;16")
_GREY_ALPHA = "LA;16B"


class Deep(NamedTuple):
  """Upright pixels of 16 bits, as the file has them.

  Attributes:
    values: of grey, grey and alpha, RGB, or RGB and alpha.
    profile: the embedded colour profile; None without.
  """

  values: Values
  profile: bytes | None


def decode(path: image_files.Path, data: bytes) -> Deep | None:
  """The pixels of a PNG or TIFF of 16 bits; None of other images.

  Others are those of 8 bits and those that Pillow has no way to read in full:
  CMYK, separate planes and premultiplied alpha.

  Args:
    path: of the file, for messages.
    data: its bytes.

  Raises:
    UserError: the file is damaged or too large.
  """
  with image_files.opened(path, data) as image:
    layout, profile = _layout(image), image.info.get("icc_profile")
    if image.mode.startswith("I;16"):
      values = np.asarray(image_files.upright(image)).astype(np.uint16)
      values = values[..., None]
    elif layout == _GREY_ALPHA:
      values = _bytes(image, "RGBA").view(">u2").astype(np.uint16)
    elif layout[:-1] in _TWO_PASSES and not image_files.is_planar(image):
      values = _bytes(image, layout).astype(np.uint16) << 8
      with image_files.opened(path, data) as again:
        values |= _bytes(again, layout[:-1] + _SWAPPED[layout[-1]])
    else:
      if ";16" in layout:
        logger.warning("%s is read at 8 of its 16 bits (%s)", path, layout)
      return None
    transparent = image.info.get("transparency")
  if transparent is not None:
    opaque = np.any(values != np.uint16(transparent), axis=-1, keepdims=True)
    values = np.concatenate([values, opaque * np.uint16(65_535)], axis=-1)
  return Deep(values, profile)


def _layout(image):
  """Channels, bits and byte order in the file, in Pillow's words."""
  if image.format not in ("PNG", "TIFF") or not image.tile:
    return ""
  args = image.tile[0].args
  return args if isinstance(args, str) else args[0]


def _bytes(image, layout):
  """The image decoded as if its file had that layout, upright."""
  image.tile = [
    tile._replace(
      args=layout if isinstance(tile.args, str) else (layout, *tile.args[1:])
    )
    for tile in image.tile
  ]
  return np.array(image_files.upright(image))


def write_png(
  file: BinaryIO, values: Values, *, text: Mapping[str, str], profile: bytes
) -> None:
  """Writes a PNG of RGB or RGBA (W3C, PNG, third edition, 2025).

  Args:
    file: to write into.
    values: 3 or 4 channels.
    text: entries of its text chunks.
    profile: its colour profile.
  """
  height, width, channels = values.shape
  rows = values.astype(">u2", order="C").view(np.uint8).reshape(height, -1)
  # Filter 2: each row as its difference from the row above.
  filtered = np.empty((height, rows.shape[1] + 1), np.uint8)
  filtered[:, 0] = 2
  filtered[0, 1:] = rows[0]
  np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
  colour_type = {3: 2, 4: 6}[channels]
  sides = width.to_bytes(4, "big") + height.to_bytes(4, "big")
  file.write(b"\x89PNG\r\n\x1a\n")
  for name, content in (
    (b"IHDR", sides + bytes([16, colour_type, 0, 0, 0])),
    (b"iCCP", b"sRGB\0\0" + zlib.compress(profile)),
    *(
      (b"tEXt", f"{key}\0{value}".encode("latin-1"))
      for key, value in text.items()
    ),
    (b"IDAT", zlib.compress(filtered)),
    (b"IEND", b""),
  ):
    PngImagePlugin.putchunk(file, name, content)


def write_tiff(
  file: BinaryIO, values: Values, *, description: str, profile: bytes
) -> None:
  """Writes a TIFF of RGB or RGBA (Adobe, TIFF 6.0, 1992).

  Args:
    file: to write into.
    values: 3 or 4 channels.
    description: its image description, in ASCII.
    profile: its colour profile.
  """
  height, width, channels = values.shape
  # Predictor 2: each value as its difference from the pixel to the left.
  filtered = values.astype("<u2", order="C")
  filtered[:, 1:] -= values[:, :-1]
  strip = zlib.compress(filtered)
  tags = TiffImagePlugin.ImageFileDirectory_v2(prefix=b"II")
  tags[TiffImagePlugin.IMAGEWIDTH] = width
  tags[TiffImagePlugin.IMAGELENGTH] = height
  tags[TiffImagePlugin.BITSPERSAMPLE] = (16,) * channels
  tags[TiffImagePlugin.COMPRESSION] = 8  # Deflate.
  tags[TiffImagePlugin.PHOTOMETRIC_INTERPRETATION] = 2  # RGB.
  tags[TiffImagePlugin.IMAGEDESCRIPTION] = description
  tags.tagtype[TiffImagePlugin.STRIPOFFSETS] = TiffTags.LONG
  tags[TiffImagePlugin.STRIPOFFSETS] = 0  # Counted from the end of the tags.
  tags[TiffImagePlugin.SAMPLESPERPIXEL] = channels
  tags[TiffImagePlugin.ROWSPERSTRIP] = height
  tags[TiffImagePlugin.STRIPBYTECOUNTS] = len(strip)
  tags[TiffImagePlugin.PREDICTOR] = 2
  if channels == 4:
    tags[TiffImagePlugin.EXTRASAMPLES] = 2  # Alpha that is not premultiplied.
  tags[TiffImagePlugin.ICCPROFILE] = profile
  tags.save(file)
  file.write(strip)
