import errno
import hashlib
import os
import threading
import time

import numpy as np
import pytest

from astgan import errors
from astgan.data import decoded, images, landscapes, sources
from configs import common
from tests import pictures


class Shelf:
  """A source of four pictures that counts how often it is read."""

  def __init__(self, signature="shelf", broken=()):
    self.reads = 0
    self.broken = broken
    self.source = sources.Source(
      name="shelf",
      labels=["zero", "one", "two", "three"],
      read=self.read,
      signature=signature,
    )

  def read(self, index):
    self.reads += 1
    if index in self.broken:
      raise errors.UserError(f"{self.source.labels[index]}: torn; mend it")
    return np.full((6 + index, 9, 3), 10 * index, np.uint8)


def test_pictures_become_squares_in_the_sources_order(tmp_path):
  loaded = decoded.load(Shelf().source, side=4, cache=tmp_path)
  assert loaded.array.shape == (4, 4, 4, 3)
  assert loaded.array.dtype == np.uint8
  assert loaded.array[:, 0, 0, 0].tolist() == [0, 10, 20, 30]


def test_a_picture_is_its_centre_square_resized(tmp_path):
  images.write(tmp_path / "a.png", pictures.noise(40, 60))
  data = common.get_config().data
  data.source = f"folder:{tmp_path}"
  source = sources.open_source(data, side=16)
  loaded = decoded.load(source, side=16, cache=tmp_path / "cache")
  expected = images.resize(pictures.noise(40, 60)[:, 10:50], 16, 16)
  np.testing.assert_array_equal(loaded.array[0], expected)


def test_pictures_are_decoded_once(tmp_path):
  first, second = Shelf(), Shelf()
  decoded.load(first.source, side=4, cache=tmp_path)
  loaded = decoded.load(second.source, side=4, cache=tmp_path)
  assert (first.reads, second.reads) == (4, 0)
  assert loaded.array[:, 0, 0, 0].tolist() == [0, 10, 20, 30]


def test_the_hash_is_that_of_the_bytes_first_decoded_or_found_again(tmp_path):
  for _ in range(2):
    loaded = decoded.load(Shelf().source, side=4, cache=tmp_path)
    expected = hashlib.sha256(loaded.array.tobytes()).hexdigest()
    assert loaded.sha256 == expected


@pytest.mark.parametrize(("signature", "side"), [("another", 4), ("shelf", 5)])
def test_other_pictures_or_sizes_are_decoded_anew(tmp_path, signature, side):
  decoded.load(Shelf().source, side=4, cache=tmp_path)
  other = Shelf(signature)
  decoded.load(other.source, side=side, cache=tmp_path)
  assert other.reads == 4


def test_another_version_of_the_decoder_decodes_anew(tmp_path, monkeypatch):
  decoded.load(Shelf().source, side=4, cache=tmp_path)
  monkeypatch.setattr(decoded, "VERSION", decoded.VERSION + 1)
  later = Shelf()
  decoded.load(later.source, side=4, cache=tmp_path)
  assert later.reads == 4


@pytest.mark.parametrize("start", ["first", "second"])
def test_unreadable_pictures_are_left_out_and_named(tmp_path, start):
  if start == "second":
    decoded.load(Shelf(broken=(0, 2)).source, side=4, cache=tmp_path)
  loaded = decoded.load(Shelf(broken=(0, 2)).source, side=4, cache=tmp_path)
  assert loaded.array[:, 0, 0, 0].tolist() == [10, 30]
  assert loaded.skipped == (("zero", "torn; mend it"), ("two", "torn; mend it"))


def test_a_source_without_a_readable_picture_gives_none(tmp_path):
  loaded = decoded.load(Shelf(broken=range(4)).source, side=4, cache=tmp_path)
  assert loaded.array.shape == (0, 4, 4, 3)
  assert len(loaded.skipped) == 4


