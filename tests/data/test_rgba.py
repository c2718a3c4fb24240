import numpy as np
import pytest
from PIL import Image

from astgan.data import images, profiles, rgba, sixteen
from tests import pictures


def decoded(path):
  return rgba.decode(path, path.read_bytes())


def deep(path, values, profile=None):
  """The path, after a PNG of 16 bits was written there."""
  with open(path, "wb") as file:
    sixteen.write_png(file, values, text={}, profile=profile or profiles.srgb())
  return path


def test_8_bits_are_those_that_training_reads(tmp_path):
  images.write(tmp_path / "a.png", pictures.noise(30, 40))
  pixels = decoded(tmp_path / "a.png")
  assert pixels.alpha is None
  np.testing.assert_array_equal(
    rgba.fit(pixels, 25).colour,
    images.fit(images.read(tmp_path / "a.png"), 25),
    strict=True,
  )


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
def test_transparency_is_kept_and_colour_laid_on_white(tmp_path, suffix):
  path, alpha = tmp_path / f"a{suffix}", np.full((4, 6), 51, np.uint8)
  black = np.zeros((4, 6, 3), np.uint8)
  image = Image.fromarray(np.dstack([black, alpha]))
  image.save(path, lossless=True)
  pixels = decoded(path)
  np.testing.assert_array_equal(pixels.alpha, alpha, strict=True)
  assert (pixels.colour == 204).all()  # 255 - 51.


def test_alpha_that_is_opaque_everywhere_is_none(tmp_path):
  opaque = np.dstack([pictures.four_corners(), np.full((6, 8), 255, np.uint8)])
  Image.fromarray(opaque).save(tmp_path / "a.png")
  assert decoded(tmp_path / "a.png").alpha is None
  values = opaque.astype(np.uint16) * np.uint16(257)
  assert decoded(deep(tmp_path / "b.png", values)).alpha is None


def test_16_bits_are_laid_on_white(tmp_path):
  values = np.broadcast_to(np.uint16([0, 1000, 65_535, 21_845]), (3, 5, 4))
  pixels = decoded(deep(tmp_path / "a.png", values))
  # A third of the colour and two thirds of white: 43690 + 1000 / 3.
  assert pixels.colour[2, 4].tolist() == [43_690, 44_023, 65_535]
  assert (pixels.alpha == 21_845).all()


def test_16_bits_are_resized_between_bytes(tmp_path):
  row = np.array([[0, 0, 7, 7]], np.uint16)
  values = np.repeat(np.repeat(row[..., None], 3, axis=2), 4, axis=0)
  fitted = rgba.fit(decoded(deep(tmp_path / "a.png", values)), 2)
  # As bytes 0, 0, 70, 70 give 10, 60.
  assert fitted.colour[0, :, 0].tolist() == [1, 6]


def test_16_bits_of_an_unknown_profile_are_read_at_8(tmp_path, caplog):
  values = np.full((3, 5, 3), 771, np.uint16)
  pixels = decoded(deep(tmp_path / "a.png", values, b"damaged"))
  assert (pixels.colour == np.uint8(3)).all()
  assert "a.png is read at 8 bits for its colour profile" in caplog.text
