import io
import warnings

import numpy as np
import pytest
from PIL import Image, ImageCms

from astgan.data import colours


def one(mode, pixel):
  """The one pixel of a picture in a mode, after conversion."""
  converted = colours.to_srgb(Image.new(mode, (1, 1), pixel))
  return np.asarray(converted)[0, 0].tolist()


def reversed_profile():
  """The profile of sRGB with the names of red and blue exchanged."""
  profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
  for kind in (b"XYZ", b"TRC"):
    red, blue = b"r" + kind, b"b" + kind
    profile = profile.replace(red, b"____").replace(blue, red)
    profile = profile.replace(b"____", blue)
  return profile


def test_rgb_stays_as_it_is():
  assert one("RGB", (1, 2, 3)) == [1, 2, 3]


def test_bilevel_becomes_black_and_white():
  assert [one("1", 0), one("1", 1)] == [[0, 0, 0], [255, 255, 255]]


def test_cmyk_without_ink_is_white_and_magenta_on_yellow_is_red():
  assert one("CMYK", (0, 0, 0, 0)) == [255, 255, 255]
  assert one("CMYK", (0, 255, 255, 0)) == [255, 0, 0]


def test_lab_red_becomes_srgb_red():
  # sRGB's red is L 53.24, a 80.09, b 67.20 (D65): in D50, as Lab files have it,
  # 54.29, 80.80, 69.89. L is stored as 2.55 L, a and b with 128 added.
  red = one("LAB", (round(2.55 * 54.29), 128 + 81, 128 + 70))
  np.testing.assert_allclose(red, [255, 0, 0], atol=6)


def test_half_transparent_black_on_white_is_middle_grey():
  assert one("RGBA", (0, 0, 0, 128)) == [127, 127, 127]
  assert one("LA", (0, 128)) == [127, 127, 127]


def test_what_is_fully_transparent_is_white():
  assert one("RGBA", (9, 9, 9, 0)) == [255, 255, 255]


def test_a_palettes_transparent_colour_is_white():
  picture = Image.new("P", (2, 1))
  picture.putpalette([10, 20, 30, 40, 50, 60])
  picture.putdata([0, 1])
  picture.info["transparency"] = 1
  converted = np.asarray(colours.to_srgb(picture))
  assert converted.tolist() == [[[10, 20, 30], [255, 255, 255]]]


def test_sixteen_bits_of_grey_are_divided_by_257():
  values = np.array([[0, 257, 32_896, 65_535]], np.uint16)
  converted = np.asarray(colours.to_srgb(Image.fromarray(values)))
  assert converted[0, :, 0].tolist() == [0, 1, 128, 255]


def test_the_transparent_value_of_sixteen_bit_grey_is_white():
  picture = Image.fromarray(np.array([[514, 515]], np.uint16))
  picture.info["transparency"] = 515
  assert np.asarray(colours.to_srgb(picture))[0, :, 0].tolist() == [2, 255]


@pytest.mark.parametrize(
  "pixels", [np.ones((1, 1), np.float32), np.full((1, 1), 65_536, np.int32)]
)
def test_pixels_of_32_bits_are_refused(pixels):
  with pytest.raises(ValueError, match="save as 16 bits"):
    colours.to_srgb(Image.fromarray(pixels))


def test_an_embedded_profile_is_converted():
  # A profile in which red means blue.
  picture = Image.new("RGB", (1, 1), (255, 0, 0))
  picture.info["icc_profile"] = reversed_profile()
  converted = np.asarray(colours.to_srgb(picture))[0, 0]
  np.testing.assert_allclose(converted.astype(int), [0, 0, 255], atol=2)


def test_a_profile_is_converted_under_transparency():
  picture = Image.new("RGBA", (2, 1), (255, 0, 0, 255))
  picture.putpixel((1, 0), (255, 0, 0, 0))
  picture.info["icc_profile"] = reversed_profile()
  converted = np.asarray(colours.to_srgb(picture))[0].astype(int)
  np.testing.assert_allclose(converted, [[0, 0, 255], [255] * 3], atol=2)


@pytest.mark.parametrize("profile", [b"damaged", reversed_profile()[:400]])
def test_a_damaged_profile_is_left_out(profile):
  picture = Image.new("RGB", (1, 1), (1, 2, 3))
  picture.info["icc_profile"] = profile
  assert np.asarray(colours.to_srgb(picture))[0, 0].tolist() == [1, 2, 3]


def test_a_profile_of_another_colour_space_is_left_out():
  picture = Image.new("CMYK", (1, 1), (0, 255, 255, 0))
  picture.info["icc_profile"] = reversed_profile()
  assert np.asarray(colours.to_srgb(picture))[0, 0].tolist() == [255, 0, 0]


def test_a_picture_with_a_profile_warns_of_nothing():
  stream = io.BytesIO()
  profile = reversed_profile()
  Image.new("RGB", (1, 1)).save(stream, "PNG", icc_profile=profile)
  with warnings.catch_warnings():
    warnings.simplefilter("error")
    colours.to_srgb(Image.open(stream))
