"""Files are written whole or not at all."""

import os

import pytest

from astgan import atomic


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
