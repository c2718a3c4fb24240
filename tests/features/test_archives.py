"""Archives give their tensors, and no code in them runs."""

import os
import pickle
import zipfile

import numpy as np
import pytest

from astgan.features import archives
from tests.features import foreign


class Malice:
  """Makes a folder when an ordinary unpickler reads it."""

  def __init__(self, path):
    self.path = path

  def __reduce__(self):
    return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("name", ["zip.pth", "legacy.pth"])
def test_tensors_of_torch_save_come_back(name):
  found = archives.read_torch(foreign.DATA / name)
  foreign.assert_same(found, foreign.ARRAYS)


@pytest.mark.parametrize("protocol", [3, 4])
def test_pickled_arrays_come_back(tmp_path, protocol):
  (tmp_path / "a").write_bytes(pickle.dumps(foreign.ARRAYS, protocol))
  foreign.assert_same(archives.read_numpy(tmp_path / "a"), foreign.ARRAYS)


def write_zip(path, pickled):
  with zipfile.ZipFile(path, "w") as archive:
    archive.writestr("archive/data.pkl", pickled)


def write_legacy(path, pickled):
  magic, rest = (0x1950A86A20F9469CFC6C, 1001), {"little_endian": True}
  headers = b"".join(pickle.dumps(header, 2) for header in (*magic, rest))
  path.write_bytes(headers + pickled)


def write_plain(path, pickled):
  path.write_bytes(pickled)


@pytest.mark.parametrize(
  ("write", "read"),
  [
    (write_zip, archives.read_torch),
    (write_legacy, archives.read_torch),
    (write_plain, archives.read_torch),
    (write_plain, archives.read_numpy),
  ],
)
def test_a_malicious_archive_is_refused_and_does_not_run(tmp_path, write, read):
  trace = tmp_path / "trace"
  pickled = pickle.dumps({"evil": Malice(trace)})
  write(tmp_path / "a", pickled)
  with pytest.raises(pickle.UnpicklingError, match=r"asks for posix\.mkdir"):
    read(tmp_path / "a")
  assert not trace.exists()
  pickle.loads(pickled)
  assert trace.exists()  # An ordinary unpickler runs it.


LEGACY = (foreign.DATA / "legacy.pth").read_bytes()
# 24, the count of the first storage, and a count of 4 TB.
COUNT, CLAIM = b"K\x18", b"\x8a\x06" + (10**12).to_bytes(6, "little")


@pytest.mark.parametrize(
  ("data", "reason"),
  [
    (LEGACY[:-3], "truncated"),
    (LEGACY.replace(COUNT, CLAIM), "truncated"),
    ((foreign.DATA / "transposed.pth").read_bytes(), "not contiguous"),
    (pickle.dumps(7), "not made by torch"),
  ],
)
def test_a_file_without_whole_contiguous_tensors_is_refused(
  tmp_path, data, reason
):
  (tmp_path / "a").write_bytes(data)
  with pytest.raises(pickle.UnpicklingError, match=reason):
    archives.read_torch(tmp_path / "a")


def test_a_zip_archive_of_other_things_is_refused(tmp_path):
  np.savez(tmp_path / "a.npz", **foreign.ARRAYS)
  with pytest.raises(pickle.UnpicklingError, match="not made by torch"):
    archives.read_torch(tmp_path / "a.npz")
