"""Archives give their tensors, and no code in them runs."""

import functools
import os
import pickle

import numpy as np
import pytest

from astgan.features import archives
from tests.features import foreign

ARRAYS = {
  "values": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
  "bytes": np.arange(6, dtype=np.uint8),
}
write_legacy = functools.partial(foreign.write_torch, legacy=True)


class Malice:
  """Makes a folder when an ordinary unpickler reads it."""

  def __init__(self, path):
    self.path = path

  def __reduce__(self):
    return os.mkdir, (str(self.path),)


def write_pickle(path, objects):
  path.write_bytes(pickle.dumps(objects, 3))


def write_npz(path, arrays):
  with path.open("wb") as file:
    np.savez(file, **arrays)


FORMATS = pytest.mark.parametrize(
  ("write", "read"),
  [
    (foreign.write_torch, archives.read_torch),
    (write_legacy, archives.read_torch),
    (write_pickle, archives.read_numpy),
  ],
)


@FORMATS
def test_arrays_come_back(tmp_path, write, read):
  write(tmp_path / "a", ARRAYS)
  found = read(tmp_path / "a")
  assert list(found) == list(ARRAYS)
  for name, expected in ARRAYS.items():
    np.testing.assert_array_equal(found[name], expected, strict=True)


@FORMATS
def test_a_malicious_archive_is_refused_and_does_not_run(tmp_path, write, read):
  path, trace = tmp_path / "a", tmp_path / "trace"
  write(path, ARRAYS | {"evil": Malice(trace)})
  with pytest.raises(pickle.UnpicklingError, match=r"asks for posix\.mkdir"):
    read(path)
  write_pickle(path, Malice(trace))  # In place of the magic number.
  with pytest.raises(pickle.UnpicklingError, match=r"asks for posix\.mkdir"):
    read(path)
  assert not trace.exists()
  pickle.loads(path.read_bytes())
  assert trace.exists()  # An ordinary unpickler runs it.


@pytest.mark.parametrize(
  ("write", "objects", "cut", "reason"),
  [
    (write_legacy, ARRAYS, -3, "truncated"),
    (foreign.write_torch, {"a": ARRAYS["values"].T}, None, "not contiguous"),
    (write_npz, ARRAYS, None, "not made by torch"),
    (write_pickle, 7, None, "not made by torch"),
  ],
)
def test_a_file_without_whole_tensors_is_refused(
  tmp_path, write, objects, cut, reason
):
  path = tmp_path / "a"
  write(path, objects)
  path.write_bytes(path.read_bytes()[:cut])
  with pytest.raises(pickle.UnpicklingError, match=reason):
    archives.read_torch(path)


def test_a_legacy_file_that_claims_4_terabytes_allocates_nothing(
  tmp_path, monkeypatch
):
  claim = np.broadcast_to(np.float32(0), (10**12,))
  monkeypatch.setattr(foreign, "raw", lambda array: b"")
  write_legacy(tmp_path / "a", {"claim": claim})
  with pytest.raises(pickle.UnpicklingError, match="truncated"):
    archives.read_torch(tmp_path / "a")
