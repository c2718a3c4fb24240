import io
import os
import sys

import numpy as np
import pytest
import tensorflow_datasets as tfds
from array_record.python import array_record_module
from PIL import Image
from tensorflow_datasets.core import constants
from tensorflow_datasets.proto import tf_example_pb2

from astgan import errors
from astgan.data import images, landscapes, sources
from configs import common
from tests import pictures


def opened(source, *, side=16, count=3):
  data = common.get_config().data
  data.source, data.count = source, count
  return sources.open_source(data, side=side)


@pytest.fixture
def folder(tmp_path):
  """Three pictures of mixed sizes and formats, one of them nested."""
  (tmp_path / "deep").mkdir()
  images.write(tmp_path / "a.png", pictures.noise(4, 6, 0))
  images.write(tmp_path / "b.png", pictures.noise(7, 5, 1))
  Image.fromarray(pictures.noise(9, 9, 2)).save(tmp_path / "deep" / "c.jpg")
  return tmp_path


@pytest.fixture
def prepared(tmp_path, monkeypatch):
  """Writes a prepared data set and makes its folder tfds's default."""
  monkeypatch.setattr(constants, "DATA_DIR", str(tmp_path))

  def prepare(name, feature, pixels, channels=3):
    folder = tmp_path / name / "1.0.0"
    folder.mkdir(parents=True)
    shard = folder / f"{name}-train.array_record-00000-of-00001"
    writer = array_record_module.ArrayRecordWriter(str(shard), "group_size:1")
    for picture in pixels:
      stream = io.BytesIO()
      Image.fromarray(picture).save(stream, "PNG")
      example = tf_example_pb2.Example()
      values = example.features.feature[feature].bytes_list.value
      values.append(stream.getvalue())
      writer.write(example.SerializeToString())
    writer.close()
    split = tfds.core.SplitInfo(
      name="train",
      shard_lengths=[len(pixels)],
      num_bytes=shard.stat().st_size,
      filename_template=tfds.core.ShardedFileTemplate(
        data_dir=folder,
        dataset_name=name,
        split="train",
        filetype_suffix="array_record",
      ),
    )
    image = tfds.features.Image(shape=(None, None, channels))
    tfds.folder_dataset.write_metadata(
      data_dir=folder,
      features=tfds.features.FeaturesDict({feature: image}),
      split_infos=[split],
      version="1.0.0",
      check_data=False,
    )

  return prepare


def test_landscapes_are_drawn_by_number_at_the_size_asked():
  source = opened("landscapes", side=16, count=5)
  assert len(source.labels) == 5
  np.testing.assert_array_equal(
    source.read(3), landscapes.draw(3, size=16), strict=True
  )


def test_the_signature_of_landscapes_follows_count_and_size():
  signatures = {
    opened("landscapes", side=side, count=count).signature
    for side, count in ((16, 3), (16, 3), (16, 4), (32, 3))
  }
  assert len(signatures) == 3


def test_a_folder_gives_its_pictures_by_sorted_path(folder):
  source = opened(f"folder:{folder}")
  assert source.labels == [
    str(folder / name) for name in ("a.png", "b.png", "deep/c.jpg")
  ]
  np.testing.assert_array_equal(source.read(1), pictures.noise(7, 5, 1))


def test_the_home_folder_may_be_written_as_a_tilde(folder, monkeypatch):
  monkeypatch.setenv("HOME", str(folder))
  assert len(opened("folder:~/deep").labels) == 1


def test_an_unreadable_picture_of_a_folder_is_refused(folder):
  (folder / "b.png").write_text("no picture")
  with pytest.raises(errors.UserError, match=r"b\.png: "):
    opened(f"folder:{folder}").read(1)


def test_the_signature_of_an_untouched_folder_stays(folder):
  first, second = (opened(f"folder:{folder}").signature for _ in range(2))
  assert first == second


