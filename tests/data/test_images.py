import io
import pathlib
import struct
import warnings
from concurrent import futures

import numpy as np
import pytest
from PIL import Image

from astgan import errors
from astgan.data import image_files, images
from tests import pictures

# Height, width and mean colour of each file. The sheet of all of them was
# looked at: every colour and every orientation is right.
ODD = [
  ("bad_exif_grey_500.jpg", (500, 500), (125, 125, 125)),
  ("exif_orient8_2x1.jpg", (2, 1), (254, 0, 0)),
  ("grey16_64.png", (64, 64), (35, 35, 35)),
  ("lab_128.tif", (128, 128), (89, 80, 95)),
  ("mpo_two_pictures_640.jpg", (480, 640), (121, 109, 99)),
  ("palette_trns_single_64.png", (64, 64), (128, 176, 163)),
]


def saved(path, picture, **options):
  """The path, after Pillow wrote the array there."""
  Image.fromarray(picture).save(path, **options)
  return path


def refusal(path, **options):
  """The one line with which a file is refused."""
  with pytest.raises(errors.UserError) as caught:
    images.read(path, **options)
  line = str(caught.value)
  assert line.startswith(f"{path}: ")
  assert "\n" not in line
  return line


@pytest.mark.parametrize(("name", "size", "colour"), ODD)
@pictures.needs_shared
def test_an_unusual_file_is_read(name, size, colour):
  image = images.read(pictures.SHARED / "odd" / name)
  assert image.shape == (*size, 3)
  np.testing.assert_allclose(image.mean(axis=(0, 1)), colour, atol=1)


@pictures.needs_shared
def test_broken_files_are_refused_in_one_line():
  files = sorted((pictures.SHARED / "odd_broken").iterdir())
  for file in files:
    assert refusal(file, side=1) == refusal(file)


@pytest.mark.parametrize(
  ("side", "height"), [(11, 22), (12, 44), (44, 88), (45, 176), (1000, 176)]
)
def test_a_jpeg_is_decoded_at_twice_the_side_or_more(tmp_path, side, height):
  picture = pictures.four_corners(176, 352)
  path = saved(tmp_path / "x.jpg", picture, quality=95)
  found = images.read(path, side=side)
  assert found.shape == (height, 2 * height, 3)
  whole = images.resize(images.read(path), 11, 22)
  difference = images.resize(found, 11, 22).astype(float) - whole
  assert np.abs(difference).max() <= 3


def test_other_formats_are_decoded_whole(tmp_path):
  picture = pictures.four_corners(64, 64)
  path = saved(tmp_path / "x.png", picture)
  np.testing.assert_array_equal(images.read(path, side=8), picture)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_an_image_upright(tmp_path, suffix, orientation):
  upright = pictures.four_corners(64, 96)
  # Quarter turns to the left, then a mirror for four of the eight.
  turns = (0, 0, 2, 2, -1, 1, 1, -1)
  stored = np.rot90(upright, turns[orientation - 1])
  if orientation in (2, 4, 5, 7):
    stored = stored[:, ::-1]
  exif = Image.Exif()
  exif[0x0112] = orientation
  path = saved(tmp_path / f"turned{suffix}", stored.copy(), exif=exif)
  # Lossy formats blur the borders of the quarters.
  difference = images.read(path).astype(int) - upright
  assert np.abs(difference).mean() < 8
  with image_files.opened(path) as image:
    assert image_files.upright_size(image) == (96, 64)


def test_an_animation_gives_its_first_frame(tmp_path):
  frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
  path = tmp_path / "a.gif"
  frames[0].save(path, save_all=True, append_images=frames[1:])
  assert images.read(path)[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".gif", ".webp", ".tif"])
