import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from astgan.data import formats, rgba

DRAWS = np.random.default_rng(0)
COLOUR = DRAWS.random((24, 32, 3), np.float32)
ALPHA = DRAWS.random((24, 32), np.float32)
TEXT = {"astgan: a": "1", "config": '{"b": "\\u00f6"}'}
LOSSLESS = [("png", 8), ("png", 16), ("tiff", 8), ("tiff", 16), ("webp", 8)]


@pytest.fixture
def written(tmp_path):
  """Writes an image; its path."""

  def write(form, bits=8, colour=COLOUR, alpha=None):
    path = tmp_path / f"a{formats.SUFFIXES[form]}"
    formats.write(path, colour, alpha, form=form, bits=bits, text=TEXT)
    return path

  return write


@pytest.mark.parametrize(("form", "bits"), LOSSLESS)
def test_colours_and_alpha_are_read_back_but_for_rounding(written, form, bits):
  path = written(form, bits, alpha=ALPHA)
  with Image.open(path) as image:
    assert image.format == form.upper()
  pixels = rgba.decode(path, path.read_bytes())
  # To integers, onto white, and again to integers.
  white = 1 - ALPHA[..., None] * (1 - COLOUR)
  levels = 2**bits - 1
  assert pixels.alpha.dtype == pixels.colour.dtype == f"uint{bits}"
  np.testing.assert_allclose(pixels.alpha, ALPHA * levels, atol=0.51)
  np.testing.assert_allclose(pixels.colour, white * levels, atol=1.6)


@pytest.mark.parametrize(("form", "bits"), LOSSLESS)
def test_colours_are_rounded_to_the_nearest(written, form, bits):
  values = np.linspace(-0.1, 1.1, 24 * 32 * 3, dtype=np.float32)
  colour = values.reshape(24, 32, 3)
  path = written(form, bits, colour)
  read = rgba.decode(path, path.read_bytes()).colour
  expected = colour.clip(0, 1) * (2**bits - 1)
  np.testing.assert_allclose(read, expected, atol=0.51)


def test_jpeg_keeps_colours_as_sharp_as_light(written):
  # Columns of red and green of the same lightness.
  colour = np.full((16, 16, 3), 0.2, np.float32)
  colour[:, ::2, 0], colour[:, 1::2, 1] = 0.8, 0.505
  path = written("jpeg", colour=colour, alpha=np.zeros((16, 16), np.float32))
  pixels = rgba.decode(path, path.read_bytes())
  assert pixels.alpha is None
  np.testing.assert_allclose(pixels.colour / 255, colour, atol=0.06)


@pytest.mark.parametrize(("form", "bits"), [*LOSSLESS, ("jpeg", 8)])
def test_a_file_carries_its_text_and_the_profile_of_srgb(written, form, bits):
  path = written(form, bits)
  read = formats.read_text(path)
  assert {name: read[name] for name in TEXT} == TEXT
  with Image.open(path) as image:
    data = image.info["icc_profile"]
  profile = ImageCms.ImageCmsProfile(io.BytesIO(data))
  assert "sRGB" in ImageCms.getProfileDescription(profile)


@pytest.mark.parametrize(("form", "bits"), [*LOSSLESS, ("jpeg", 8)])
def test_the_same_image_makes_the_same_file(written, form, bits):
  assert written(form, bits).read_bytes() == written(form, bits).read_bytes()


@pytest.mark.parametrize("description", [None, "a photograph", "[1]"])
def test_a_file_of_others_says_nothing(tmp_path, description):
  exif = Image.Exif()
  if description:
    exif[0x010E] = description
  Image.new("RGB", (4, 4)).save(tmp_path / "a.jpg", exif=exif)
  assert formats.read_text(tmp_path / "a.jpg") == {}
