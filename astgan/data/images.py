"""Image files as bytes in RGB, and back.

Each file is read as upright 8-bit sRGB on white, or refused with one line that
says why.
"""

import os
import pathlib
from collections.abc import Mapping

import numpy as np
from jaxtyping import UInt8
from PIL import Image, PngImagePlugin

from astgan import atomic, errors
from astgan.data import colours, image_files
from astgan.data.image_files import Path

Pixels = UInt8[np.ndarray, "h w 3"]

# Pillow cannot read HEIC. It is listed so that such files are refused by name
# and not silently ignored.
SUFFIXES = (
  *(".avif", ".bmp", ".dib", ".gif", ".heic", ".heif", ".jfif", ".jp2"),
  *(".jpe", ".jpeg", ".jpg", ".mpo", ".pbm", ".pgm", ".png", ".pnm"),
  *(".ppm", ".tga", ".tif", ".tiff", ".webp"),
)


# A decoder may leave out what a reduction by this would.
_SPARE = 2


def read(
  path: Path, data: bytes | None = None, *, side: int | None = None
) -> Pixels:
  """Upright 8-bit sRGB of an image file, the first frame of an animation.

  Transparent images are composited on white and 16-bit greys are divided by
  257. Embedded colour profiles are converted to sRGB; a profile that is damaged
  or does not fit the pixels is ignored, as in browsers. The gamma of a PNG is
  ignored because it is often wrong. A truncated file is refused, not filled up.

  Args:
    path: the file, or what to call the bytes.
    data: its bytes, where they were read before.
    side: that the shorter one will be reduced to. A JPEG, whose frequencies can
      be left out, is then decoded at a half, a quarter or an eighth of its
      size, but at no less than twice that side: in half the time or less, and
      a level of brightness or so from what the whole gives.

  Raises:
    UserError: the file is missing, unreadable, damaged or too large.
  """
  with image_files.opened(path, data) as image:
    if side is not None:
      image.draft(None, (_SPARE * side, _SPARE * side))
    return np.array(colours.to_srgb(image_files.upright(image)))


def resize(
  image: Pixels, height: int, width: int
) -> UInt8[np.ndarray, "{height} {width} 3"]:
  """The image at another size, antialiased.

  Bilinear (a triangle as wide as the reduction), as in the pipeline of the
  paper. Unlike Lanczos it never overshoots: edges get no bright or dark halos,
  which a GAN would learn as strokes.

  Args:
    image: bytes in RGB.
    height, width: new size in pixels.
  """
  resized = Image.fromarray(image).resize(
    (width, height), Image.Resampling.BILINEAR
  )
  return np.array(resized)


def fit(
  image: Pixels, longer_side: int
) -> UInt8[np.ndarray, "new_height new_width 3"]:
  """The image with a longer side of `longer_side` pixels, aspect kept."""
  return resize(image, *fitted(image.shape[:2], longer_side))


def fitted(shape: tuple[int, int], longer_side: int) -> tuple[int, int]:
  """Height and width of an image of that shape after `fit`."""
  height, width = shape
  scale = longer_side / max(height, width)
  return max(1, round(height * scale)), max(1, round(width * scale))


def centre_square(image: Pixels) -> UInt8[np.ndarray, "s s 3"]:
  """The largest square in the middle of the image."""
  height, width, _ = image.shape
  side = min(height, width)
  top, left = (height - side) // 2, (width - side) // 2
  return image[top : top + side, left : left + side]


def grid(
  images: UInt8[np.ndarray, "n h w 3"], *, columns: int, gap: int = 2
) -> UInt8[np.ndarray, "height width 3"]:
  """A contact sheet of the images, row by row, on white.

  Args:
    images: bytes in RGB.
    columns: images in a row; the last row may be shorter.
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
  path: Path, image: Pixels, *, text: Mapping[str, str] | None = None
) -> None:
  """Writes a PNG atomically: a reader finds the old file or the new one.

  Args:
    path: the file; its folder exists.
    image: bytes in RGB.
    text: entries for the file's text chunks.
  """
  chunks = PngImagePlugin.PngInfo()
  for name, value in (text or {}).items():
    chunks.add_text(name, value)
  with atomic.replacing(pathlib.Path(path)) as temporary:
    Image.fromarray(image).save(temporary, "PNG", pnginfo=chunks)


def find(path: Path) -> list[pathlib.Path]:
  """As `find_names`, as paths."""
  return [pathlib.Path(name) for name in find_names(path)]


def find_names(path: Path) -> list[str]:
  """The sorted image files in a folder and its subfolders, or the file itself.

  They are sorted by their parts, as paths are, but take a third of the memory.
  Links to folders are followed. Hidden files and folders are ignored.

  Args:
    path: a folder, or a file, which is returned without a check of its suffix.

  Raises:
    UserError: the path does not exist, a folder cannot be read, or there are no
      image files.
  """
  root = pathlib.Path(path)
  if not os.path.exists(root):  # Path.exists raises for names too long.
    raise errors.UserError(f"{root}: there is no such file or folder")
  if not root.is_dir():
    return [str(root)]
  found, seen = [], set()
  for folder, folders, names in os.walk(
    root, onerror=_refuse, followlinks=True
  ):
    # A link may point to a parent folder: each real folder is entered once.
    real = os.path.realpath(folder)
    if real in seen:
      folders.clear()
      continue
    seen.add(real)
    folders[:] = sorted(name for name in folders if not name.startswith("."))
    # Without `./`, and with the separators that paths have.
    inside = str(pathlib.Path(folder, "x"))[:-1]
    found += [
      inside + name
      for name in names
      if not name.startswith(".")
      and os.path.splitext(name)[1].lower() in SUFFIXES
    ]
  if not found:
    raise errors.UserError(f"{root}: holds no images ({' '.join(SUFFIXES)})")
  # No name has a zero, which sorts before all that a name may have.
  return sorted(found, key=lambda name: name.replace(os.sep, "\0"))


def _refuse(error: OSError) -> None:
  raise errors.UserError(
    f"{error.filename}: {error.strerror}; make the folder readable"
  ) from error
