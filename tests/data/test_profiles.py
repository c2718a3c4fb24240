"""Colour profiles at 16 bits, against the 8 bits of Little CMS."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from astgan.data import profiles

# Columns of XYZ under D50 of red, green and blue: Adobe RGB (1998).
ADOBE = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087)) + (
  (0.14919, 0.06322, 0.74457),
)


def fixed(*numbers):
  return struct.pack(f">{len(numbers)}i", *(round(65_536 * x) for x in numbers))


def curve(*points):
  return b"curv\0\0\0\0" + struct.pack(
    f">I{len(points)}H", len(points), *points
  )


def formula(kind, *numbers):
  return b"para\0\0\0\0" + struct.pack(">HH", kind, 0) + fixed(*numbers)


def profile(curve, space=b"RGB "):
  """A profile of Adobe's primaries, or of grey, with that curve."""
  tags = {b"kTRC": curve}
  if space == b"RGB ":
    tags = {name + b"TRC": curve for name in (b"r", b"g", b"b")}
    for name, xyz in zip((b"r", b"g", b"b"), ADOBE, strict=True):
      tags[name + b"XYZ"] = b"XYZ \0\0\0\0" + fixed(*xyz)
  tags[b"wtpt"] = b"XYZ \0\0\0\0" + fixed(0.9642, 1, 0.8249)
  directory, content = struct.pack(">I", len(tags)), b""
  for name, data in tags.items():
    start = 132 + 12 * len(tags) + len(content)
    directory += struct.pack(">4sII", name, start, len(data))
    content += data + bytes(-len(data) % 4)
  size = 128 + len(directory) + len(content)
  header = struct.pack(">I4x4s4s", size, b"\2\x40\0\0", b"mntr")
  header += space + b"XYZ " + bytes(12) + b"acsp"
  return header.ljust(128, b"\0") + directory + content


CURVES = (
  *(curve(), curve(563), curve(*range(0, 65_536, 257)), formula(0, 1.8)),
  formula(1, 2.0, 1.25, -0.25),
  formula(2, 2.0, 1.25, -0.25, 0.0),
  formula(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045),
  formula(4, 2.2, 0.9, 0.1, 0.1, 0.1, 0.0, 0.0),
)


@pytest.mark.parametrize("curve", CURVES)
def test_a_profile_of_rgb_is_converted_as_by_little_cms(curve):
  pixels = np.random.default_rng(0).integers(0, 256, (70, 40, 3), np.uint8)
  data = profile(curve)
  expected = ImageCms.profileToProfile(
    Image.fromarray(pixels),
    ImageCms.ImageCmsProfile(io.BytesIO(data)),
    ImageCms.createProfile("sRGB"),
  )
  values = pixels.astype(np.uint16) * np.uint16(257)
  converted = profiles.to_srgb(values, profiles.parse(data))
  # Little CMS rounds to bytes, and in between.
  np.testing.assert_allclose(converted / 257, np.asarray(expected), atol=0.9)


def test_linear_grey_is_encoded_as_srgb():
  grey = profiles.parse(profile(curve(), b"GRAY"))
  values = np.array([0, 100, 14_027, 65_535], np.uint16)[:, None, None]
  # 12.92 x below 0.0031308, else 1.055 x ** (1 / 2.4) - 0.055.
  linear = 14_027 / 65_535
  bright = 65_535 * (1.055 * linear ** (1 / 2.4) - 0.055)
  expected = [0, 1292, bright, 65_535]
  converted = profiles.to_srgb(values, grey)
  np.testing.assert_allclose(converted[:, 0, 0], expected, atol=1.5)


def test_srgb_stays_as_it_is():
  values = np.random.default_rng(0).integers(0, 65_536, (9, 9, 3), np.uint16)
  converted = profiles.to_srgb(values, profiles.parse(profiles.srgb()))
  np.testing.assert_array_equal(converted, values, strict=True)


def test_damaged_profiles_and_tables_have_no_matrix():
  whole = profile(curve(563))
  table = whole.replace(b"wtpt", b"A2B0")
  infinite = profile(formula(1, 2.0, 0.0, 1.0))
  for data in (b"", b"damaged", whole[:200], whole[:260], table, infinite):
    assert profiles.parse(data) is None
