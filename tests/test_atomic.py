"""Files are written whole or not at all."""

import errno
import fcntl
import os
import subprocess
import sys

import pytest

from astgan import atomic, runs
from configs import smoke


def names_in(folder):
  return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced_by_the_whole_new_one_or_not_at_all(tmp_path):
  path = tmp_path / "file.txt"
  path.write_text("old")

  def stumble():
    with atomic.replacing(path) as temporary:
      temporary.write_text("ne")
      assert path.read_text() == "old"
      raise RuntimeError

  with pytest.raises(RuntimeError):
    stumble()
  assert (path.read_text(), names_in(tmp_path)) == ("old", ["file.txt"])
  atomic.write(path, b"new")
  assert (path.read_bytes(), names_in(tmp_path)) == (b"new", ["file.txt"])


def test_a_written_file_may_be_read_as_any_other(tmp_path):
  (tmp_path / "plain").write_text("")
  atomic.write(tmp_path / "ours", b"")
  modes = {os.stat(path).st_mode for path in tmp_path.iterdir()}
  assert len(modes) == 1


# Writes two files, and dies while it writes the second one.
KILLED = """
import os, pathlib, signal, sys
from astgan import atomic

folder = pathlib.Path(sys.argv[1])
atomic.write(folder / "a.png", b"whole")
with atomic.replacing(folder / sys.argv[2]) as temporary:
  temporary.write_bytes(b"part")
  os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("name", ["a.png", "b.tar.gz"])
def test_what_a_killed_process_left_is_swept_away(tmp_path, name):
  inside = tmp_path / "samples"
  inside.mkdir()
  (inside / ".hidden.png").touch()
  (inside / ".a.png.settings").touch()
  kept = {".hidden.png", ".a.png.settings", "a.png"}
  subprocess.run([sys.executable, "-c", KILLED, inside, name])
  (left,) = {*names_in(inside)} - kept
  assert left.startswith(f".{name}.")
  atomic.sweep(tmp_path)
  assert {*names_in(inside)} == kept
  assert (inside / "a.png").read_bytes() == b"whole"


def test_a_long_name_is_cut_in_the_temporary_one(tmp_path):
  # Of 251 bytes; the 200th is the first of two of a letter.
  path = tmp_path / f"a{'é' * 123}.png"
  with atomic.replacing(path) as temporary:
    temporary.write_bytes(b"whole")
  assert path.read_bytes() == b"whole"
  temporary.touch()
  atomic.sweep(tmp_path)
  assert names_in(tmp_path) == [path.name]


def test_a_run_that_starts_sweeps_its_folder(tmp_path):
  (tmp_path / "samples").mkdir()
  (tmp_path / "samples" / ".step_00000004.png.ab_4cdef.png").touch()
  runs.open_run(tmp_path, smoke.get_config())
  assert names_in(tmp_path / "samples") == []


def test_what_a_living_process_writes_is_not_swept_away(tmp_path):
  with atomic.replacing(tmp_path / "a.png") as temporary:
    temporary.write_bytes(b"whole")
    atomic.sweep(tmp_path)
    assert names_in(tmp_path) == [temporary.name]
  assert (tmp_path / "a.png").read_bytes() == b"whole"


def test_a_file_that_is_swept_before_it_is_locked_is_made_anew(
  tmp_path, monkeypatch
):
  flock, swept = fcntl.flock, []

  def be_late(file, operation):
    if not swept:
      swept.append(file.name)
      os.unlink(file.name)
    flock(file, operation)

  monkeypatch.setattr(fcntl, "flock", be_late)
  atomic.write(tmp_path / "a.png", b"whole")
  assert swept and names_in(tmp_path) == ["a.png"]


def test_where_there_are_no_locks_nothing_is_swept_away(tmp_path, monkeypatch):
  def refuse(file, operation):
    raise OSError(errno.ENOLCK, "No locks available")

  monkeypatch.setattr(fcntl, "flock", refuse)
  with atomic.replacing(tmp_path / "a.png") as temporary:
    atomic.sweep(tmp_path)
    assert temporary.exists()
