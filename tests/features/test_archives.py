"""Tensors come out of archives, and nothing in them runs."""

import os
import pickle

import numpy as np
import pytest

from astgan.features import archives
from tests.features import foreign


class Malice:
  """Leaves a file behind when an ordinary unpickler reads it."""

  def __init__(self, path):
    self.path = path

  def __reduce__(self):
    return os.mkdir, (str(self.path),)


ARRAYS = {
  "values": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
  "bytes": np.arange(6, dtype=np.uint8),
}
both_formats = pytest.mark.parametrize("legacy", [False, True])


@both_formats
def test_tensors_of_torch_save_come_back(tmp_path, monkeypatch, legacy):
  path = tmp_path / "a.pth"
  foreign.write_torch(path, ARRAYS, legacy=legacy, monkeypatch=monkeypatch)
  read = archives.read_torch(path)
  assert list(read) == list(ARRAYS)
  for name, expected in ARRAYS.items():
    np.testing.assert_array_equal(read[name], expected, strict=True)


@both_formats
def test_a_malicious_archive_is_refused_and_does_not_run(
  tmp_path, monkeypatch, legacy
):
  path, trace = tmp_path / "a.pth", tmp_path / "trace"
  arrays = ARRAYS | {"evil": Malice(trace)}
  foreign.write_torch(path, arrays, legacy=legacy, monkeypatch=monkeypatch)
  with pytest.raises(pickle.UnpicklingError, match=r"asks for posix\.mkdir"):
    archives.read_torch(path)
  assert not trace.exists()


def test_malice_in_the_place_of_the_magic_number_does_not_run(tmp_path):
  path, trace = tmp_path / "a.pth", tmp_path / "trace"
  path.write_bytes(pickle.dumps(Malice(trace)))
  with pytest.raises(pickle.UnpicklingError, match=r"asks for posix\.mkdir"):
    archives.read_torch(path)
  assert not trace.exists()


def test_the_malice_of_these_tests_is_real(tmp_path):
  pickle.loads(pickle.dumps(Malice(tmp_path / "trace")))
  assert (tmp_path / "trace").exists()


def test_a_cut_legacy_file_is_refused(tmp_path, monkeypatch):
  path = tmp_path / "a.pth"
  foreign.write_torch(path, ARRAYS, legacy=True, monkeypatch=monkeypatch)
  path.write_bytes(path.read_bytes()[:-3])
  with pytest.raises(pickle.UnpicklingError, match="cut short"):
    archives.read_torch(path)


def test_a_legacy_file_that_claims_more_than_it_has_takes_no_memory(
  tmp_path, monkeypatch
):
  path = tmp_path / "a.pth"
  # No memory is touched for these 4 TB, and few bytes of them are written.
  claim = np.lib.stride_tricks.as_strided(
    np.zeros(1, np.float32), (10**12,), (0,)
  )
  monkeypatch.setattr(foreign, "raw", lambda array: b"")
  foreign.write_torch(
    path, {"claim": claim}, legacy=True, monkeypatch=monkeypatch
  )
  with pytest.raises(pickle.UnpicklingError, match="cut short"):
    archives.read_torch(path)


def test_tensors_with_gaps_or_turned_axes_are_refused(tmp_path, monkeypatch):
  path = tmp_path / "a.pth"
  turned = {"turned": ARRAYS["values"].T}
  foreign.write_torch(path, turned, legacy=False, monkeypatch=monkeypatch)
  with pytest.raises(pickle.UnpicklingError, match="not contiguous"):
    archives.read_torch(path)


def test_another_zip_archive_is_refused(tmp_path):
  np.savez(tmp_path / "a.npz", **ARRAYS)
  with pytest.raises(pickle.UnpicklingError, match="not made by torch"):
    archives.read_torch(tmp_path / "a.npz")


def test_another_pickle_is_refused(tmp_path):
  (tmp_path / "a.pth").write_bytes(pickle.dumps(7))
  with pytest.raises(pickle.UnpicklingError, match="not made by torch"):
    archives.read_torch(tmp_path / "a.pth")


@pytest.mark.parametrize("protocol", [3, 4])
def test_pickled_arrays_come_back(tmp_path, protocol):
  path = tmp_path / "a.ckpt"
  path.write_bytes(pickle.dumps({"deep": ARRAYS}, protocol))
  read = archives.read_numpy(path)["deep"]
  for name, expected in ARRAYS.items():
    np.testing.assert_array_equal(read[name], expected, strict=True)


def test_a_malicious_pickle_is_refused_and_does_not_run(tmp_path):
  path, trace = tmp_path / "a.ckpt", tmp_path / "trace"
  path.write_bytes(pickle.dumps({"array": ARRAYS, "evil": Malice(trace)}))
  with pytest.raises(pickle.UnpicklingError, match=r"asks for posix\.mkdir"):
    archives.read_numpy(path)
  assert not trace.exists()
