import io
import struct
import warnings
import zlib
from concurrent import futures

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies
from PIL import Image, PngImagePlugin

from astgan import errors
from astgan.data import images
from tests import pictures

# Height, width and mean colour of each file. The sheet of all of them was
# looked at: every colour and every way up is right.
ODD = [
  ("animated_15frames_30x20.gif", (20, 30), (190, 190, 190)),
  ("animated_31frames_320x240.gif", (240, 320), (250, 251, 247)),
  ("animated_42frames_rgba.webp", (245, 245), (135, 137, 90)),
  ("animated_4frames_64x48.gif", (48, 64), (242, 231, 231)),
  ("bad_exif_grey_500.jpg", (500, 500), (125, 125, 125)),
  ("bilevel_32.bmp", (32, 32), (158, 158, 158)),
  ("cmyk_100.tif", (100, 100), (30, 5, 7)),
  ("cmyk_100x100.jpg", (100, 100), (30, 5, 7)),
  ("exif_orient3.jpg", (128, 128), (90, 80, 95)),
  ("exif_orient5.jpg", (128, 128), (90, 80, 95)),
  ("exif_orient6.jpg", (128, 128), (90, 80, 95)),
  ("exif_orient6.webp", (128, 128), (90, 80, 96)),
  ("exif_orient8.jpg", (128, 128), (90, 80, 95)),
  ("exif_orient8_2x1.jpg", (2, 1), (254, 0, 0)),
  ("flower_480x360.webp", (360, 480), (119, 132, 94)),
  ("gamma_1dot0.png", (256, 256), (128, 0, 128)),
  ("grey16_64.png", (64, 64), (35, 35, 35)),
  ("grey16_64.tif", (64, 64), (1, 1, 1)),
  ("grey_128.jpg", (128, 128), (85, 85, 85)),
  ("grey_160x120.tga", (120, 160), (41, 41, 41)),
  ("interlaced_36x28.png", (28, 36), (111, 152, 156)),
  ("lab_128.tif", (128, 128), (89, 80, 95)),
  ("mpo_two_pictures_640.jpg", (480, 640), (121, 109, 99)),
  ("painting_312x442_lossy.webp", (442, 312), (124, 119, 78)),
  ("palette_160x120.bmp", (120, 160), (43, 89, 122)),
  ("palette_160x120.png", (120, 160), (43, 89, 122)),
  ("palette_alpha_162x150.png", (150, 162), (190, 189, 172)),
  ("palette_trns_single_64.png", (64, 64), (128, 176, 163)),
  ("progressive_100x75.jpg", (75, 100), (151, 136, 108)),
  ("progressive_256x160.jpg", (160, 256), (120, 120, 103)),
  ("static_312x442.gif", (442, 312), (123, 119, 78)),
  ("subsample_very_weird.jpg", (75, 100), (152, 136, 108)),
]
BROKEN = [
  "broken_data_stream.png",
  "decompression_bomb_44_bytes.gif",
  "empty.jpg",
  "no_frames.gif",
  "not_a_png.png",
  "png_decompression_dos.png",
  "text_not_image.jpg",
  "truncated.gif",
  "truncated.png",
  "truncated_half.jpg",
  "truncated_interlaced.png",
  "truncated_progressive.jpg",
]


def saved(path, picture, **options):
  """The path, after Pillow wrote the array there."""
  Image.fromarray(picture).save(path, **options)
  return path


def refusal(path):
  """The one line with which a file is refused."""
  with pytest.raises(errors.UserError) as caught:
    images.read(path)
  line = str(caught.value)
  assert line.startswith(f"{path}: ")
  assert "\n" not in line
  return line


@pytest.mark.parametrize(("name", "size", "colour"), ODD)
@pictures.needs_shared
def test_an_unusual_file_is_read(name, size, colour):
  with warnings.catch_warnings():
    warnings.simplefilter("error")
    picture = images.read(pictures.SHARED / "odd" / name)
  assert picture.shape == (*size, 3)
  np.testing.assert_allclose(picture.mean(axis=(0, 1)), colour, atol=1)


