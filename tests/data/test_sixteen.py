"""Pixels of 16 bits, against bytes laid out by hand."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from astgan import errors
from astgan.data import images, sixteen

MADE = np.random.default_rng(0).integers(0, 65_536, (5, 7, 4), np.uint16)


def chunk(name, content):
  size, crc = len(content), zlib.crc32(name + content)
  return struct.pack(">I", size) + name + content + struct.pack(">I", crc)


def png(values, *extra):
  """A PNG of 16 bits, its rows not filtered."""
  height, width, channels = values.shape
  rows = [b"\0" + row.astype(">u2").tobytes() for row in values]
  kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
  header = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)
  pixels = zlib.compress(b"".join(rows))
  chunks = (b"IHDR", header), *extra, (b"IDAT", pixels), (b"IEND", b"")
  return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in chunks)


def tiff(values, order, tags):
  """A TIFF of RGB with 16 bits, not compressed; `tags` change that."""
  height, width, channels = values.shape
  mark = {"<": b"II", ">": b"MM"}[order] + struct.pack(order + "HI", 42, 8)
  tags = {256: width, 257: height, 258: 16, 262: 2, 273: 0, 277: channels} | {
    278: height, 279: values.nbytes, **tags
  }  # fmt: skip
  tags[273] = len(mark) + 2 + 12 * len(tags) + 4
  directory = struct.pack(order + "H", len(tags))
  for tag, value in tags.items():
    directory += struct.pack(order + "HHII", tag, 4, 1, value)
  return mark + directory + bytes(4) + values.astype(order + "u2").tobytes()


def decoded(path, data):
  path.write_bytes(data)
  return sixteen.decode(path, data).values


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_png_is_read_at_full_precision(tmp_path, channels):
  values = MADE[..., :channels]
  read = decoded(tmp_path / "a.png", png(values))
  np.testing.assert_array_equal(read, values, strict=True)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("channels", [3, 4])
def test_a_tiff_is_read_at_full_precision(tmp_path, channels, order):
  values = MADE[..., :channels]
  read = decoded(
    tmp_path / "a.tif", tiff(values, order, {338: 2} if channels == 4 else {})
  )
  np.testing.assert_array_equal(read, values, strict=True)


@pytest.mark.parametrize("turn", [1, 6])
def test_a_tiff_whose_0_is_white_is_no_negative(tmp_path, turn):
  values, path = MADE[..., :1], tmp_path / "a.tif"
  read = decoded(path, tiff(values, "<", {262: 0, 274: turn}))
  upright = np.rot90(values, -1) if turn == 6 else values
  np.testing.assert_array_equal(read, 65_535 - upright, strict=True)
  grey = np.round((65_535 - upright) / 257).astype(np.uint8)
  np.testing.assert_array_equal(images.read(path)[..., :1], grey, strict=True)


def test_12_bits_of_a_tiff_reach_white(tmp_path):
  values, path = np.array([[0, 1, 2048, 4095]], np.uint16), tmp_path / "a.tif"
  # Two values in three bytes.
  packed = bytes.fromhex("".join(f"{value:03x}" for value in values[0]))
  data = tiff(values[..., None], "<", {258: 12, 262: 1, 279: len(packed)})
  read = decoded(path, data[: -values.nbytes] + packed)
  np.testing.assert_array_equal(read, [[[0], [16], [32_776], [65_535]]])
  assert images.read(path)[0, 3].tolist() == [255, 255, 255]


def test_a_compressed_tiff_is_read_at_full_precision(tmp_path):
  path = tmp_path / "a.tif"
  Image.fromarray(MADE[..., 0]).save(path, compression="tiff_lzw")
  read = decoded(path, path.read_bytes())
  np.testing.assert_array_equal(read[..., 0], MADE[..., 0], strict=True)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_transparent_value_becomes_alpha(tmp_path, channels):
  values = MADE[..., :channels].copy()
  values[1, 2], values[3, 4] = 258, 259
  key = (b"tRNS", struct.pack(f">{channels}H", *[258] * channels))
  alpha = decoded(tmp_path / "a.png", png(values, key))[..., channels]
  assert (alpha[1, 2], alpha.sum()) == (0, 34 * 65_535)


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_exif_turns_16_bits_upright(tmp_path, channels):
  exif = Image.Exif()
  exif[0x0112] = 6  # Upright after a quarter turn to the right.
  values = MADE[..., :channels]
  turned = (b"eXIf", exif.tobytes()[6:])
  read = decoded(tmp_path / "a.png", png(np.rot90(values), turned))
  np.testing.assert_array_equal(read, values, strict=True)


def test_images_of_8_bits_are_left_to_others(tmp_path):
  path = tmp_path / "a.png"
  images.write(path, MADE[..., :3].astype(np.uint8))
  assert sixteen.decode(path, path.read_bytes()) is None


def test_16_bits_of_ink_are_read_at_8_and_that_is_told(tmp_path, caplog):
  path = tmp_path / "a.tif"
  path.write_bytes(tiff(MADE, "<", {262: 5}))
  assert sixteen.decode(path, path.read_bytes()) is None
  assert "a.tif is read at 8 of its 16 bits" in caplog.text


def test_channels_stored_apart_are_refused(tmp_path):
  path = tmp_path / "a.tif"
  path.write_bytes(tiff(MADE[..., :3], "<", {284: 2}))
  with pytest.raises(errors.UserError, match="channels are stored apart"):
    images.read(path)


def test_a_bomb_is_refused_by_its_header(tmp_path):
  data = png(MADE)
  header = data[16:29]
  bomb = struct.pack(">II", 60_000, 60_000) + header[8:]
  data = data.replace(chunk(b"IHDR", header), chunk(b"IHDR", bomb))
  with pytest.raises(errors.UserError, match="more than 89,478,485 pixels"):
    decoded(tmp_path / "a.png", data)


@pytest.mark.parametrize("channels", [3, 4])
def test_a_written_png_holds_the_values(tmp_path, channels):
  values, path = MADE[..., :channels], tmp_path / "a.png"
  with open(path, "wb") as file:
    sixteen.write_png(file, values, text={"a": "b"}, profile=b"profile")
  data = path.read_bytes()
  start = data.index(b"IDAT")
  (size,) = struct.unpack(">I", data[start - 4 : start])
  rows = zlib.decompress(data[start + 4 : start + 4 + size])
  rows = np.frombuffer(rows, np.uint8).reshape(5, -1)
  assert set(rows[:, 0]) == {2}  # Each row adds to the one above.
  rows = np.cumsum(rows[:, 1:], axis=0, dtype=np.uint8)
  read = rows.view(">u2").reshape(values.shape).astype(np.uint16)
  np.testing.assert_array_equal(read, values, strict=True)
  with Image.open(path) as image:  # Which checks the sums of all chunks.
    image.load()
    assert image.info == {"a": "b", "icc_profile": b"profile"}


@pytest.mark.parametrize("channels", [3, 4])
def test_a_written_tiff_holds_the_values(tmp_path, channels):
  values, path = MADE[..., :channels], tmp_path / "a.tif"
  with open(path, "wb") as file:
    sixteen.write_tiff(file, values, description="{}", profile=b"profile")
  with Image.open(path) as image:
    tags = dict(image.tag_v2)
    np.testing.assert_array_equal(np.asarray(image), values >> 8)
  strip = zlib.decompress(path.read_bytes()[tags[273][0] :])
  differences = np.frombuffer(strip, "<u2").reshape(values.shape)
  read = np.cumsum(differences, axis=1, dtype=np.uint16)
  np.testing.assert_array_equal(read, values, strict=True)
  assert (tags[270], tags[34675]) == ("{}", b"profile")
