"""Every format gives the same arrays, and damage is said."""

import pickle

import h5py
import numpy as np
import pytest
import safetensors.numpy

from astgan.features import convert, files
from tests.features import foreign

pytestmark = pytest.mark.usefixtures("narrow")


def assert_same(read, expected):
  assert read.keys() == expected.keys()
  for name in expected:
    np.testing.assert_array_equal(read[name], expected[name], strict=True)


def test_safetensors_come_back(tmp_path):
  arrays = foreign.torchvision_arrays("vgg16")
  safetensors.numpy.save_file(arrays, tmp_path / "a.safetensors")
  assert_same(files.read(tmp_path / "a.safetensors"), arrays)


def test_npz_comes_back(tmp_path):
  arrays = foreign.torchvision_arrays("vgg16")
  np.savez(tmp_path / "a.npz", **arrays)
  assert_same(files.read(tmp_path / "a.npz"), arrays)


@pytest.mark.parametrize("legacy", [False, True])
def test_pth_comes_back(tmp_path, monkeypatch, legacy):
  arrays = foreign.torchvision_arrays("vgg16")
  path = tmp_path / "a.pth"
  foreign.write_torch(path, arrays, legacy=legacy, monkeypatch=monkeypatch)
  assert_same(files.read(path), arrays)


def test_keras_h5_comes_back(tmp_path):
  arrays = foreign.keras_arrays("vgg19")
  foreign.write_keras(tmp_path / "a.h5", arrays)
  assert_same(files.read(tmp_path / "a.h5"), arrays)


@pytest.mark.parametrize(
  "place",
  [
    "model_weights/{layer}/{layer}/{part}:0",  # Keras 2, a whole model.
    "layers/functional/layers/{layer}/vars/{number}",  # Keras 3.
  ],
)
def test_h5_of_other_versions_of_keras_comes_back(tmp_path, place):
  arrays = foreign.keras_arrays("vgg16")
  with h5py.File(tmp_path / "a.h5", "w") as file:
    for name, array in arrays.items():
      layer, part = name.split(".")
      number = ["kernel", "bias"].index(part)
      file[place.format(layer=layer, part=part, number=number)] = array
  assert_same(files.read(tmp_path / "a.h5"), arrays)


def test_palettes_are_looked_up(tmp_path, monkeypatch):
  indices = np.array([0, 255, 7, 7], np.uint8).reshape(2, 2, 1, 1)  # OIHW.
  table = np.linspace(-1, 1, 256, dtype=np.float32)
  stored = {
    "block1_conv1_W_q": indices,
    "block1_conv1_W_table": table,
    "block1_conv1_b": np.float32([5, 6]),
  }
  path = tmp_path / "a.bin"
  foreign.write_torch(path, stored, legacy=True, monkeypatch=monkeypatch)
  arrays = files.read_palette(path)
  # HWIO: the first axis is the output's no more.
  expected = [[[[-1, table[7]], [1, table[7]]]]]
  np.testing.assert_array_equal(
    arrays["block1_conv1.kernel"], np.float32(expected), strict=True
  )
  np.testing.assert_array_equal(
    arrays["block1_conv1.bias"], np.float32([5, 6]), strict=True
  )


def test_a_flax_networks_numbered_layers_get_torchvisions_names(tmp_path):
  expected = foreign.torchvision_arrays("vgg16")
  names = convert.torchvision_names("vgg16")
  layers = {
    f"Conv_{index}": {
      "kernel": np.ascontiguousarray(expected[kernel].transpose(2, 3, 1, 0)),
      "bias": expected[bias],
    }
    for index, (kernel, bias) in enumerate(names.values())
  }
  path = tmp_path / "a.ckpt"
  path.write_bytes(pickle.dumps({"VGG16_0": layers, "Net_0": {}}, 3))
  assert_same(files.read_flax(path, names), expected)


@pytest.mark.parametrize("ending", files.READERS)
@pytest.mark.parametrize("content", [b"", b"no weights at all", b"\x80\x02}."])
def test_a_file_of_another_kind_is_refused(tmp_path, ending, content):
  path = tmp_path / f"a{ending}"
  path.write_bytes(content)
  with pytest.raises(ValueError, match="damaged or of another kind"):
    files.read(path)


@pytest.mark.parametrize("ending", files.READERS)
def test_a_cut_file_is_refused(tmp_path, monkeypatch, ending):
  path = tmp_path / f"a{ending}"
  arrays = foreign.keras_arrays("vgg16")
  if ending == ".pth":
    foreign.write_torch(path, arrays, legacy=False, monkeypatch=monkeypatch)
  elif ending == ".h5":
    foreign.write_keras(path, arrays)
  elif ending == ".npz":
    np.savez(path, **arrays)
  else:
    safetensors.numpy.save_file(arrays, path)
  path.write_bytes(path.read_bytes()[:-200])
  with pytest.raises(ValueError, match="damaged or of another kind"):
    files.read(path)


def test_an_array_of_objects_is_not_unpickled(tmp_path):
  np.savez(tmp_path / "a.npz", thing=np.array([{}], object))
  with pytest.raises(ValueError, match="damaged or of another kind"):
    files.read(tmp_path / "a.npz")


def test_an_unknown_ending_is_refused_with_the_known_ones(tmp_path):
  with pytest.raises(ValueError, match=r"none of \.safetensors, \.npz, \.h5"):
    files.read(tmp_path / "a.ckpt")


def test_a_missing_file_is_told_apart_from_a_damaged_one(tmp_path):
  with pytest.raises(FileNotFoundError):
    files.read(tmp_path / "a.npz")


@pytest.mark.parametrize("name", files.PUBLISHED)
def test_a_published_name_on_another_file_is_refused(tmp_path, name):
  path = tmp_path / name
  path.write_bytes(b"another")
  with pytest.raises(ValueError, match=f"the published one's {name[6:14]}|md5"):
    files.check_published(path)


def test_any_other_name_is_free(tmp_path):
  path = tmp_path / "mine.pth"
  path.write_bytes(b"anything")
  files.check_published(path)
