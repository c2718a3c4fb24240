import io
import os
import pathlib
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
from configs import gan
from tests import pictures


def opened(source, *, side=16, count=3):
  data = gan.get_config().data
  data.source, data.count = source, count
  return sources.open_source(data, side=side)


def as_example(image, feature, **labels):
  """A tf.train.Example of an image as PNG, and of numbers."""
  Image.fromarray(image).save(stream := io.BytesIO(), "PNG")
  example = tf_example_pb2.Example()
  features = example.features.feature
  features[feature].bytes_list.value.append(stream.getvalue())
  for name, value in labels.items():
    features[name].int64_list.value.append(value)
  return example.SerializeToString()


@pytest.fixture
def folder(tmp_path):
  """Three images of mixed sizes and formats, one of them nested."""
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
    for image in pixels:
      writer.write(as_example(image, feature))
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
    feature_type = tfds.features.Image(shape=(None, None, channels))
    tfds.folder_dataset.write_metadata(
      data_dir=folder,
      features=tfds.features.FeaturesDict({feature: feature_type}),
      split_infos=[split],
      version="1.0.0",
      check_data=False,
    )

  return prepare


def test_landscapes_are_drawn_by_number_at_the_size_asked():
  settings = ((16, 5), (16, 5), (16, 4), (32, 5))
  found = [opened("landscapes", side=side, count=n) for side, n in settings]
  assert [len(source.labels) for source in found] == [5, 5, 4, 5]
  assert len({source.signature for source in found}) == 3
  expected = landscapes.draw(3, size=32)
  np.testing.assert_array_equal(found[3].read(3), expected, strict=True)


def test_a_folder_gives_its_images_by_sorted_path(folder, monkeypatch):
  monkeypatch.setenv("HOME", str(folder.parent))
  source = opened(f"folder:~/{folder.name}")
  names = ("a.png", "b.png", "deep/c.jpg")
  assert source.labels == [str(folder / name) for name in names]
  np.testing.assert_array_equal(source.read(1), pictures.noise(7, 5, 1))


def test_an_unreadable_image_or_broken_link_of_a_folder_is_refused(folder):
  (folder / "a.png").write_text("no image")
  (folder / "b.png").unlink()
  (folder / "b.png").symlink_to(folder / "absent.png")
  source = opened(f"folder:{folder}")
  for index, reason in enumerate((r"a\.png: ", "no such file")):
    with pytest.raises(errors.UserError, match=reason):
      source.read(index)


def touch(path):
  os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))


@pytest.mark.parametrize(
  "change",
  [
    touch,
    lambda path: os.truncate(path, path.stat().st_size - 1),
    lambda path: path.rename(path.with_name("c.png")),
    lambda path: images.write(path.with_name("z.png"), pictures.noise(2, 2)),
    lambda path: path.unlink(),
  ],
)
def test_the_signature_sees_a_change(folder, change):
  before = opened(f"folder:{folder}").signature
  assert opened(f"folder:{folder}").signature == before
  change(folder / "a.png")
  assert opened(f"folder:{folder}").signature != before


def test_another_folder_of_the_same_names_sizes_and_dates_is_another(folder):
  before = opened(f"folder:{folder}").signature
  for path in folder.glob("*.png"):
    stat = path.stat()
    path.write_bytes(path.read_bytes()[::-1])
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
  assert opened(f"folder:{folder}").signature != before


@pytest.mark.parametrize(
  "name", ["wikiart", "folder:", "tfds:", "", "Folder:x", f"folder:{__file__}"]
)
def test_an_unknown_source_is_refused_by_its_field(name):
  with pytest.raises(errors.UserError, match=r"config\.data\.source="):
    opened(name)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_prepared_data_set_is_read_as_rgb_without_tensorflow(
  prepared, channels
):
  pixels = [pictures.noise(5, 7, seed)[..., :channels] for seed in range(4)]
  prepared("tiny", "image", [image.squeeze() for image in pixels], channels)
  source = opened("tfds:tiny")
  assert len(source.labels) == 4
  expected = np.broadcast_to(pixels[2], (5, 7, 3))
  np.testing.assert_array_equal(source.read(2), expected, strict=True)
  half = opened("tfds:tiny:train[2:]")
  np.testing.assert_array_equal(half.read(0), expected, strict=True)
  assert len(half.labels) == 2 and half.signature != source.signature
  assert "tensorflow" not in sys.modules