def test_the_signature_sees_a_change_that_hides_its_date_and_size(folder):
  path = folder / "a.png"
  before, stat = opened(f"folder:{folder}").signature, path.stat()
  data = bytearray(path.read_bytes())
  data[-20] ^= 1
  path.write_bytes(data)
  os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
  assert path.stat().st_size == stat.st_size
  assert path.stat().st_mtime_ns == stat.st_mtime_ns
  assert opened(f"folder:{folder}").signature != before


def test_the_signature_sees_a_picture_more(folder):
  before = opened(f"folder:{folder}").signature
  images.write(folder / "z.png", pictures.four_corners())
  assert opened(f"folder:{folder}").signature != before


def test_a_broken_link_is_a_picture_that_cannot_be_read(folder):
  (folder / "b.png").unlink()
  (folder / "b.png").symlink_to(folder / "absent.png")
  with pytest.raises(errors.UserError, match="no such file"):
    opened(f"folder:{folder}").read(1)


def test_a_file_is_refused_as_a_folder(folder):
  with pytest.raises(errors.UserError, match="name the folder"):
    opened(f"folder:{folder / 'a.png'}")


@pytest.mark.parametrize(
  "name", ["wikiart", "folder:", "tfds:", "", "Folder:x"]
)
def test_an_unknown_source_is_refused_by_the_fields_name(name):
  with pytest.raises(errors.UserError, match=r"config\.data\.source="):
    opened(name)


def test_a_prepared_data_set_is_read_without_tensorflow(prepared):
  pixels = [pictures.noise(5, 7, seed) for seed in range(4)]
  prepared("tiny", "image", pixels)
  source = opened("tfds:tiny")
  assert len(source.labels) == 4
  np.testing.assert_array_equal(source.read(2), pixels[2], strict=True)
  assert "tensorflow" not in sys.modules


def test_part_of_a_split_is_opened(prepared):
  pixels = [pictures.noise(5, 7, seed) for seed in range(4)]
  prepared("tiny", "image", pixels)
  source = opened("tfds:tiny:train[2:]")
  assert len(source.labels) == 2
  np.testing.assert_array_equal(source.read(0), pixels[2], strict=True)


def test_parts_of_a_split_have_signatures_of_their_own(prepared):
  prepared("tiny", "image", [pictures.noise(5, 7)] * 4)
  signatures = {
    opened(name).signature
    for name in ("tfds:tiny", "tfds:tiny:train[:2]", "tfds:tiny:train[2:]")
  }
  assert len(signatures) == 3


def test_grey_pictures_of_a_data_set_become_rgb(prepared):
  grey = pictures.noise(5, 7)[..., 0]
  prepared("grey", "image", [grey], channels=1)
  np.testing.assert_array_equal(
    opened("tfds:grey").read(0), np.stack([grey] * 3, -1), strict=True
  )


def test_a_data_set_without_pictures_is_refused(prepared):
  prepared("maps", "map", [pictures.noise(5, 7)])
  with pytest.raises(errors.UserError, match="no feature `image`"):
    opened("tfds:maps")


@pytest.mark.parametrize("name", ["absent", "mnist", "mnist/absent"])
def test_a_data_set_that_is_not_prepared_is_refused(prepared, name):
  with pytest.raises(errors.UserError, match="tfds build") as caught:
    opened(f"tfds:{name}")
  assert "\n" not in str(caught.value)


def test_a_refusal_without_words_is_named_by_its_kind(monkeypatch):
  def refuse(*_, **__):
    raise NotImplementedError

  monkeypatch.setattr(tfds, "data_source", refuse)
  with pytest.raises(errors.UserError, match=r"\(NotImplementedError\)"):
    opened("tfds:tiny")


def test_a_split_that_does_not_exist_is_refused(prepared):
  prepared("tiny", "image", [pictures.noise(5, 7)])
  with pytest.raises(errors.UserError, match="absent"):
    opened("tfds:tiny:absent")


def test_without_the_extra_it_is_named(monkeypatch):
  monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
  with pytest.raises(errors.UserError, match=r"pip install -e '\.\[tfds\]'"):
    opened("tfds:tiny")
