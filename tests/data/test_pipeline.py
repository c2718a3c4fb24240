"""Images of a config, and their order."""

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies

from astgan import errors
from astgan.data import images, pipeline
from configs import gan
from tests import pictures


def data_section(folder, **fields):
  data = gan.get_config().data
  data.source = f"folder:{folder}"
  data.cache = str(folder / ".cache")
  data.size = 16
  data.update(fields)
  return data


@pytest.fixture
def folder(tmp_path):
  """A folder `photos` of five images, two of which cannot be read."""
  photos = tmp_path / "photos"
  photos.mkdir()
  for index in range(3):
    images.write(photos / f"{index}.png", pictures.noise(20, 30, index))
  (photos / "empty.jpg").touch()
  (photos / "text.jpg").write_text("no image")
  return photos


@hypothesis.given(
  count=strategies.integers(1, 60),
  batch_size=strategies.integers(1, 60),
  seed=strategies.integers(0, 2**32 - 1),
)
@hypothesis.settings(max_examples=30, deadline=None)
def test_every_epoch_shows_every_image_once(count, batch_size, seed):
  hypothesis.assume(batch_size <= count)
  order = pipeline.Order(count, seed=seed)
  starts = range(0, 3 * count, batch_size)
  batches = [order.batch(start, batch_size) for start in starts]
  assert {len(batch) for batch in batches} == {batch_size}
  shown = np.concatenate(batches)
  for epoch in range(3):
    part = shown[epoch * count : (epoch + 1) * count]
    assert sorted(part) == list(range(count))


def test_epochs_seeds_and_sources_differ():
  orders = {
    tuple(pipeline.Order(100, seed=seed, source=source).batch(start, 100))
    for seed in range(3)
    for source in range(2)
    for start in range(0, 500, 100)
  }
  assert len(orders) == 30


def test_a_batch_depends_on_seed_and_position_alone():
  walked = pipeline.Order(50, seed=3)
  for start in range(0, 400, 8):
    walked.batch(start, 8)
  for start in (312, 0, 17, 8_000_000):
    fresh = pipeline.Order(50, seed=3).batch(start, 8)
    np.testing.assert_array_equal(walked.batch(start, 8), fresh, strict=True)


def test_the_order_is_the_one_of_earlier_versions():
  # Recorded; runs that continue rely on it.
  order = pipeline.Order(10, seed=0)
  assert [order.batch(start, 4).tolist() for start in (0, 4, 8)] == [
    [4, 6, 2, 7],
    [3, 5, 9, 0],
    [8, 1, 5, 1],
  ]


def test_images_have_the_size_of_the_config(folder):
  loaded = pipeline.decode(data_section(folder), at_least=2)
  assert loaded.array.shape == (3, 16, 16, 3)


def test_images_for_random_windows_are_an_eighth_larger(folder):
  data = data_section(folder, crop="random")
  assert pipeline.decode(data, at_least=2).array.shape == (3, 18, 18, 3)


def test_skipped_images_are_listed_with_their_reasons(folder, tmp_path):
  pipeline.decode(data_section(folder), at_least=2, report=tmp_path)
  reason = "is no image in a known format; convert it to PNG or JPEG"
  assert (tmp_path / "skipped.txt").read_text().splitlines() == [
    f"{folder / 'empty.jpg'}\t{reason}",
    f"{folder / 'text.jpg'}\t{reason}",
  ]


def test_skipped_images_are_summed_up_in_one_line(folder, tmp_path, caplog):
  for _ in range(2):
    caplog.clear()
    pipeline.decode(data_section(folder), at_least=2, report=tmp_path)
    (line,) = [line for line in caplog.messages if "skipped" in line]
    assert "skipped 2 of 5 images" in line
    assert str(tmp_path / "skipped.txt") in line


def test_another_field_names_another_source_and_its_own_list(folder, tmp_path):
  data = data_section(folder).unlock()
  data.source, data.photographs = "landscapes", data.source
  loaded = pipeline.decode(
    data, field="photographs", at_least=2, report=tmp_path
  )
  assert len(loaded.array) == 3
  assert (tmp_path / "skipped_photographs.txt").exists()
  with pytest.raises(errors.UserError, match=r"config\.data\.photographs="):
    pipeline.decode(data, field="photographs", at_least=4)


def test_the_list_of_skipped_goes_when_all_can_be_read(folder, tmp_path):
  data = data_section(folder)
  pipeline.decode(data, at_least=2, report=tmp_path)
  (folder / "empty.jpg").unlink()
  (folder / "text.jpg").unlink()
  pipeline.decode(data, at_least=2, report=tmp_path)
  assert not (tmp_path / "skipped.txt").exists()


def test_fewer_pictures_than_a_batch_are_refused(folder):
  with pytest.raises(errors.UserError) as caught:
    pipeline.decode(data_section(folder), at_least=4)
  assert str(caught.value) == (
    f"config.data.source=folder:{folder}: 3 readable images are fewer than a "
    "batch of 4; add images or make it smaller"
  )


def test_a_folder_without_a_readable_picture_is_refused(folder, tmp_path):
  for path in folder.glob("*.png"):
    path.unlink()
  with pytest.raises(errors.UserError, match="0 readable images"):
    pipeline.decode(data_section(folder), at_least=1, report=tmp_path)
  assert (tmp_path / "skipped.txt").exists()


@pictures.needs_shared
def test_a_folder_of_all_kinds_skips_the_broken_files(tmp_path):
  data = data_section(pictures.SHARED, cache=str(tmp_path / "cache"))
  data.source = f"folder:{pictures.SHARED / 'odd_broken'}"
  with pytest.raises(errors.UserError, match="0 readable images"):
    pipeline.decode(data, at_least=1, report=tmp_path)
  assert len((tmp_path / "skipped.txt").read_text().splitlines()) == 12