@pytest.mark.parametrize("orientation", [5, 6, 8])
@pictures.needs_shared
def test_one_photograph_turned_four_ways_is_read_upright(orientation):
  folder = pictures.SHARED / "odd"
  expected = images.read(folder / "exif_orient3.jpg").astype(int)
  turned = images.read(folder / f"exif_orient{orientation}.jpg").astype(int)
  # Turned the wrong way, they differ by 60 on average.
  assert np.abs(turned - expected).mean() < 6


@pytest.mark.parametrize("name", BROKEN)
@pictures.needs_shared
def test_a_broken_file_is_refused_in_one_line(name):
  refusal(pictures.SHARED / "odd_broken" / name)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
@pytest.mark.parametrize(
  ("orientation", "store"),
  [
    (1, lambda a: a),
    (2, lambda a: a[:, ::-1]),
    (3, lambda a: a[::-1, ::-1]),
    (4, lambda a: a[::-1]),
    (5, lambda a: a.transpose(1, 0, 2)),
    (6, lambda a: np.rot90(a, 1)),
    (7, lambda a: a[::-1, ::-1].transpose(1, 0, 2)),
    (8, lambda a: np.rot90(a, -1)),
  ],
)
def test_exif_turns_a_picture_upright(tmp_path, suffix, orientation, store):
  upright = pictures.four_corners(64, 96)
  exif = Image.Exif()
  exif[0x0112] = orientation
  stored = np.ascontiguousarray(store(upright))
  path = saved(tmp_path / f"turned{suffix}", stored, exif=exif)
  read = images.read(path)
  assert read.shape == upright.shape
  # Lossy formats blur the borders of the quarters.
  assert np.abs(read.astype(int) - upright).mean() < 8


def test_damaged_exif_is_no_reason_to_refuse(tmp_path):
  path = saved(tmp_path / "a.jpg", pictures.four_corners(), exif=b"Exif\0\0II*")
  with warnings.catch_warnings():
    warnings.simplefilter("error")
    assert images.read(path).shape == (6, 8, 3)


def test_an_animation_gives_its_first_frame(tmp_path):
  frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
  path = tmp_path / "a.gif"
  frames[0].save(path, save_all=True, append_images=frames[1:])
  assert images.read(path)[0, 0].tolist() == [255, 0, 0]


