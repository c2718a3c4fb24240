import contextlib
import dataclasses
import errno
import fcntl
import functools
import hashlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent import futures

import numpy as np
import pytest

from astgan import errors, locks
from astgan.data import decoded, images, landscapes, sources
from configs import gan
from tests import pictures

ROOT = pathlib.Path(__file__).parents[2]


def opened(folder):
  data = gan.get_config().data
  data.source = f"folder:{folder}"
  return sources.open_source(data, side=4)


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


@pytest.mark.parametrize("cache", ["x" * 5000, os.devnull + "/x"])
def test_a_cache_that_cannot_be_a_folder_is_refused(cache):
  with pytest.raises(errors.UserError, match=r"config\.data\.cache=.* cannot"):
    decoded.load(Shelf().source, side=4, cache=pathlib.Path(cache))


def test_an_entry_that_is_made_just_before_the_lock_is_used(
  tmp_path, monkeypatch
):
  shelf, held = Shelf(), decoded.locks.held

  def held_later(path):
    monkeypatch.setattr(decoded.locks, "held", held)
    decoded.load(shelf.source, side=4, cache=tmp_path)
    return held(path)

  monkeypatch.setattr(decoded.locks, "held", held_later)
  check_squares(decoded.load(shelf.source, side=4, cache=tmp_path).array)
  assert shelf.reads == 4


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
  names = ("old.1.partial", "new.1.partial", "live.1.partial")
  old, new, live = (tmp_path / name for name in names)
  for path in (old, new, live):
    path.mkdir()
  for path in (old, live):
    os.utime(path, (time.time() - 2 * 86_400,) * 2)
  # Of a run that decodes for longer than a day, or before a jump of the clock.
  with locks.held(tmp_path / "live.lock"):
    decoded.load(Shelf().source, side=4, cache=tmp_path)
  assert not old.exists() and new.exists() and live.exists()


def test_what_a_run_decodes_is_in_a_partial_entry_under_its_lock(tmp_path):
  shelf, seen = Shelf(), []

  def read(index):
    seen.append(sorted(path.name for path in tmp_path.iterdir()))
    return shelf.read(index)

  source = dataclasses.replace(shelf.source, read=read)
  decoded.load(source, side=4, cache=tmp_path)
  partial, lock = sorted(seen[0], key=lambda name: name.endswith(".lock"))
  assert partial.endswith(".partial")
  assert lock == f"{partial.partition('.')[0]}.lock"


def test_a_folder_that_was_moved_or_copied_is_not_decoded_again(tmp_path):
  folder, cache = tmp_path / "before", tmp_path / "cache"
  (folder / "deep").mkdir(parents=True)
  for number, name in enumerate(("a", "deep/b")):
    images.write(folder / f"{name}.png", pictures.noise(6, 9, number))
  (folder / "broken.png").write_text("no image")
  first = decoded.load(opened(folder), side=4, cache=cache)
  (entry,) = cache.iterdir()
  folder.rename(tmp_path / "after")
  shutil.copytree(tmp_path / "after", tmp_path / "copied")
  for name in ("after", "copied"):
    source = dataclasses.replace(opened(tmp_path / name), read=pytest.fail)
    again = decoded.load(source, side=4, cache=cache)
    assert again.sha256 == first.sha256
    ((path, reason),) = again.skipped
    assert path == str(tmp_path / name / "broken.png")
    assert reason == first.skipped[0][1]
  assert list(cache.iterdir()) == [entry]


# Draws without end, in processes that write their numbers.
ENDLESS = """
import dataclasses, os, pathlib, sys, time
from astgan.data import decoded, sources

FOLDER = pathlib.Path(sys.argv[1])

def draw(index):
  (FOLDER / str(os.getpid())).touch()
  time.sleep(600)

if __name__ == "__main__":
  source = sources.Source(
    "endless", range(3), draw, "endless", in_python=True
  )
  decoded.BLOCK = 2
  try:
    decoded.load(source, side=4, cache=FOLDER / "cache")
  except OSError as error:
    print(error)
"""


@pytest.fixture
def drawing(tmp_path):
  """A process that draws, and those that draw for it."""
  (tmp_path / "endless.py").write_text(ENDLESS)
  command = [sys.executable, tmp_path / "endless.py", tmp_path]
  variables = os.environ | {"PYTHONPATH": str(ROOT)}
  workers = []
  with subprocess.Popen(
    command, env=variables, stdout=subprocess.PIPE
  ) as process:
    try:
      while len(workers) < min(2, os.cpu_count()) and process.poll() is None:
        time.sleep(0.1)
        workers = [int(x.name) for x in tmp_path.iterdir() if x.name.isdigit()]
      yield process, workers
    finally:
      process.kill()


def test_processes_that_draw_end_with_the_one_that_is_killed(drawing):
  process, workers = drawing
  process.kill()
  deadline = time.monotonic() + 60
  while any(map(is_alive, workers)) and time.monotonic() < deadline:
    time.sleep(0.1)
  assert workers and not any(map(is_alive, workers))


def test_a_process_that_draws_and_is_killed_is_one_line(drawing, tmp_path):
  process, workers = drawing
  # A pool sees the death of its first process; of others when one sends images.
  # Then it ends the others itself.
  for worker in workers:
    with contextlib.suppress(ProcessLookupError):
      os.kill(worker, signal.SIGKILL)
  told, _ = process.communicate(timeout=60)
  assert told.startswith(b"endless: a process that makes its images was killed")
  assert list((tmp_path / "cache").iterdir()) == []


def is_alive(number):
  """Whether a process runs; one that ended may wait for its new parent."""
  try:
    status = pathlib.Path(f"/proc/{number}/stat").read_text()
  except FileNotFoundError:
    return False
  return status.rpartition(")")[2].split()[0] != "Z"


def test_a_cache_that_is_a_file_is_refused_by_its_field(tmp_path):
  (tmp_path / "cache").touch()
  with pytest.raises(errors.UserError, match=r"config\.data\.cache="):
    decoded.load(Shelf().source, side=4, cache=tmp_path / "cache")


def test_the_cache_is_in_the_home_folder_unless_named(tmp_path, monkeypatch):
  monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
  assert decoded.folder("auto") == tmp_path / "astgan" / "images"
  assert decoded.folder("/elsewhere").as_posix() == "/elsewhere"
