"""The images of a source as one array of bytes, decoded once and cached."""

import concurrent.futures
import contextlib
import errno
import functools
import hashlib
import json
import logging
import multiprocessing
import os
import pathlib
import shutil
import signal
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

import numpy as np
import platformdirs
import tqdm
from jaxtyping import UInt8

from astgan import atomic, digests, errors, locks, runs
from astgan.data import images, sources

logger = logging.getLogger(__name__)

# Increase it with any change to the decoding or to the format of an entry.
VERSION = 6

_READ_ONLY = (errno.EACCES, errno.EPERM, errno.EROFS)

# Images decoded before they are written: few enough to keep in memory.
BLOCK = 256


class Decoded(NamedTuple):
  """All images of a source.

  Attributes:
    array: read-only squares in the order of the source, mapped from disk.
    skipped: name and reason of each image that could not be read.
    sha256: of the bytes of the array.
  """

  array: UInt8[np.ndarray, "n s s 3"]
  skipped: tuple[tuple[str, str], ...]
  sha256: str

  @property
  def fingerprint(self) -> dict[str, int | str]:
    """Count and digest of the images, as JSON has them."""
    return {"count": len(self.array), "sha256": self.sha256}


def folder(cache: str) -> pathlib.Path:
  """The folder that `data.cache` names."""
  if cache == "auto":
    return pathlib.Path(platformdirs.user_cache_dir("astgan"), "images")
  return pathlib.Path(cache).expanduser()


def load(source: sources.Source, *, side: int, cache: pathlib.Path) -> Decoded:
  """The images of the source as centre squares, decoded unless in the cache.

  An entry of the cache is a folder that is renamed to its name when complete,
  so any number of runs may share a cache. Of several processes that want the
  same entry one makes it, and the others wait. Where the cache can only be read
  the images are decoded for this process alone.

  Args:
    source: where the images come from.
    side: of the squares, in pixels.
    cache: the folder of all entries.

  Raises:
    UserError: the cache cannot be a folder.
  """
  entry = cache / f"{source.signature[:40]}-{side}-{VERSION}"
  is_new = not os.path.isdir(entry)
  if _is_whole(entry):
    return _read(entry, source)
  with contextlib.ExitStack() as stack:
    try:
      cache.mkdir(parents=True, exist_ok=True)
      _sweep(cache)
      waited = stack.enter_context(locks.held(_lock(entry)))
      # Another process may have made it since.
      if (waited or is_new) and _is_whole(entry):
        return _read(entry, source)
      partial = cache / f"{entry.name}.{uuid.uuid4().hex}.partial"
      partial.mkdir()
      _discard(entry)
    except OSError as error:
      if error.errno in _READ_ONLY:
        return _without_cache(source, side, error)
      if not runs.is_avoidable(error):
        raise
      raise errors.UserError(
        f"config.data.cache={cache}: cannot be written ({error.strerror}); "
        "name another folder"
      ) from error
    try:
      _decode(source, side, partial)
      _publish(partial, entry)
    finally:
      shutil.rmtree(partial, ignore_errors=True)
  return _read(entry, source)


def _lock(entry: pathlib.Path) -> pathlib.Path:
  """Held by the process that makes the entry."""
  return entry.with_name(f"{entry.name}.lock")


def _without_cache(
  source: sources.Source, side: int, reason: OSError
) -> Decoded:
  """The images in a file that is deleted at once, but stays mapped."""
  logger.warning(
    f"{reason.filename} cannot be written ({reason.strerror}): {source.name} is"
    " decoded for this run only; name another config.data.cache to keep it"
  )
  with tempfile.TemporaryDirectory(prefix="astgan-") as folder:
    _decode(source, side, pathlib.Path(folder))
    return _read(pathlib.Path(folder), source)


def _read(entry: pathlib.Path, source: sources.Source) -> Decoded:
  described = json.loads((entry / "entry.json").read_text())
  return Decoded(
    np.load(entry / "images.npy", mmap_mode="r"),
    # By number, since an entry outlives the folder that the images were in.
    tuple((source.labels[i], reason) for i, reason in described["skipped"]),
    described["sha256"],
  )


