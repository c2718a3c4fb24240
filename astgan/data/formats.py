"""Paintings as files: formats, bits, transparency and what is said in them."""

import json
import pathlib
from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, UInt8, UInt16
from PIL import ExifTags, Image, PngImagePlugin

from astgan import atomic
from astgan.data import image_files, profiles, sixteen

# Suffix of each format.
SUFFIXES = {"png": ".png", "jpeg": ".jpg", "tiff": ".tif", "webp": ".webp"}
# Those that hold 16 bits.
DEEP = ("png", "tiff")
# Pixels a side that a format holds at most, where others hold any.
MAX_SIDES = {"webp": 16_383}

_OPTIONS = {
  "png": {},
  # Colours are as sharp as light.
  "jpeg": {"quality": 95, "subsampling": "4:4:4"},
  "tiff": {"compression": "tiff_adobe_deflate"},
  # Lossless, as lossy WebP always halves the resolution of colours; "exact"
  # keeps them where all is transparent.
  "webp": {"lossless": True, "exact": True},
}


def to_integers(
  values: Float[np.ndarray, "h w c"], *, bits: int
) -> UInt8[np.ndarray, "h w c"] | UInt16[np.ndarray, "h w c"]:
  """Integers of 8 or 16 bits of floats in [0, 1], clipped and rounded."""
  return (values.clip(0, 1) * (2**bits - 1)).round().astype(f"uint{bits}")


def write(
  path: pathlib.Path,
  colour: Float[np.ndarray, "h w 3"],
  alpha: Float[np.ndarray, "h w"] | None = None,
  *,
  form: str,
  bits: int = 8,
  text: Mapping[str, str],
) -> None:
  """Writes an image with the profile of sRGB, whole or not at all.

  Args:
    path: the file; its folder exists.
    colour, alpha: in [0, 1]. JPEG leaves alpha out.
    form: one of `SUFFIXES`.
    bits: 8, or 16 in a format of `DEEP`.
    text: ASCII by names. PNG has text entries; others have an EXIF image
      description, which holds all as one object of JSON.
  """
  if alpha is not None and form != "jpeg":
    colour = np.concatenate([colour, alpha[..., None]], axis=-1)
  values = to_integers(colour, bits=bits)
  profile = profiles.srgb()
  with atomic.replacing(path) as temporary, open(temporary, "wb") as file:
    if bits == 8:
      _write_bytes(file, values, form, text, profile)
    elif form == "png":
      sixteen.write_png(file, values, text=text, profile=profile)
    else:
      description = json.dumps(dict(text))
      sixteen.write_tiff(file, values, description=description, profile=profile)


def _write_bytes(file, values, form, text, profile):
  if form == "png":
    entries = PngImagePlugin.PngInfo()
    for name, value in text.items():
      entries.add_text(name, value)
    metadata = {"pnginfo": entries}
  else:
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = json.dumps(dict(text))
    metadata = {"exif": exif}
  Image.fromarray(values).save(
    file, form, icc_profile=profile, **metadata, **_OPTIONS[form]
  )


def read_text(path: pathlib.Path) -> dict[str, str]:
  """What `write` said in the file; of other files {} or other entries.

  Raises:
    UserError: the file is no image.
  """
  with image_files.opened(path) as image:
    if image.format == "PNG":
      return {key: str(value) for key, value in image.info.items()}
    description = image.getexif().get(ExifTags.Base.ImageDescription)
  try:
    text = json.loads(description)
  except (TypeError, ValueError):
    return {}
  return text if isinstance(text, dict) else {}
