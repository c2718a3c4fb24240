"""Every format gives the same arrays, and damaged files are refused."""

import numpy as np
import pytest

from astgan.features import files
from tests.features import foreign


@pytest.mark.parametrize(
  ("extension", "place"),
  [
    (".safetensors", ""),
    (".npz", ""),
    (".h5", "{layer}/{layer}_{part[0]}_1:0"),  # A published file.
    (".h5", "model_weights/{layer}/{layer}/{part}:0"),  # A whole model.
    (".h5", "layers/functional/layers/{layer}/vars/{axes}"),  # Keras 3.
  ],
)
def test_the_arrays_of_a_file_come_back(tmp_path, extension, place):
  arrays = foreign.keras_arrays("vgg19")
  foreign.write(tmp_path / f"a{extension}", arrays, place)
  foreign.assert_same(files.read(tmp_path / f"a{extension}"), arrays)


def test_quantized_kernels_are_looked_up():
  found = files.read_quantized(foreign.DATA / "quantized.pth")
  # Indices [0, 255, 7, 9] of shape [1, 2, 2, 1], OIHW, into k / 255; to HWIO.
  kernel = np.float32([[[[0], [7]]], [[[255], [9]]]]) / np.float32(255)
  foreign.assert_same(found.pop("block1_conv1.kernel"), kernel)
  foreign.assert_same(found, {"block1_conv1.bias": np.float32([5])})


@pytest.mark.parametrize("extension", files.READERS)
@pytest.mark.parametrize("content", [b"", b"not weights", b"\x80\x02}.", None])
def test_a_file_that_is_truncated_or_of_another_format_is_refused(
  tmp_path, extension, content
):
  path = tmp_path / f"a{extension}"
  if content is None:
    foreign.write(path, foreign.keras_arrays("vgg16"))
    content = path.read_bytes()[:-200]
  path.write_bytes(content)
  with pytest.raises(ValueError, match="damaged or another format"):
    files.read(path)


def test_an_array_of_objects_is_not_unpickled(tmp_path):
  np.savez(tmp_path / "a.npz", thing=np.array([{}], object))
  with pytest.raises(ValueError, match="allow_pickle=False"):
    files.read(tmp_path / "a.npz")


@pytest.mark.parametrize("name", files.PUBLISHED)
def test_a_published_name_with_another_hash_is_refused(tmp_path, name):
  for path in (tmp_path / name, tmp_path / "mine.pth"):
    path.write_bytes(b"another")
  with pytest.raises(ValueError, match=f"expected {files.PUBLISHED[name][1]}"):
    files.check_published(tmp_path / name)
  files.check_published(tmp_path / "mine.pth")