def _decode(source: sources.Source, side: int, partial: pathlib.Path) -> None:
  """Writes images.npy, entry.json and their digests."""
  count = len(source.labels)
  square = functools.partial(_square, source.read, side)
  skipped = []
  digest = hashlib.sha256()
  path = partial / "images.npy"
  with atomic.naming(path):
    with (
      open(path, "wb") as file,
      _naming_lost_workers(source),
      _workers(source) as workers,
      tqdm.tqdm(total=count, desc="decoding", unit=" images") as progress,
    ):
      _write_header(file, 0, side)
      for start in range(0, count, BLOCK):
        block = range(start, min(start + BLOCK, count))
        for index, image in zip(block, workers.map(square, block), strict=True):
          if isinstance(image, str):
            name = source.labels[index]
            skipped.append((index, image.removeprefix(f"{name}: ")))
          else:
            data = image.tobytes()
            file.write(data)
            digest.update(data)
          progress.update()
      # numpy pads its header so that the first axis may grow in place.
      file.seek(0)
      _write_header(file, count - len(skipped), side)
      file.flush()
      os.fsync(file.fileno())
    described = {"sha256": digest.hexdigest(), "skipped": skipped}
    (partial / "entry.json").write_text(json.dumps(described))
    digests.write(partial)
  if source.sign and source.sign() != source.signature:
    raise errors.UserError(
      f"{source.name}: its files were changed while they were decoded; start"
      " again when they no longer change"
    )


def _workers(source: sources.Source) -> concurrent.futures.Executor:
  """Threads for decoders, which release the GIL; processes for Python."""
  count = min(8, os.cpu_count() or 1)
  if source.in_python and len(source.labels) > BLOCK:
    # Spawning takes seconds, but forked processes would copy the locks of JAX.
    return concurrent.futures.ProcessPoolExecutor(
      count,
      mp_context=multiprocessing.get_context("spawn"),
      initializer=_begin_worker,
    )
  return concurrent.futures.ThreadPoolExecutor(count)


def _begin_worker() -> None:
  """Leaves Ctrl-C to the parent process, and ends with it."""
  signal.signal(signal.SIGINT, signal.SIG_IGN)

  def follow() -> None:
    multiprocessing.parent_process().join()
    os._exit(1)

  threading.Thread(target=follow, daemon=True).start()


@contextlib.contextmanager
def _naming_lost_workers(source: sources.Source) -> Iterator[None]:
  try:
    yield
  except concurrent.futures.BrokenExecutor as error:
    raise ChildProcessError(
      f"{source.name}: a process that makes its images was killed, perhaps for"
      " its memory; start the same command again"
    ) from error


def _square(
  read: Callable[[int], images.Pixels], side: int, index: int
) -> images.Pixels | str:
  """The centre square of the image at that size, or why it is unreadable."""
  try:
    image = read(index)
  except errors.UserError as error:
    return str(error)
  return images.resize(images.centre_square(image), side, side)


def _write_header(file: BinaryIO, count: int, side: int) -> None:
  layout = {
    "descr": np.lib.format.dtype_to_descr(np.dtype(np.uint8)),
    "fortran_order": False,
    "shape": (count, side, side, 3),
  }
  np.lib.format.write_array_header_1_0(file, layout)


def _publish(partial: pathlib.Path, entry: pathlib.Path) -> None:
  """Renames the finished entry, unless another run was faster."""
  try:
    partial.rename(entry)
  except OSError:
    if not entry.is_dir():
      raise


def _is_whole(entry: pathlib.Path) -> bool:
  """Whether the entry is there and as it was written."""
  if not os.path.isdir(entry):  # Path.is_dir raises for names too long.
    return False
  try:
    if not digests.check(entry):
      raise digests.Damaged(f"{digests.NAME} is missing")
  except digests.Damaged as reason:
    logger.warning(f"{entry} is damaged ({reason}): decoding the images anew")
    return False
  return True


def _discard(entry: pathlib.Path) -> None:
  """Deletes a damaged entry; other runs keep what they have mapped."""
  doomed = entry.with_name(f"{entry.name}.{uuid.uuid4().hex}.partial")
  # Another run may have found the damage at the same time.
  with contextlib.suppress(FileNotFoundError):
    entry.rename(doomed)
    shutil.rmtree(doomed, ignore_errors=True)


def _sweep(cache: pathlib.Path) -> None:
  """Removes partial entries older than a day, left by runs that were killed.

  Clocks jump and images may be decoded for days: what another run still makes,
  as the lock of the entry says, is left.
  """
  for partial in cache.glob("*.partial"):
    entry = cache / partial.name.partition(".")[0]
    # Another run may sweep at the same time.
    with contextlib.suppress(FileNotFoundError, BlockingIOError):
      if partial.stat().st_mtime < time.time() - 86_400:
        with locks.held(_lock(entry), wait=False):
          shutil.rmtree(partial, ignore_errors=True)