@pytest.mark.parametrize(
  ("name", "reason"),
  [
    ("maps", "no feature `image`"),
    ("maps:absent", "absent"),
    ("absent", "tfds build"),
    ("mnist/absent", "tfds build"),
  ],
)
def test_a_data_set_without_images_or_not_prepared_is_refused(
  prepared, name, reason
):
  prepared("maps", "map", [pictures.noise(5, 7)])
  with pytest.raises(errors.UserError, match=reason) as caught:
    opened(f"tfds:{name}")
  assert "\n" not in str(caught.value)


@pytest.fixture
def cycle_gan(tmp_path, monkeypatch):
  """`tfds build cycle_gan/monet2photo`, in two files, and its images."""
  monkeypatch.setattr(constants, "DATA_DIR", str(tmp_path))
  builder = tfds.builder("cycle_gan/monet2photo")
  folder = pathlib.Path(builder.data_dir)
  folder.mkdir(parents=True)
  pixels, splits = [pictures.noise(5, 7, seed) for seed in range(5)], []
  for split, files in (("trainA", [pixels[:2], pixels[2:]]), ("trainB", [[]])):
    for number, part in enumerate(files):
      name = f"cycle_gan-{split}.tfrecord-{number:05d}-of-{len(files):05d}"
      data = b""
      for image in part:
        # Beside data and their length are sums that check them.
        example = as_example(image, "image", label=0)
        data += len(example).to_bytes(8, "little") + b"sum1" + example + b"sum2"
      (folder / name).write_bytes(data)
    template = tfds.core.ShardedFileTemplate(
      data_dir=folder, dataset_name="cycle_gan", split=split,
      filetype_suffix="tfrecord",
    )  # fmt: skip
    splits.append(
      tfds.core.SplitInfo(
        name=split, shard_lengths=[len(part) for part in files],
        num_bytes=1, filename_template=template,
      )
    )  # fmt: skip
  builder.info.set_splits(tfds.core.SplitDict(splits))
  builder.info.write_to_directory(folder)
  return folder, pixels


def test_cycle_gan_is_read_as_tfds_builds_it(cycle_gan):
  _, pixels = cycle_gan
  source = opened("tfds:cycle_gan/monet2photo:trainA")
  assert len(source.labels) == 5
  for number, image in enumerate(pixels):
    np.testing.assert_array_equal(source.read(number), image, strict=True)
  middle = opened("tfds:cycle_gan/monet2photo:trainA[1:4]:label=A")
  assert len(middle.labels) == 3
  np.testing.assert_array_equal(middle.read(2), pixels[3], strict=True)
  assert "tensorflow" not in sys.modules


@pytest.mark.parametrize(
  ("damage", "reason"),
  [
    (lambda data: data[:-1], "damaged or cut"),
    (lambda data: b"\xff" * 8 + data[8:], "damaged or cut"),
    (lambda data: data + b"\0\0\0", "damaged or cut"),
    (lambda data: b"", "has 0 records, not 2"),
  ],
)
def test_tfrecord_files_that_are_cut_are_refused(cycle_gan, damage, reason):
  folder, _ = cycle_gan
  path = next(folder.glob("*trainA.tfrecord-00000*"))
  path.write_bytes(damage(path.read_bytes()))
  with pytest.raises(errors.UserError, match=reason):
    opened("tfds:cycle_gan/monet2photo:trainA")


def test_without_the_extra_it_is_named(monkeypatch):
  monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
  with pytest.raises(errors.UserError, match=r"pip install -e '\.\[tfds\]'"):
    opened("tfds:tiny")
