"""Archives give their tensors, and no code in them runs."""

import pathlib
import pickle
import zipfile

import pytest

from astgan.features import archives
from tests.features import foreign


def test_arrays_of_torch_and_numpy_come_back(tmp_path):
  (tmp_path / "a").write_bytes(pickle.dumps(foreign.ARRAYS, 3))
  foreign.assert_same(archives.read_numpy(tmp_path / "a"), foreign.ARRAYS)
  for name in ("zip.pth", "legacy.pth"):
    found = archives.read_torch(foreign.DATA / name)
    foreign.assert_same(found, foreign.ARRAYS)


def test_a_transposed_tensor_comes_back():
  found = archives.read_torch(foreign.DATA / "transposed.pth")
  foreign.assert_same(found, {"values": foreign.ARRAYS["values"].T})


def write_zip(path, pickled):
  with zipfile.ZipFile(path, "w") as archive:
    archive.writestr("archive/data.pkl", pickled)


def write_legacy(path, pickled):
  headers = (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True})
  path.write_bytes(b"".join(map(pickle.dumps, headers)) + pickled)


@pytest.mark.parametrize(
  ("write", "read"),
  [
    (write_zip, archives.read_torch),
    (write_legacy, archives.read_torch),
    (pathlib.Path.write_bytes, archives.read_torch),
    (pathlib.Path.write_bytes, archives.read_numpy),
  ],
)
def test_a_malicious_archive_is_refused_and_does_not_run(tmp_path, write, read):
  trace = tmp_path / "trace"
  pickled = b"cposix\nmkdir\n(V%s\ntR." % bytes(trace)
  write(tmp_path / "a", pickled)
  with pytest.raises(pickle.UnpicklingError, match=r"asks for posix\.mkdir"):
    read(tmp_path / "a")
  assert not trace.exists()
  pickle.loads(pickled)
  assert trace.exists()  # An ordinary unpickler runs it.


LEGACY = (foreign.DATA / "legacy.pth").read_bytes()
STRIDES = b"K\x0cK\x04K\x01"  # 12, 4 and 1, of the first tensor.
# 24, the count of the first storage, and a count of 4 TB.
COUNT, CLAIM = b"K\x18", b"\x8a\x06" + (10**12).to_bytes(6, "little")


@pytest.mark.parametrize(
  ("data", "reason"),
  [
    (LEGACY[:-3], "truncated"),
    (LEGACY.replace(COUNT, CLAIM), "truncated"),
    (LEGACY.replace(STRIDES, b"K\x0cK\x04K\x02"), "tensors with gaps"),
    (pickle.dumps(7), "not made by torch"),
    (b"PK\5\6" + bytes(18), "not made by torch"),  # An empty zip archive.
  ],
)
def test_a_file_without_whole_dense_tensors_is_refused(tmp_path, data, reason):
  (tmp_path / "a").write_bytes(data)
  with pytest.raises(pickle.UnpicklingError, match=reason):
    archives.read_torch(tmp_path / "a")
