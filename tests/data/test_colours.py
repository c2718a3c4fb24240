import numpy as np
import pytest
from PIL import Image, ImageCms

from astgan.data import colours


def one(mode, pixel, profile=None):
  """The one pixel of an image in a mode, after conversion."""
  image = Image.new(mode, (1, 1), pixel)
  image.info |= {"icc_profile": profile} if profile else {}
  return np.asarray(colours.to_srgb(image))[0, 0].tolist()


def reversed_profile():
  """The profile of sRGB with the names of red and blue exchanged."""
  profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
  for kind in (b"XYZ", b"TRC"):
    red, blue = b"r" + kind, b"b" + kind
    profile = profile.replace(red, b"____").replace(blue, red)
    profile = profile.replace(b"____", blue)
  return profile


def test_lab_red_becomes_srgb_red():
  # sRGB's red is L 53.24, a 80.09, b 67.20 (D65): in D50, as Lab files have it,
  # 54.29, 80.80, 69.89. L is stored as 2.55 L, a and b with 128 added.
  red = one("LAB", (round(2.55 * 54.29), 128 + 81, 128 + 70))
  np.testing.assert_allclose(red, [255, 0, 0], atol=6)


@pytest.mark.parametrize(
  ("mode", "pixel", "expected"),
  [
    ("RGB", (1, 2, 3), [1, 2, 3]),
    ("1", 0, [0, 0, 0]),
    ("1", 1, [255, 255, 255]),
    # No ink, then magenta and yellow.
    ("CMYK", (0, 0, 0, 0), [255, 255, 255]),
    ("CMYK", (0, 255, 255, 0), [255, 0, 0]),
    # Half of black on white, then nothing.
    ("RGBA", (0, 0, 0, 128), [127, 127, 127]),
    ("LA", (0, 128), [127, 127, 127]),
    ("RGBA", (9, 9, 9, 0), [255, 255, 255]),
  ],
)
def test_every_mode_becomes_rgb_on_white(mode, pixel, expected):
  assert one(mode, pixel) == expected


def test_the_transparent_colour_of_a_palette_is_white():
  image = Image.new("P", (2, 1))
  image.putpalette([10, 20, 30, 40, 50, 60])
  image.putdata([0, 1])
  image.info["transparency"] = 1
  converted = np.asarray(colours.to_srgb(image))
  assert converted.tolist() == [[[10, 20, 30], [255, 255, 255]]]


def test_sixteen_bits_of_grey_are_divided_by_257_on_white():
  image = Image.fromarray(np.array([[0, 257, 32_896, 515]], np.uint16))
  image.info["transparency"] = 515
  values = np.asarray(colours.to_srgb(image))[0, :, 0].tolist()
  assert values == [0, 1, 128, 255]


def test_pixels_of_32_bits_are_refused():
  for value in (np.float32(1), np.int32(65_536)):
    with pytest.raises(ValueError, match="save as 16 bits"):
      colours.to_srgb(Image.fromarray(np.full((1, 1), value)))


@pytest.mark.parametrize(
  ("mode", "pixel", "expected"),
  [("RGB", (255, 0, 0), [0, 0, 255]), ("RGBA", (255, 0, 0, 0), [255] * 3)],
)
def test_an_embedded_profile_is_converted(mode, pixel, expected):
  # A profile in which red means blue.
  converted = one(mode, pixel, reversed_profile())
  np.testing.assert_allclose(converted, expected, atol=2)


def test_a_damaged_profile_or_one_of_other_channels_is_left_out():
  for profile in (b"damaged", reversed_profile()[:400]):
    assert one("RGB", (1, 2, 3), profile) == [1, 2, 3]
  assert one("CMYK", (0, 255, 255, 0), reversed_profile()) == [255, 0, 0]
