"""Hostile and broken inputs: each is taken or refused in one line.

  python -m tests.benchmarks.hostile [--inputs 600] [--seed 0]

Inputs in turn: a field of a page with a hostile value, through the front door;
an image file, a file of weights, or a file of a run folder, damaged at random;
the name of a source. Each is tried in a process of its own. It has to end with
status 0 or 2, without a traceback, within 2 GiB and a minute, or it is a hang.
After a field the program may also be at its work after 15 seconds: it decodes
images, or has a config.json. One line of JSON counts the inputs by kind and by
end; what is wrong is printed above.
"""

import argparse
import collections
import functools
import json
import os
import pathlib
import pickle
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator

import h5py
import ml_collections
import numpy as np
import safetensors.numpy

from astgan import errors, main, pages, runs, writer
from astgan.data import images, rgba, sources
from astgan.features import archives, files
from configs import gan
from tests import pictures

ROOT = pathlib.Path(__file__).parents[2]
WEIGHTS = ROOT / "tests" / "features" / "data"

MOST_BYTES, MOST_SECONDS, WORK_SECONDS = 2 * 2**30, 60, 15

VALUES = (
  *("99999999999999999999", "-1", "0", "1e308", "1e-320", "nan", "inf", "-inf"),
  *("", "''", "None", "()", "('',)", "(0,)*9", "[]", "{}", "True", "x" * 5000),
  *(
    "../../../etc/passwd",
    "/dev/null",
    "/proc/self/mem",
    "\0",
    "ä\n\r\t",
    "%s",
  ),
  *("folder:", "folder:/dev", "tfds:", "tfds:a/b/c:d:e", "lambda: 1", "1_0"),
  *("~no_user", "folder:~no_user"),
)

READERS = (archives.read_torch, archives.read_numpy)

Input = tuple[str, str, Callable[[], int]]


def fields(draws: random.Random, folder: pathlib.Path) -> Iterator[Input]:
  """Fields of pages; first those that once did harm."""
  large = VALUES[0]
  for page, name in (
    ("smoke", "data.count"), ("fast", "paint.steps"), ("sample", "sample.count")
  ):  # fmt: skip
    yield door(folder, page, name, large)
  names = [
    p.stem for p in (ROOT / "configs").glob("*.py") if p.stem != "common"
  ]
  while True:
    page = draws.choice(sorted(names))
    config, _ = pages.read([f"--config=configs/{page}.py"])
    name = draws.choice(sorted(flat(config)))
    yield door(folder, page, name, draws.choice(VALUES))


def flat(config: ml_collections.ConfigDict, prefix: str = "") -> Iterator[str]:
  for name, value in config.items():
    if isinstance(value, ml_collections.ConfigDict):
      yield from flat(value, f"{prefix}{name}.")
    else:
      yield prefix + name


def door(folder: pathlib.Path, page: str, name: str, value: str) -> Input:
  given = f"--config.{name}={value}"
  arguments = [
    f"--config=configs/{page}.py",
    f"--workdir={folder / 'run'}",
    # A page that names no input has one, so that it comes to the field.
    *(f"--config.paint.{x}={folder}/image.png" for x in ("content", "style")),
    given,
  ]
  if not name.startswith("paint") and page not in ("fast", "best", "nst"):
    arguments = [x for x in arguments if "paint" not in x]
  return "field", f"{page} {given[:90]!r}", lambda: main.main(arguments)