def test_a_cmyk_jpeg_keeps_its_colours(tmp_path):
  path = tmp_path / "a.jpg"
  # Adobe's files hold the inverse of the ink; Pillow writes them like that.
  Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(path, quality=95)
  np.testing.assert_allclose(
    images.read(path).mean(axis=(0, 1)), [255, 0, 0], atol=3
  )


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bit_files_are_scaled_to_bytes(tmp_path, suffix):
  path = tmp_path / f"a{suffix}"
  Image.fromarray(np.array([[0, 257, 65_535]], np.uint16)).save(path)
  assert images.read(path)[0, :, 1].tolist() == [0, 1, 255]


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".gif", ".webp", ".tif"])
def test_a_file_cut_in_half_is_refused(tmp_path, suffix):
  path = saved(tmp_path / f"a{suffix}", pictures.noise(40, 40))
  data = path.read_bytes()
  path.write_bytes(data[: len(data) // 2])
  refusal(path)


def test_a_file_that_claims_billions_of_pixels_is_refused(tmp_path):
  header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
  chunk = b"IHDR" + header
  path = tmp_path / "bomb.png"
  path.write_bytes(
    b"\x89PNG\r\n\x1a\n"
    + struct.pack(">I", len(header))
    + chunk
    + struct.pack(">I", zlib.crc32(chunk))
    + b"\0\0\0\0IDAT"
  )
  assert "more than 178,956,970 pixels" in refusal(path)


def test_a_large_picture_below_the_limit_does_not_warn(tmp_path):
  path = tmp_path / "large.png"
  # Above the size at which Pillow warns.
  Image.new("1", (10_000, 9_000)).save(path)
  with warnings.catch_warnings(), open(path, "rb") as file:
    warnings.simplefilter("error")
    with images._open(file) as image:
      assert image.size == (10_000, 9_000)


def test_text_that_swells_when_unpacked_is_refused(tmp_path):
  chunks = PngImagePlugin.PngInfo()
  chunks.add_text("comment", "a" * 3_000_000, zip=True)
  path = saved(tmp_path / "a.png", pictures.four_corners(), pnginfo=chunks)
  assert path.stat().st_size < 10_000
  assert "too large" in refusal(path)


def test_a_file_that_is_no_picture_is_refused(tmp_path):
  path = tmp_path / "a.jpg"
  path.write_text("no picture")
  assert "no picture in a known format" in refusal(path)


def test_a_missing_file_is_refused(tmp_path):
  assert "no such file" in refusal(tmp_path / "a.jpg")


def test_a_folder_is_refused_as_a_picture(tmp_path):
  assert "no such file" in refusal(tmp_path)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP"])
@hypothesis.settings(
  max_examples=40,
  deadline=None,
  suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
@hypothesis.given(
  changes=strategies.lists(
    strategies.tuples(strategies.floats(0, 1), strategies.integers(0, 255)),
    min_size=1,
    max_size=8,
  ),
  length=strategies.floats(0.2, 1),
)
def test_damage_gives_a_picture_or_a_refusal(tmp_path, kind, changes, length):
  stream = io.BytesIO()
  Image.fromarray(pictures.noise(8, 8)).save(stream, kind)
  data = bytearray(stream.getvalue())
  for place, value in changes:
    data[int(place * (len(data) - 1))] = value
  path = tmp_path / "damaged"
  path.write_bytes(data[: int(len(data) * length)])
  try:
    picture = images.read(path)
  except errors.UserError as error:
    assert "\n" not in str(error)
  else:
    assert picture.shape[2] == 3


def test_reading_in_threads_leaves_the_warning_filters(tmp_path):
  path = saved(tmp_path / "a.png", pictures.four_corners())
  before = list(warnings.filters)
  with futures.ThreadPoolExecutor(8) as threads:
    list(threads.map(images.read, [path] * 200))
  assert warnings.filters == before


def test_resizing_weighs_pixels_by_a_triangle():
  # Four pixels to two: the triangle around 1.0 reaches 2 pixels either way and
  # weighs the centres 0.5, 1.5, 2.5 with 3/4, 3/4, 1/4; 70 / 7 = 10.
  row = np.array([0, 0, 70, 70], np.uint8)
  image = np.broadcast_to(row[None, :, None], (4, 4, 3)).copy()
  resized = images.resize(image, 4, 2)
  assert resized[0, :, 0].tolist() == [10, 60]


def test_resizing_a_fine_chequerboard_gives_grey_not_aliases():
  board = (np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8)
  resized = images.resize(np.stack([board] * 3, -1), 8, 8)
  np.testing.assert_allclose(
    resized.astype(int), np.full((8, 8, 3), 127.5), atol=1
  )


@hypothesis.given(
  height=strategies.integers(1, 60),
  width=strategies.integers(1, 60),
  side=strategies.integers(1, 60),
)
@hypothesis.settings(max_examples=50, deadline=None)
def test_fitting_sets_the_longer_side_and_keeps_the_aspect(height, width, side):
  fitted = images.fit(np.zeros((height, width, 3), np.uint8), side)
  assert max(fitted.shape[:2]) == side
  longer, shorter = max(height, width), min(height, width)
  expected = max(1, side * shorter / longer)
  assert abs(min(fitted.shape[:2]) - expected) <= 0.5


def test_fitting_keeps_the_way_up():
  fitted = images.fit(pictures.four_corners(40, 60), 30)
  assert fitted.shape == (20, 30, 3)
  assert fitted[-1, 0].tolist() == [0, 0, 255]


@pytest.mark.parametrize(
  ("shape", "left"), [((2, 7), 2), ((2, 6), 2), ((2, 2), 0)]
)
def test_the_square_is_cut_from_the_middle(shape, left):
  columns = np.broadcast_to(np.arange(shape[1], dtype=np.uint8), shape)
  square = images.centre_square(np.stack([columns] * 3, -1))
  assert square[0, :, 0].tolist() == [left, left + 1]


def test_the_square_of_a_tall_picture_is_cut_from_the_middle():
  rows = np.arange(5, dtype=np.uint8)[:, None, None] * np.ones(
    (1, 3, 3), np.uint8
  )
  assert images.centre_square(rows)[:, 0, 0].tolist() == [1, 2, 3]


def test_a_grid_goes_row_by_row_on_white():
  tiles = np.arange(3, dtype=np.uint8)[:, None, None, None]
  tiles = np.broadcast_to(tiles, (3, 1, 2, 3)).copy()
  sheet = images.grid(tiles, columns=2, gap=1)[..., 0]
  assert sheet.tolist() == [
    [0, 0, 255, 1, 1],
    [255, 255, 255, 255, 255],
    [2, 2, 255, 255, 255],
  ]


def test_a_grid_of_fewer_pictures_than_columns_is_one_row():
  assert images.grid(
    np.zeros((2, 4, 4, 3), np.uint8), columns=8, gap=2
  ).shape == (4, 10, 3)


def test_a_written_picture_is_read_back_the_same(tmp_path):
  images.write(tmp_path / "a.png", pictures.noise(5, 7))
  np.testing.assert_array_equal(
    images.read(tmp_path / "a.png"), pictures.noise(5, 7), strict=True
  )


def test_a_written_picture_carries_its_text(tmp_path):
  text = {"style": "Größe", "seed": "7"}
  images.write(tmp_path / "a.png", pictures.four_corners(), text=text)
  with Image.open(tmp_path / "a.png") as image:
    assert image.text == text


def test_writing_over_a_picture_leaves_no_other_file(tmp_path):
  for seed in range(2):
    images.write(tmp_path / "a.png", pictures.noise(4, 4, seed))
  assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_a_failed_write_keeps_the_old_picture(tmp_path, monkeypatch):
  path = tmp_path / "a.png"
  images.write(path, pictures.four_corners())

  def fail(*_, **__):
    raise OSError("disk full")

  monkeypatch.setattr(Image.Image, "save", fail)
  with pytest.raises(OSError, match="disk full"):
    images.write(path, pictures.noise(6, 8))
  np.testing.assert_array_equal(images.read(path), pictures.four_corners())
  assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_pictures_are_found_in_any_depth_and_sorted(tmp_path):
  for name in ("b/c/2.JPG", "b/1.png", "a.webp", "note.txt", ".hidden.png"):
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).touch()
  found = images.find(tmp_path)
  assert found == [
    tmp_path / name for name in ("a.webp", "b/1.png", "b/c/2.JPG")
  ]


def test_a_file_is_found_as_itself(tmp_path):
  path = saved(tmp_path / "a.png", pictures.four_corners())
  assert images.find(path) == [path]


def test_linked_folders_are_searched_once(tmp_path):
  (tmp_path / "elsewhere").mkdir()
  (tmp_path / "elsewhere" / "1.png").touch()
  root = tmp_path / "root"
  root.mkdir()
  (root / "link").symlink_to(tmp_path / "elsewhere")
  (tmp_path / "elsewhere" / "back").symlink_to(root)
  assert images.find(root) == [root / "link" / "1.png"]


def test_a_missing_folder_is_refused(tmp_path):
  with pytest.raises(errors.UserError, match="no such file or folder"):
    images.find(tmp_path / "absent")


def test_a_folder_without_pictures_is_refused(tmp_path):
  (tmp_path / "note.txt").touch()
  with pytest.raises(errors.UserError, match="holds no pictures"):
    images.find(tmp_path)
