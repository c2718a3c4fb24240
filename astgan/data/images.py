"""Picture files as bytes in RGB, and back.

Whatever a file holds, what comes out is upright 8-bit sRGB on white, or one
line that says why not.
"""

import os
import pathlib
import threading
import warnings
from collections.abc import Mapping
from typing import BinaryIO

import numpy as np
from jaxtyping import UInt8
from PIL import Image, PngImagePlugin, UnidentifiedImageError

from astgan import errors, runs
from astgan.data import colours

Picture = UInt8[np.ndarray, "h w 3"]
Path = str | os.PathLike

# Above this a picture is refused from its header, before memory is spent:
# Pillow's own limit, half a gigabyte in RGB.
MAX_PIXELS = 178_956_970

# HEIC is here to be refused by name: Pillow cannot read it, and its owner
# should know rather than wonder.
SUFFIXES = (
  *(".avif", ".bmp", ".dib", ".gif", ".heic", ".heif", ".jfif", ".jp2"),
  *(".jpe", ".jpeg", ".jpg", ".mpo", ".pbm", ".pgm", ".png", ".pnm"),
  *(".ppm", ".tga", ".tif", ".tiff", ".webp"),
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

# Python's warning filters belong to the whole process, pictures are read by
# many threads.
_WARNINGS = threading.Lock()


def read(path: Path) -> Picture:
  """Upright 8-bit sRGB of a picture file, the first frame of an animation.

  Transparency is laid on white and 16-bit greys are divided by 257. Embedded
  colour profiles are converted to sRGB; a profile that is damaged or does not
  fit the pixels is left out, as browsers do, and so is a PNG's gamma, which is
  wrong more often than right. A file that ends early is refused, not filled up.

  Raises:
    UserError: the file is missing, unreadable, damaged or too large.
  """
  path = pathlib.Path(path)
  if not path.is_file():
    raise errors.UserError(f"{path}: there is no such file; name a picture")
  try:
    with open(path, "rb") as file, _open(file) as image:
      image.load()
      # After loading: Pillow turns TIFFs itself, and then says so here.
      orientation = image.getexif().get(_ORIENTATION)
      if orientation in _UPRIGHT:
        image = image.transpose(_UPRIGHT[orientation])
      return np.array(colours.to_srgb(image))
  except MemoryError:
    raise
  except Exception as error:  # Damaged files make Pillow raise almost anything.
    raise errors.UserError(f"{path}: {_reason(error)}") from error


def _open(file: BinaryIO) -> Image.Image:
  """The picture, its header and EXIF read, its pixels not yet."""
  with _WARNINGS, warnings.catch_warnings():
    warnings.simplefilter("ignore")
    image = Image.open(file)
    image.getexif()  # Kept by the image; damaged tags warn here, once.
  return image


def _reason(error: Exception) -> str:
  if isinstance(error, Image.DecompressionBombError):
    return f"claims more than {MAX_PIXELS:,} pixels; make it smaller"
  if isinstance(error, UnidentifiedImageError):
    return "is no picture in a known format; convert it to PNG or JPEG"
  reason = getattr(error, "strerror", None) or str(error)
  reason = " ".join(reason.split()) or type(error).__name__
  return f"cannot be read ({reason}); replace it or leave it out"


def resize(
  image: Picture, height: int, width: int
) -> UInt8[np.ndarray, "{height} {width} 3"]:
  """The picture at another size, antialiased.

  Bilinear (a triangle as wide as the reduction), as in the paper's pipeline.
  Unlike Lanczos it never overshoots, so edges get no bright or dark seams that
  a GAN would learn as strokes.

  Args:
    image: bytes in RGB.
    height, width: new size in pixels.
  """
  resized = Image.fromarray(image).resize(
    (width, height), Image.Resampling.BILINEAR
  )
  return np.array(resized)


def fit(
  image: Picture, longer_side: int
) -> UInt8[np.ndarray, "new_height new_width 3"]:
  """The picture with its longer side at `longer_side` pixels, aspect kept."""
  return resize(image, *fitted(image.shape[:2], longer_side))


def fitted(shape: tuple[int, int], longer_side: int) -> tuple[int, int]:
  """Height and width of a picture of that shape after `fit`."""
  height, width = shape
  scale = longer_side / max(height, width)
  return max(1, round(height * scale)), max(1, round(width * scale))


def centre_square(image: Picture) -> UInt8[np.ndarray, "s s 3"]:
  """The largest square in the middle of the picture."""
  height, width, _ = image.shape
  side = min(height, width)
  top, left = (height - side) // 2, (width - side) // 2
  return image[top : top + side, left : left + side]


def grid(
  images: UInt8[np.ndarray, "n h w 3"], *, columns: int, gap: int = 2
) -> UInt8[np.ndarray, "height width 3"]:
  """One picture of all of them, row by row, on white.

  Args:
    images: bytes in RGB.
    columns: pictures in a row; the last row may be shorter.
    gap: pixels between neighbours.
  """
  n, height, width, _ = images.shape
  columns = min(columns, n)
  rows = -(-n // columns)
  height, width = height + gap, width + gap
  tiles = np.pad(
    images,
    ((0, rows * columns - n), (0, gap), (0, gap), (0, 0)),
    constant_values=255,
  )
  sheet = tiles.reshape(rows, columns, height, width, 3).swapaxes(1, 2)
  sheet = sheet.reshape(rows * height, columns * width, 3)
  return sheet[: rows * height - gap, : columns * width - gap]


def write(
  path: Path, image: Picture, *, text: Mapping[str, str] | None = None
) -> None:
  """Writes a PNG; a reader finds the old file or the new one, whole.

  Args:
    path: the file; its folder exists.
    image: bytes in RGB.
    text: entries for the file's text chunks.
  """
  chunks = PngImagePlugin.PngInfo()
  for name, value in (text or {}).items():
    chunks.add_text(name, value)
  with runs.replacing(pathlib.Path(path)) as temporary:
    Image.fromarray(image).save(temporary, "PNG", pnginfo=chunks)


def find(path: Path) -> list[pathlib.Path]:
  """The picture files below a folder, sorted, or the one file that it is.

  Any nesting; links to folders are followed, hidden names are not looked at.

  Raises:
    UserError: nothing is there, a folder cannot be read, or none has pictures.
  """
  root = pathlib.Path(path)
  if not root.exists():
    raise errors.UserError(f"{root}: there is no such file or folder")
  if not root.is_dir():
    return [root]
  found, seen = [], set()
  for folder, folders, names in os.walk(
    root, onerror=_refuse, followlinks=True
  ):
    # A link may lead back up: each real folder is entered once.
    real = os.path.realpath(folder)
    if real in seen:
      folders.clear()
      continue
    seen.add(real)
    folders[:] = sorted(name for name in folders if not name.startswith("."))
    found += [
      pathlib.Path(folder, name)
      for name in names
      if not name.startswith(".")
      and os.path.splitext(name)[1].lower() in SUFFIXES
    ]
  if not found:
    raise errors.UserError(f"{root}: holds no pictures ({' '.join(SUFFIXES)})")
  return sorted(found)


def _refuse(error: OSError) -> None:
  raise errors.UserError(
    f"{error.filename}: {error.strerror}; make the folder readable"
  ) from error
