import dataclasses
import errno
import fcntl
import functools
import hashlib
import os
import pathlib
import threading
import time
from concurrent import futures

import numpy as np
import pytest

from astgan import errors
from astgan.data import decoded, images, landscapes, sources
from configs import gan
from tests import pictures


class Shelf:
  """A source of four images that counts how often it is read."""

  def __init__(self, signature="shelf", broken=()):
    self.reads, self.broken = 0, broken
    labels = ["zero", "one", "two", "three"]
    self.source = sources.Source("shelf", labels, self.read, signature)

  def read(self, index):
    self.reads += 1
    if index in self.broken:
      raise errors.UserError(f"{self.source.labels[index]}: torn; replace it")
    return pictures.noise(6 + index, 9, index)


def check_squares(array, indices=range(4), *, side=4):
  """Checks that the array holds the centre squares of the shelf's images."""
  assert array.shape == (len(indices), side, side, 3)
  for square, index in zip(array, indices, strict=True):
    left = (9 - (6 + index)) // 2
    image = pictures.noise(6 + index, 9, index)[:, left : left + 6 + index]
    expected = images.resize(image, side, side)
    np.testing.assert_array_equal(square, expected, strict=True)


def test_images_are_decoded_once_in_the_order_of_the_source(tmp_path):
  shelf = Shelf()
  for _ in range(2):
    loaded = decoded.load(shelf.source, side=4, cache=tmp_path)
    check_squares(loaded.array)
    assert loaded.sha256 == hashlib.sha256(loaded.array.tobytes()).hexdigest()
    assert isinstance(loaded.array, np.memmap)
    assert not loaded.array.flags.writeable
  assert shelf.reads == 4


@pytest.mark.parametrize(
  ("signature", "side", "version"),
  [("another", 4, 0), ("shelf", 5, 0), ("shelf", 4, 1)],
)
def test_other_images_sizes_or_decoders_are_decoded_anew(
  tmp_path, monkeypatch, signature, side, version
):
  decoded.load(Shelf().source, side=4, cache=tmp_path)
  monkeypatch.setattr(decoded, "VERSION", decoded.VERSION + version)
  loaded = decoded.load(Shelf(signature).source, side=side, cache=tmp_path)
  check_squares(loaded.array, side=side)
  assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("broken", [(0, 2), (0, 1, 2, 3)])
def test_unreadable_images_are_left_out_and_named(tmp_path, broken):
  shelf = Shelf(broken=broken)
  for _ in range(2):
    loaded = decoded.load(shelf.source, side=4, cache=tmp_path)
    check_squares(loaded.array, [i for i in range(4) if i not in broken])
    names = [shelf.source.labels[index] for index in broken]
    assert loaded.skipped == tuple((name, "torn; replace it") for name in names)


def test_processes_draw_what_a_thread_draws(tmp_path, monkeypatch):
  monkeypatch.setattr(decoded, "BLOCK", 2)
  data = gan.get_config().data
  data.source, data.count = "landscapes", 3
  source = sources.open_source(data, side=16)
  loaded = decoded.load(source, side=16, cache=tmp_path)
  expected = np.stack([landscapes.draw(i, size=16) for i in range(3)])
  np.testing.assert_array_equal(loaded.array, expected)


def test_of_two_runs_that_want_the_same_one_decodes_it(tmp_path, monkeypatch):
  shelf, both = Shelf(), threading.Barrier(2, timeout=20)
  flock, met = fcntl.flock, threading.local()

  def meet_and_lock(file, operation):
    if not hasattr(met, "once"):
      met.once = True
      both.wait()
    flock(file, operation)

  monkeypatch.setattr(fcntl, "flock", meet_and_lock)
  load = functools.partial(decoded.load, shelf.source, side=4, cache=tmp_path)
  with futures.ThreadPoolExecutor(2) as threads:
    runs = [threads.submit(load) for _ in range(2)]
  for run in runs:
    check_squares(run.result().array)
  assert shelf.reads == 4
  assert len(list(tmp_path.iterdir())) == 1


def test_a_cache_that_can_only_be_read_is_used_or_done_without(
  tmp_path, monkeypatch, caplog
):
  def refuse(self, *arguments, **options):
    raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(self))

  filled = decoded.load(Shelf().source, side=4, cache=tmp_path / "filled")
  monkeypatch.setattr(pathlib.Path, "mkdir", refuse)
  for name, reads in (("filled", 0), ("missing", 4)):
    shelf = Shelf()
    found = decoded.load(shelf.source, side=4, cache=tmp_path / name)
    check_squares(found.array)
    assert (found.sha256, shelf.reads) == (filled.sha256, reads)
  (told,) = caplog.messages
  assert "missing cannot be written (Read-only file system)" in told


def test_images_that_change_while_they_are_decoded_are_not_kept(tmp_path):
  source = dataclasses.replace(Shelf().source, sign=lambda: "shelf, rearranged")
  with pytest.raises(errors.UserError, match=r"shelf: .* changed while"):
    decoded.load(source, side=4, cache=tmp_path)
  assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_reported_with_its_file(tmp_path, monkeypatch):
  def full(_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

  monkeypatch.setattr(os, "fsync", full)
  with pytest.raises(OSError, match=r"No space left.*images\.npy"):
    decoded.load(Shelf().source, side=4, cache=tmp_path)
  assert list(tmp_path.iterdir()) == []


def flip(data):
  return data[:-9] + bytes([data[-9] ^ 1]) + data[-8:]


@pytest.mark.parametrize("damage", [flip, lambda data: data[:-9], None])
@pytest.mark.parametrize("name", ["images.npy", "entry.json", "sha256.json"])
def test_a_damaged_entry_is_named_and_decoded_anew(
  tmp_path, caplog, name, damage
):
  decoded.load(Shelf().source, side=4, cache=tmp_path)
  (entry,) = tmp_path.iterdir()
  if damage:
    (entry / name).write_bytes(damage((entry / name).read_bytes()))
  else:
    (entry / name).unlink()
  for _ in range(2):
    check_squares(decoded.load(Shelf().source, side=4, cache=tmp_path).array)
  assert list(tmp_path.iterdir()) == [entry]
  assert len(caplog.records) == 1
  assert f"{entry} is damaged" in caplog.text


def test_what_killed_runs_left_long_ago_is_removed(tmp_path):
  old, new = tmp_path / "old.partial", tmp_path / "new.partial"
  old.mkdir()
  new.mkdir()
  os.utime(old, (time.time() - 2 * 86_400,) * 2)
  decoded.load(Shelf().source, side=4, cache=tmp_path)
  assert not old.exists() and new.exists()


def test_a_cache_that_is_a_file_is_refused_by_its_field(tmp_path):
  (tmp_path / "cache").touch()
  with pytest.raises(errors.UserError, match=r"config\.data\.cache="):
    decoded.load(Shelf().source, side=4, cache=tmp_path / "cache")


def test_the_cache_is_in_the_home_folder_unless_named(tmp_path, monkeypatch):
  monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
  assert decoded.folder("auto") == tmp_path / "astgan" / "images"
  assert decoded.folder("/elsewhere").as_posix() == "/elsewhere"
