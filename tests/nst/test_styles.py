"""Style pictures as the feature network gets them."""

import jax
import numpy as np

from astgan.data import images
from astgan.nst import styles
from configs import nst
from tests import pictures


def shapes(style):
  return [array.shape for array in style]


def test_one_picture_keeps_its_aspect(tmp_path):
  images.write(tmp_path / "a.png", pictures.noise(50, 70))
  style = styles.Files([tmp_path / "a.png"], 140)
  assert shapes(style) == [(1, 100, 140, 3)]


def test_shapes_in_a_folder_are_few(tmp_path):
  paths = []
  for height in range(60, 68):
    paths.append(tmp_path / f"{height}.png")
    images.write(paths[-1], pictures.noise(height, 100))
  # Of 60 to 67 rows, the nearest multiple of 16 is 64.
  assert set(shapes(styles.Files(paths, 100))) == {(1, 64, 96, 3)}


def test_pictures_are_walked_through_again_and_again(tmp_path):
  images.write(tmp_path / "a.png", pictures.noise(50, 70))
  style = styles.Files([tmp_path / "a.png"], 70)
  (first,), (second,) = style, style
  np.testing.assert_array_equal(first, second)


def test_values_are_the_files_over_255(tmp_path):
  picture = pictures.four_corners(32, 32)
  images.write(tmp_path / "a.png", picture)
  (array,) = styles.Files([tmp_path / "a.png"], 32)
  np.testing.assert_array_equal(array[0], picture.astype("float32") / 255)


def test_small_pictures_are_continued_by_their_mirror_images():
  picture = pictures.noise(64, 64)
  (array,) = styles.Drawn(picture[None], {})
  array = np.round(np.asarray(array[0]) * 255).astype(np.uint8)
  assert array.shape == (256, 256, 3)
  # 96 pixels on each side: one mirror image, and half of the next.
  np.testing.assert_array_equal(array[96:160, 96:160], picture)
  np.testing.assert_array_equal(array[96:160, 160:224], picture[:, ::-1])
  np.testing.assert_array_equal(array[96:160, 224:], picture[:, :32])


def test_large_pictures_in_memory_are_left_alone():
  (array,) = styles.Drawn(pictures.noise(300, 260)[None], {})
  assert array.shape == (1, 300, 260, 3)


def test_a_sheet_shows_64_pictures_at_most():
  batch = np.zeros((70, 8, 8, 3), np.uint8)
  # Eight rows and columns, two pixels between them.
  assert styles.Drawn(batch, {}).sheet().shape == (78, 78, 3)


def test_a_folder_is_all_one_style(tmp_path):
  for name in "abc":
    (tmp_path / name).mkdir()
    images.write(tmp_path / name / "x.png", pictures.noise(40, 40))
  config = nst.get_config()
  config.paint.style = str(tmp_path)
  assert len(styles.open_style(config, jax.random.key(0))) == 3


def test_facts_of_files_are_those_of_their_bytes(tmp_path):
  (tmp_path / "a.png").write_bytes(b"ab")
  (tmp_path / "b.png").write_bytes(b"c")
  style = styles.Files([tmp_path / "a.png", tmp_path / "b.png"], 32)
  # FIPS 180-2's example: of "abc".
  digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
  assert style.facts() == {"pictures": 2, "sha256": digest}


def test_a_file_that_is_gone_is_left_out_of_the_facts(tmp_path):
  (tmp_path / "a.png").write_bytes(b"abc")
  whole = styles.Files([tmp_path / "a.png"], 32).facts()["sha256"]
  paths = [tmp_path / "a.png", tmp_path / "gone.png"]
  assert styles.Files(paths, 32).facts()["sha256"] == whole


def test_facts_of_a_generator_are_its_step_and_parameters(trained):
  config = nst.get_config()
  config.paint.update(style=str(trained), style_batch=3)
  first = styles.open_style(config, jax.random.key(0)).facts()
  again = styles.open_style(config, jax.random.key(1)).facts()
  assert (first["pictures"], first["step"]) == (3, 12)
  # Other latents are no other generator.
  assert first == again


@pictures.needs_shared
def test_real_monets_are_all_read():
  config = nst.get_config()
  config.paint.style = str(pictures.SHARED / "paintings" / "monet")
  config.paint.style_size = 64
  style = styles.open_style(config, jax.random.key(0))
  assert shapes(style) == [(1, 64, 64, 3)] * 300
