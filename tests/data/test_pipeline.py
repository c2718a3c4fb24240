import itertools

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies

from astgan import errors
from astgan.data import images, pipeline
from configs import common
from tests import pictures


def data_section(folder, **fields):
  data = common.get_config().data
  data.source = f"folder:{folder}"
  data.cache = str(folder / ".cache")
  data.size = 16
  data.update(fields)
  return data


@pytest.fixture
def folder(tmp_path):
  """A folder `photos` of five pictures, two of which cannot be read."""
  photos = tmp_path / "photos"
  photos.mkdir()
  for index in range(3):
    images.write(photos / f"{index}.png", pictures.noise(20, 30, index))
  (photos / "empty.jpg").touch()
  (photos / "text.jpg").write_text("no picture")
  return photos


def taken(iterator, count):
  try:
    return list(itertools.islice(iterator, count))
  finally:
    iterator.close()


@pytest.fixture
def numbered():
  """Ten pictures that hold their own number."""
  return np.arange(10, dtype=np.uint8)[:, None, None, None] * np.ones(
    (1, 2, 2, 3), np.uint8
  )


@hypothesis.given(
  count=strategies.integers(1, 60),
  batch_size=strategies.integers(1, 60),
  seed=strategies.integers(0, 2**32 - 1),
)
@hypothesis.settings(max_examples=30, deadline=None)
def test_every_epoch_shows_every_picture_once(count, batch_size, seed):
  hypothesis.assume(batch_size <= count)
  order = pipeline.order(count, batch_size=batch_size, seed=seed)
  steps = -(-3 * count // batch_size)
  shown = np.concatenate([order[step] for step in range(steps)])
  for epoch in range(3):
    part = shown[epoch * count : (epoch + 1) * count]
    assert sorted(part) == list(range(count))


def test_every_batch_is_whole():
  order = pipeline.order(10, batch_size=4, seed=0)
  assert {len(order[step]) for step in range(20)} == {4}


def test_epochs_differ():
  order = pipeline.order(100, batch_size=100, seed=0)
  epochs = [tuple(order[step].tolist()) for step in range(5)]
  assert len(set(epochs)) == 5


def test_neighbouring_seeds_share_no_epoch():
  epochs = {
    tuple(pipeline.order(100, batch_size=100, seed=seed)[step].tolist())
    for seed in range(5)
    for step in range(5)
  }
  assert len(epochs) == 25


def test_a_batch_depends_on_seed_and_step_alone():
  walked = pipeline.order(50, batch_size=8, seed=3)
  for step in range(40):
    walked[step]
  fresh = pipeline.order(50, batch_size=8, seed=3)
  for step in (39, 0, 17, 1_000_000):
    np.testing.assert_array_equal(walked[step], fresh[step], strict=True)


def test_the_order_is_the_one_of_earlier_versions():
  # Recorded; runs that continue rely on it.
  order = pipeline.order(10, batch_size=4, seed=0)
  assert [order[step].tolist() for step in range(3)] == [
    [8, 2, 7, 9],
    [3, 4, 0, 5],
    [6, 1, 6, 9],
  ]


def test_a_batch_larger_than_the_set_is_refused():
  with pytest.raises(ValueError, match="at most 3 pictures, got 4"):
    pipeline.order(3, batch_size=4, seed=0)


def test_batches_are_gathered_in_order(numbered):
  order = pipeline.order(10, batch_size=4, seed=0)
  batches = taken(pipeline.batches(numbered, order), 5)
  for step, batch in enumerate(batches):
    np.testing.assert_array_equal(batch, numbered[order[step]], strict=True)


@pytest.mark.parametrize("start", [1, 7, 1_000_000])
def test_batches_start_at_any_step(numbered, start):
  order = pipeline.order(10, batch_size=4, seed=0)
  (batch,) = taken(pipeline.batches(numbered, order, start=start), 1)
  np.testing.assert_array_equal(batch, numbered[order[start]], strict=True)


def test_batches_of_a_mapped_array_are_arrays_of_their_own(numbered, tmp_path):
  np.save(tmp_path / "a.npy", numbered)
  mapped = np.load(tmp_path / "a.npy", mmap_mode="r")
  order = pipeline.order(10, batch_size=4, seed=0)
  (batch,) = taken(pipeline.batches(mapped, order), 1)
  assert batch.flags.writeable
  assert batch.dtype == np.uint8


def test_pictures_have_the_configs_size(folder):
  loaded = pipeline.decode(data_section(folder), batch_size=2)
  assert loaded.array.shape == (3, 16, 16, 3)


def test_pictures_for_random_windows_are_an_eighth_larger(folder):
  data = data_section(folder, crop="random")
  assert pipeline.decode(data, batch_size=2).array.shape == (3, 18, 18, 3)


def test_skipped_pictures_are_listed_with_their_reasons(folder, tmp_path):
  pipeline.decode(data_section(folder), batch_size=2, report=tmp_path)
  reason = "is no picture in a known format; convert it to PNG or JPEG"
  assert (tmp_path / "skipped.txt").read_text().splitlines() == [
    f"{folder / 'empty.jpg'}\t{reason}",
    f"{folder / 'text.jpg'}\t{reason}",
  ]


def test_skipped_pictures_are_summed_up_in_one_line(folder, tmp_path, capsys):
  for _ in range(2):
    capsys.readouterr()
    pipeline.decode(data_section(folder), batch_size=2, report=tmp_path)
    lines = capsys.readouterr().err.splitlines()
    (line,) = [line for line in lines if "skipped" in line]
    assert "skipped 2 of 5 pictures" in line
    assert str(tmp_path / "skipped.txt") in line


def test_the_list_of_skipped_goes_when_all_is_mended(folder, tmp_path):
  data = data_section(folder)
  pipeline.decode(data, batch_size=2, report=tmp_path)
  (folder / "empty.jpg").unlink()
  (folder / "text.jpg").unlink()
  pipeline.decode(data, batch_size=2, report=tmp_path)
  assert not (tmp_path / "skipped.txt").exists()


def test_fewer_pictures_than_a_batch_are_refused(folder):
  with pytest.raises(errors.UserError) as caught:
    pipeline.decode(data_section(folder), batch_size=4)
  assert str(caught.value) == (
    f"config.data.source=folder:{folder}: 3 readable pictures are fewer than "
    "config.train.batch_size=4; add pictures or make it smaller"
  )


def test_a_folder_without_a_readable_picture_is_refused(folder, tmp_path):
  for path in folder.glob("*.png"):
    path.unlink()
  with pytest.raises(errors.UserError, match="0 readable pictures"):
    pipeline.decode(data_section(folder), batch_size=1, report=tmp_path)
  assert (tmp_path / "skipped.txt").exists()


def test_an_unknown_crop_is_refused_by_the_fields_name(folder):
  with pytest.raises(errors.UserError, match=r"config\.data\.crop=middle"):
    pipeline.decode(data_section(folder, crop="middle"), batch_size=1)


@pictures.needs_shared
def test_a_folder_of_all_kinds_skips_the_broken_files(tmp_path):
  data = data_section(pictures.SHARED, cache=str(tmp_path / "cache"))
  data.source = f"folder:{pictures.SHARED / 'odd_broken'}"
  with pytest.raises(errors.UserError, match="0 readable pictures"):
    pipeline.decode(data, batch_size=1, report=tmp_path)
  assert len((tmp_path / "skipped.txt").read_text().splitlines()) == 12
