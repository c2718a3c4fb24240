"""Every format gives the same arrays, and damaged files are refused."""

import numpy as np
import pytest

from astgan.features import files
from tests.features import foreign


def assert_same(found, expected):
  assert found.keys() == expected.keys()
  for name in expected:
    np.testing.assert_array_equal(found[name], expected[name], strict=True)


@pytest.mark.parametrize("extension", files.READERS)
def test_arrays_come_back_and_a_truncated_file_is_refused(tmp_path, extension):
  path = tmp_path / f"a{extension}"
  arrays = foreign.keras_arrays("vgg19")
  foreign.write(path, arrays)
  assert_same(files.read(path), arrays)
  path.write_bytes(path.read_bytes()[:-200])
  with pytest.raises(ValueError, match="damaged or another format"):
    files.read(path)


@pytest.mark.parametrize(
  "place",
  [
    "model_weights/{layer}/{layer}/{part}:0",  # Keras 2, a whole model.
    "layers/functional/layers/{layer}/vars/{axes}",  # Keras 3.
  ],
)
def test_h5_of_other_versions_of_keras_comes_back(tmp_path, place):
  arrays = foreign.keras_arrays("vgg16")
  foreign.write_h5(tmp_path / "a.h5", arrays, place)
  assert_same(files.read(tmp_path / "a.h5"), arrays)


def test_quantized_kernels_are_looked_up(tmp_path):
  indices = np.array([0, 255, 7, 7], np.uint8).reshape(2, 2, 1, 1)  # OIHW.
  table = np.linspace(-1, 1, 256, dtype=np.float32)
  bias = np.float32([5, 6])
  stored = {"block1_conv1_W_q": indices, "block1_conv1_W_table": table}
  stored["block1_conv1_b"] = bias
  foreign.write_torch(tmp_path / "a.bin", stored, legacy=True)
  kernel = np.float32([[[[-1, table[7]], [1, table[7]]]]])  # HWIO.
  assert_same(
    files.read_quantized(tmp_path / "a.bin"),
    {"block1_conv1.kernel": kernel, "block1_conv1.bias": bias},
  )


@pytest.mark.parametrize("extension", files.READERS)
@pytest.mark.parametrize("content", [b"", b"not weights", b"\x80\x02}."])
def test_a_file_of_another_format_is_refused(tmp_path, extension, content):
  path = tmp_path / f"a{extension}"
  path.write_bytes(content)
  with pytest.raises(ValueError, match="damaged or another format"):
    files.read(path)


def test_an_array_of_objects_is_not_unpickled(tmp_path):
  np.savez(tmp_path / "a.npz", thing=np.array([{}], object))
  with pytest.raises(ValueError, match="damaged or another format"):
    files.read(tmp_path / "a.npz")


@pytest.mark.parametrize(
  ("name", "digits"),
  [
    ("vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5", "253f8cb5"),
    ("vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5", "6d6bbae1"),
    ("vgg19-dcbb9e9d.pth", "dcbb9e9d"),
    ("vgg16-397923af.pth", "397923af"),
  ],
)
def test_a_published_name_with_another_hash_is_refused(tmp_path, name, digits):
  for path in (tmp_path / name, tmp_path / "mine.pth"):
    path.write_bytes(b"another")
  with pytest.raises(ValueError, match=f"expected {digits}"):
    files.check_published(tmp_path / name)
  files.check_published(tmp_path / "mine.pth")