def damaged(draws: random.Random, data: bytes) -> bytes:
  """The bytes with some changed, cut, repeated, or put in other places."""
  data = bytearray(data)
  for _ in range(draws.choice((1, 1, 2, 8, 64))):
    kind, place = draws.randrange(5), draws.randrange(len(data) + 1)
    other = draws.randrange(len(data) + 1)
    if kind == 0 and place < len(data):
      data[place] = draws.randrange(256)
    elif kind == 1:
      data[place : place + 4] = draws.choice(
        (b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f")
      )
    elif kind == 2:
      data = data[: max(place, 8)]
    elif kind == 3:
      data[place:place] = data[other : other + 64]
    else:
      del data[place : place + draws.randrange(16)]
  return bytes(data)


def file_inputs(
  draws: random.Random,
  folder: pathlib.Path,
  kind: str,
  seeds: list[pathlib.Path],
  readers: tuple[Callable[[pathlib.Path], object], ...],
) -> Iterator[Input]:
  """Each seed as it is, then damaged ones."""
  for number in range(10**9) if seeds else ():
    seed = seeds[number % len(seeds)]
    data = seed.read_bytes()
    data = data if number < len(seeds) else damaged(draws, data)
    path, read = folder / f"input{seed.suffix}", draws.choice(readers)

    def attempt(path=path, data=data, read=read):
      path.write_bytes(data)
      read(path)
      return 0

    yield kind, f"{seed.name} {number}", attempt


def refusing(
  read: Callable[[pathlib.Path], object],
) -> Callable[[pathlib.Path], object]:
  """The reader of weights, whose refusals its callers put into words."""

  def refuse(path: pathlib.Path) -> None:
    try:
      read(path)
    except files.DAMAGE as error:
      raise errors.UserError(" ".join(str(error).split())) from error

  return refuse


def make_weights(folder: pathlib.Path) -> list[pathlib.Path]:
  """Small files of weights, one of each format."""
  arrays = {"a": np.ones((3, 3, 2, 4), np.float32), "b": np.zeros(4)}
  folder.mkdir()
  np.savez(folder / "small.npz", **arrays)
  np.savez_compressed(folder / "compressed.npz", **arrays)
  safetensors.numpy.save_file(arrays, folder / "small.safetensors")
  with h5py.File(folder / "small.h5", "w") as file:
    file["block1_conv1/kernel"], file["block1_conv1/bias"] = arrays.values()
  (folder / "small.pth").write_bytes(pickle.dumps({"a": [1, 2.5, "x" * 300]}))
  return sorted(folder.iterdir())


def source_names(draws: random.Random) -> Iterator[Input]:
  letters = "abc:/\\.~ \0\n%{}[]é💥" + "\ud800"
  while True:
    kind = draws.choice(("", "folder:nowhere/", "tfds:", "landscapes", "x:"))
    name = kind + "".join(
      draws.choices(letters, k=draws.choice((0, 1, 5, 300)))
    )
    data = gan.get_config().data
    data.update(source=name, count=3)

    def attempt(data=data):
      sources.open_source(data, side=8)
      return 0

    yield "source", repr(name)[:90], attempt


def run_files(draws: random.Random, folder: pathlib.Path) -> Iterator[Input]:
  config, lines = folder / "config.json", folder / "metrics.jsonl"
  config.write_text(json.dumps(gan.get_config().to_dict()))
  lines.write_text('{"step": 1, "a/loss": 2.5}\n{"step": 2, "a/loss": null}\n')
  for path, read in (
    (config, lambda path: runs.read_training(path.parent)),
    (lines, lambda path: writer.read(path.parent)),
  ):
    data = path.read_bytes()
    for number in range(1000):
      hostile = damaged(draws, data)

      def attempt(path=path, read=read, hostile=hostile):
        path.write_bytes(hostile)
        read(path)
        return 0

      yield "run folder", f"{path.name} {number}", attempt


def attempt_in_child(
  attempt: Callable[[], int], log: pathlib.Path
) -> tuple[str, str]:
  """How it ended, and what was said: tried in a forked process."""
  child = os.fork()
  if not child:
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    status = 1
    try:
      status = attempt()
    except errors.UserError as error:
      status = 2 if "\n" not in str(error) else 1
    except BaseException:
      traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
  started, hangs = time.monotonic(), False
  while not (ended := os.wait4(child, os.WNOHANG))[0]:
    if time.monotonic() - started > MOST_SECONDS:
      os.kill(child, signal.SIGKILL)
      hangs = True
    time.sleep(0.002)
  _, status, usage = ended
  said = log.read_text(errors="replace")
  if hangs:
    return "hang", said
  if usage.ru_maxrss * 1024 > MOST_BYTES:
    return f"memory {usage.ru_maxrss // 1024} MiB", said
  if os.WIFSIGNALED(status):
    return f"signal {os.WTERMSIG(status)}", said
  if "Traceback" in said or "Exception ignored" in said:
    return "traceback", said
  return {0: "taken", 2: "refused"}.get(
    os.WEXITSTATUS(status), "status 1"
  ), said


def limited(
  attempt: Callable[[], int], folder: pathlib.Path
) -> Callable[[], int]:
  """The attempt, which is well when it is at its work after some seconds.

  Args:
    attempt: a call of the program.
    folder: of its run and its cache.
  """

  def look(*_: object) -> None:
    decoded = (folder / "cache").rglob("*.partial/images.npy")
    at_work = any(path.stat().st_size > 2**13 for path in decoded)
    if at_work or (folder / "run" / "config.json").exists():
      os._exit(0)
    signal.alarm(1)

  def limited() -> int:
    signal.signal(signal.SIGALRM, look)
    signal.alarm(WORK_SECONDS)
    return attempt()

  return limited


def run_all() -> int:
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument("--inputs", type=int, default=600)
  parser.add_argument("--seed", type=int, default=0)
  options = parser.parse_args()
  os.chdir(ROOT)
  draws = random.Random(options.seed)
  folder = pathlib.Path(tempfile.mkdtemp(prefix="astgan-hostile-"))
  os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
  images.write(folder / "image.png", pictures.noise(48, 64))
  odd = [
    path
    for name in ("odd", "odd_broken")
    for path in sorted((pictures.SHARED / name).rglob("*"))
    if path.is_file() and path.suffix.lower() in images.SUFFIXES
  ]
  pickled = [p for p in sorted(WEIGHTS.rglob("*")) if p.suffix == ".pth"]
  weights = make_weights(folder / "weights") + pickled
  make = functools.partial(file_inputs, draws, folder)
  kinds = [
    fields(draws, folder),
    make("image", odd, (images.read, lambda p: rgba.decode(p, p.read_bytes()))),
    make("weights", weights, (refusing(files.read),)),
    make("pickle", pickled, tuple(map(refusing, READERS))),
    source_names(draws),
    run_files(draws, folder),
  ]
  ends, wrong = collections.Counter(), 0
  for number in range(options.inputs):
    found = next(kinds[number % len(kinds)], None)
    if found is None:
      continue
    kind, name, attempt = found
    if kind == "field":
      attempt = limited(attempt, folder)
      shutil.rmtree(folder / "run", ignore_errors=True)
      for partial in (folder / "cache").rglob("*.partial"):
        shutil.rmtree(partial)
    end, said = attempt_in_child(attempt, folder / "log")
    ends[f"{kind}: {end}"] += 1
    if end not in ("taken", "refused"):
      wrong += 1
      print(f"{kind} {name}: {end}\n{said[-1500:]}", flush=True)
  shutil.rmtree(folder)
  print(json.dumps({"inputs": ends.total(), "wrong": wrong, "ends": ends}))
  return min(wrong, 1)


if __name__ == "__main__":
  sys.exit(run_all())
