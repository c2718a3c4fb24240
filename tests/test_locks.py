"""Locks between processes."""

import errno
import fcntl
import logging

import pytest

from astgan import locks


def test_a_lock_that_is_held_is_not_held_again(tmp_path):
  path = tmp_path / "lock"
  with (
    locks.held(path),
    pytest.raises(BlockingIOError),
    locks.held(path, wait=False),
  ):
    pass
  assert not path.exists()


def test_where_there_are_no_locks_it_is_said_once(
  tmp_path, monkeypatch, caplog
):
  def flock(file, operation):
    raise OSError(errno.ENOLCK, "No locks available")

  monkeypatch.setattr(fcntl, "flock", flock)
  with caplog.at_level(logging.WARNING):
    for _ in range(3):
      with locks.held(tmp_path / "lock") as waited:
        assert not waited
  assert caplog.text.count("knows no locks") == 1


def test_another_failure_is_raised(tmp_path, monkeypatch):
  def flock(file, operation):
    raise OSError(errno.EIO, "Input/output error")

  monkeypatch.setattr(fcntl, "flock", flock)
  with pytest.raises(OSError, match="Input/output"), locks.held(tmp_path / "l"):
    pass