def test_a_file_cut_in_half_is_refused(tmp_path, suffix):
  path = saved(tmp_path / f"a{suffix}", pictures.noise(40, 40))
  data = path.read_bytes()
  path.write_bytes(data[: len(data) // 2])
  refusal(path)


def test_a_file_that_claims_billions_of_pixels_is_refused(tmp_path):
  path = saved(tmp_path / "bomb.bmp", pictures.four_corners())
  data = bytearray(path.read_bytes())
  data[18:26] = struct.pack("<ii", 60_000, 60_000)
  path.write_bytes(data)
  assert "more than 89,478,485 pixels" in refusal(path)


def test_what_is_no_image_file_is_refused(tmp_path):
  path = tmp_path / "a.jpg"
  assert "no such file" in refusal(path)
  assert "no such file" in refusal(tmp_path)
  path.write_text("text")
  assert "known format" in refusal(path)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP"])
def test_damage_gives_an_image_or_a_refusal(tmp_path, kind):
  stream, path = io.BytesIO(), tmp_path / "damaged"
  Image.fromarray(pictures.noise(8, 8)).save(stream, kind)
  rng = np.random.default_rng(0)
  for _ in range(60):
    data = np.frombuffer(stream.getvalue(), np.uint8).copy()
    places = rng.integers(0, len(data), rng.integers(1, 8))
    data[places] = rng.integers(0, 256, len(places))
    path.write_bytes(data[: int(len(data) * rng.uniform(0.2, 1.2))].tobytes())
    try:
      assert images.read(path).shape[2] == 3
    except errors.UserError as error:
      assert "\n" not in str(error)


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
  assert images.resize(image, 4, 2)[0, :, 0].tolist() == [10, 60]


@pytest.mark.parametrize(
  ("shape", "expected"),
  [((40, 60), (20, 30)), ((60, 45), (30, 22)), ((1, 90), (1, 30))],
)
def test_fitting_sets_the_longer_side_and_keeps_the_aspect(shape, expected):
  fitted = images.fit(pictures.four_corners(*shape), 30)
  assert fitted.shape == (*expected, 3) == (*images.fitted(shape, 30), 3)


@pytest.mark.parametrize(("length", "first"), [(7, 2), (6, 2), (2, 0)])
def test_the_square_is_cut_from_the_middle(length, first):
  wide = np.indices((2, length, 3), np.uint8)[1]
  for image in (wide, wide.swapaxes(0, 1)):
    square = images.centre_square(image)
    assert square.shape == (2, 2, 3)
    assert set(square.ravel().tolist()) == {first, first + 1}


def test_a_grid_goes_row_by_row_on_white():
  tiles = np.indices((3, 1, 2, 3), np.uint8)[0]
  assert images.grid(tiles, columns=2, gap=1)[..., 0].tolist() == [
    [0, 0, 255, 1, 1],
    [255, 255, 255, 255, 255],
    [2, 2, 255, 255, 255],
  ]
  assert images.grid(tiles, columns=8, gap=2).shape == (1, 10, 3)


def test_a_written_image_is_read_back_the_same_with_its_text(tmp_path):
  path, text = tmp_path / "a.png", {"style": "Größe", "seed": "7"}
  for image in (pictures.four_corners(), pictures.noise(5, 7)):
    images.write(path, image, text=text)
  np.testing.assert_array_equal(images.read(path), image, strict=True)
  with Image.open(path) as written:
    assert written.text == text
  assert list(tmp_path.iterdir()) == [path]


def test_images_are_found_once_in_any_depth_and_sorted(tmp_path):
  root, elsewhere = tmp_path / "root", tmp_path / "elsewhere"
  for name in ("b/c/2.JPG", "b/1.png", "a.webp", "note.txt", ".hidden.png"):
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).touch()
  elsewhere.mkdir()
  (elsewhere / "3.png").touch()
  (elsewhere / "back").symlink_to(root)
  (root / "link").symlink_to(elsewhere)
  names = ("a.webp", "b/1.png", "b/c/2.JPG", "link/3.png")
  assert images.find(root) == [root / name for name in names]
  assert images.find(root / "a.webp") == [root / "a.webp"]


def test_names_are_those_of_paths_and_sorted_as_they_are(tmp_path, monkeypatch):
  names = ("a/x.png", "a b/x.png", "a-b/x.png", "a/b/x.png", "A.png", "a.png")
  for name in names:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).touch()
  monkeypatch.chdir(tmp_path)
  expected = [str(path) for path in sorted(map(pathlib.Path, names))]
  for root in (".", "./", ".//a/.."):
    prefix = "a/../" if "a" in root else ""
    assert images.find_names(root) == [prefix + name for name in expected]


def test_a_folder_without_images_or_missing_is_refused(tmp_path):
  (tmp_path / "note.txt").touch()
  with pytest.raises(errors.UserError, match="holds no images"):
    images.find(tmp_path)
  for name in ("absent", 300 * "x"):
    with pytest.raises(errors.UserError, match="no such file or folder"):
      images.find(tmp_path / name)
