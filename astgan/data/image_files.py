"""Image files opened and turned upright, or refused in one line."""

import contextlib
import functools
import io
import os
import pathlib
import threading
import warnings
from collections.abc import Iterator

from PIL import Image, TiffImagePlugin, UnidentifiedImageError

from astgan import errors

Path = str | os.PathLike

# Larger images are refused after reading the header, before memory is used.
# Above it Pillow warns; transparent images of that size take nearly 2 GiB.
MAX_PIXELS = 89_478_485

# Those of the suffixes in images.py, and no EPS, for which Pillow starts
# Ghostscript, which runs the PostScript in the file. TGA comes last, since
# nothing at the beginning of such a file tells it.
_FORMATS = (
  *("PNG", "JPEG", "GIF", "BMP", "DIB", "TIFF", "WEBP", "PPM"),
  *("JPEG2000", "AVIF", "TGA"),
)

_ORIENTATION = 0x0112
_UPRIGHT = {
  2: Image.Transpose.FLIP_LEFT_RIGHT,
  3: Image.Transpose.ROTATE_180,
  4: Image.Transpose.FLIP_TOP_BOTTOM,
  5: Image.Transpose.TRANSPOSE,
  6: Image.Transpose.ROTATE_270,
  7: Image.Transpose.TRANSVERSE,
  8: Image.Transpose.ROTATE_90,
}
_QUARTER_TURNS = (5, 6, 7, 8)

# Python's warning filters belong to the whole process, and many threads read
# images.
_WARNINGS = threading.Lock()


@contextlib.contextmanager
def opened(path: Path, data: bytes | None = None) -> Iterator[Image.Image]:
  """The image of a file with its header and EXIF, but without its pixels.

  Args:
    path: the file, or what to call the bytes.
    data: its bytes, where they were read before.

  Raises:
    UserError: the file is missing, unreadable, damaged or too large, or what
      is done with the image in the context failed.
  """
  path = pathlib.Path(path)
  if data is None and not path.is_file():
    raise errors.UserError(f"{path}: there is no such file; name an image")
  try:
    with (
      open(path, "rb") if data is None else io.BytesIO(data) as stream,
      _open(stream) as image,
    ):
      yield image
  except MemoryError:
    raise
  except Exception as error:  # Damaged files make Pillow raise almost anything.
    raise errors.UserError(f"{path}: {_reason(error)}") from error


def _open(stream):
  with _without_warnings():
    image = Image.open(stream, formats=_formats())
    if image.width * image.height > MAX_PIXELS:
      raise Image.DecompressionBombError
    # Cached by the image. That of a PNG may follow the pixels, which Pillow
    # would decode.
    if image.format != "PNG":
      image.getexif()
  return image


@functools.cache
def _formats():
  """Those that this Pillow knows: older ones have no AVIF."""
  Image.init()
  return tuple(name for name in _FORMATS if name in Image.OPEN)


@contextlib.contextmanager
def _without_warnings():
  """Damaged tags make Pillow warn."""
  with _WARNINGS, warnings.catch_warnings():
    warnings.simplefilter("ignore")
    yield


def _reason(error):
  if isinstance(error, Image.DecompressionBombError):
    return f"claims more than {MAX_PIXELS:,} pixels; make it smaller"
  if isinstance(error, UnidentifiedImageError):
    return "is no image in a known format; convert it to PNG or JPEG"
  reason = getattr(error, "strerror", None) or str(error)
  reason = " ".join(reason.split()) or type(error).__name__
  return f"cannot be read ({reason}); replace it or leave it out"


def upright(image: Image.Image) -> Image.Image:
  """The image with its pixels read, turned as its EXIF says; 0 is black.

  Raises:
    ValueError: a TIFF of which Pillow would make noise.
  """
  if (
    is_planar(image)
    and image.tile[0].codec_name == "raw"
    and max(image.tag_v2[TiffImagePlugin.BITSPERSAMPLE]) > 8
  ):
    raise ValueError("its 16-bit channels are stored apart")
  image.load()
  # After loading, since Pillow rotates TIFFs itself and resets the tag.
  with _without_warnings():
    orientation = image.getexif().get(_ORIENTATION)
  if image.mode == "I;16":
    image = _of_16_bits(image)
  if orientation in _UPRIGHT:
    return image.transpose(_UPRIGHT[orientation])
  return image


def upright_size(image: Image.Image) -> tuple[int, int]:
  """Width and height of what `upright` gives, from before it.

  No pixels are decoded, but those of a PNG, whose EXIF may follow them.
  """
  width, height = image.size
  # Of a TIFF, Pillow gives the upright size.
  turned = _QUARTER_TURNS if image.format != "TIFF" else ()
  if image.getexif().get(_ORIENTATION) in turned:
    return height, width
  return width, height


def _of_16_bits(image):
  """Grey from black at 0 to white at 65,535, which not all TIFFs have."""
  tags = getattr(image, "tag_v2", {})
  if tags.get(TiffImagePlugin.BITSPERSAMPLE) == (12,):
    image = image.point(lambda value: value * (65_535 / 4_095) + 0.5)
  if tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == 0:
    image = image.point(lambda value: 65_535 - value)
  return image


def is_planar(image: Image.Image) -> bool:
  """Whether the file is a TIFF of one channel after the other."""
  tags = getattr(image, "tag_v2", {})
  return tags.get(TiffImagePlugin.PLANAR_CONFIGURATION, 1) == 2
