"""One colour space for all images: 8-bit sRGB on white."""

import io

import numpy as np
from PIL import Image, ImageCms


def to_srgb(image: Image.Image) -> Image.Image:
  """8-bit sRGB of an image in any mode of Pillow, composited on white.

  Args and Raises: as for `separate`.
  """
  return separate(image)[0]


def separate(
  image: Image.Image,
) -> tuple[Image.Image, Image.Image | None]:
  """8-bit sRGB on white, and the alpha channel if not all of it is opaque.

  Args:
    image: with its pixels loaded. A colour profile in its `info` is converted.

  Raises:
    ValueError: pixels of 32 bits; there is no convention for their white.
  """
  profile = image.info.get("icc_profile")
  if image.mode.startswith(("I", "F")):
    image = _grey(image)
  if image.has_transparency_data:
    image = image.convert("RGBA")
  elif image.mode not in ("L", "RGB", "CMYK", "LAB"):
    image = image.convert("RGB")
  if profile:
    image = _srgb(image, profile)
  if image.mode != "RGBA":
    return image.convert("RGB"), None
  alpha = image.getchannel("A")
  if alpha.getextrema()[0] == 255:
    alpha = None
  white = Image.new("RGBA", image.size, "white")
  return Image.alpha_composite(white, image).convert("RGB"), alpha


def _grey(image: Image.Image) -> Image.Image:
  """8-bit grey, or grey with alpha, of 16-bit grey."""
  values = np.asarray(image)
  if image.mode == "F" or values.min() < 0 or values.max() > 65_535:
    raise ValueError("white is not defined for 32-bit pixels; save as 16 bits")
  grey = Image.fromarray(np.round(values / 257).astype(np.uint8))
  transparent = image.info.get("transparency")
  if transparent is not None:
    alpha = np.where(values == transparent, 0, 255).astype(np.uint8)
    grey.putalpha(Image.fromarray(alpha))
  return grey


def _srgb(image: Image.Image, profile: bytes) -> Image.Image:
  """RGB or RGBA in sRGB; the image unchanged if the profile does not fit."""
  try:
    return ImageCms.profileToProfile(
      image,
      ImageCms.ImageCmsProfile(io.BytesIO(profile)),
      ImageCms.createProfile("sRGB"),
      outputMode="RGBA" if image.mode == "RGBA" else "RGB",
    )
  except (ImageCms.PyCMSError, OSError):
    return image