def test_blocks_keep_the_order(tmp_path, monkeypatch):
  monkeypatch.setattr(decoded, "_BLOCK", 3)
  loaded = decoded.load(Shelf(broken=(1,)).source, side=4, cache=tmp_path)
  assert loaded.array[:, 0, 0, 0].tolist() == [0, 20, 30]


def test_the_array_lies_on_disk_and_is_read_only(tmp_path):
  loaded = decoded.load(Shelf().source, side=4, cache=tmp_path)
  assert isinstance(loaded.array, np.memmap)
  with pytest.raises(ValueError, match="read-only"):
    loaded.array[0] = 0


def test_processes_draw_what_a_thread_draws(tmp_path, monkeypatch):
  monkeypatch.setattr(decoded, "_BLOCK", 2)
  data = common.get_config().data
  data.source, data.count = "landscapes", 3
  source = sources.open_source(data, side=16)
  loaded = decoded.load(source, side=16, cache=tmp_path)
  for index in range(3):
    np.testing.assert_array_equal(
      loaded.array[index], landscapes.draw(index, size=16)
    )


def test_two_runs_may_decode_the_same_at_once(tmp_path):
  meet = threading.Barrier(2, timeout=20)
  results = []

  def run():
    shelf = Shelf()
    read = shelf.source.read

    def read_together(index):
      if index == 0:
        meet.wait()
      return read(index)

    source = sources.Source(
      "shelf", shelf.source.labels, read_together, "shelf"
    )
    results.append(decoded.load(source, side=4, cache=tmp_path))

  threads = [threading.Thread(target=run) for _ in range(2)]
  for thread in threads:
    thread.start()
  for thread in threads:
    thread.join()
  assert [r.array[:, 0, 0, 0].tolist() for r in results] == [
    [0, 10, 20, 30]
  ] * 2
  assert len(list(tmp_path.iterdir())) == 1


def test_an_interrupted_decoding_leaves_nothing(tmp_path):
  source = sources.Source("shelf", ["zero"], lambda _: 1 / 0, "shelf")
  with pytest.raises(ZeroDivisionError):
    decoded.load(source, side=4, cache=tmp_path)
  assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_with_the_files_name(tmp_path, monkeypatch):
  def full(_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

  monkeypatch.setattr(os, "fsync", full)
  with pytest.raises(OSError, match=r"No space left.*pictures\.npy"):
    decoded.load(Shelf().source, side=4, cache=tmp_path)
  assert list(tmp_path.iterdir()) == []


def test_what_killed_runs_left_long_ago_is_removed(tmp_path):
  old, new = tmp_path / "old.partial", tmp_path / "new.partial"
  for folder in (old, new):
    folder.mkdir()
  yesterday = time.time() - 2 * 86_400
  os.utime(old, (yesterday, yesterday))
  decoded.load(Shelf().source, side=4, cache=tmp_path)
  assert not old.exists()
  assert new.exists()


def test_a_cache_that_is_a_file_is_refused_by_the_fields_name(tmp_path):
  path = tmp_path / "cache"
  path.touch()
  with pytest.raises(errors.UserError, match=r"config\.data\.cache="):
    decoded.load(Shelf().source, side=4, cache=path)


def test_a_cache_on_a_read_only_disk_is_refused_by_the_fields_name(
  tmp_path, monkeypatch
):
  def refuse(*_, **__):
    raise OSError(errno.EROFS, os.strerror(errno.EROFS))

  monkeypatch.setattr(decoded.pathlib.Path, "mkdir", refuse)
  with pytest.raises(errors.UserError, match=r"config\.data\.cache="):
    decoded.load(Shelf().source, side=4, cache=tmp_path)


def test_the_cache_is_the_users_unless_named(tmp_path, monkeypatch):
  monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
  assert decoded.folder("auto") == tmp_path / "astgan" / "pictures"
  assert decoded.folder("/elsewhere").as_posix() == "/elsewhere"
