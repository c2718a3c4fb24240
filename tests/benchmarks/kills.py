"""Kills with SIGKILL at random moments, and what the runs end with.

  python -m tests.benchmarks.kills [--trainings 40] [--paintings 10] [--seed 0]

A training is killed again and again: while images are decoded, some
milliseconds before, in and after the writing of a checkpoint, and anywhere. So
is a painting on two devices: anywhere, and soon after the state of a photograph
was saved. Each time it is started again, in another process, with the same
command. At the end it is compared, bit for bit, with one that was not killed:
the last checkpoint, the contact sheets and the lines of metrics.jsonl, or the
painted pictures. A difference is an error, and so are paintings of which none
goes on in the middle of a photograph. One line of JSON counts the kills.
"""

import argparse
import collections
import contextlib
import functools
import itertools
import json
import os
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable

import jax

from astgan import writer
from astgan.data import images
from astgan.nst import paint, unfinished
from astgan.train import loop
from configs import nst
from tests import pictures
from tests.train import tiny

# Measured, so not the same in two runs.
_MEASURED = ("images_per_second", "share_waiting_for_data")

# Said by a painting that goes on in the middle of a photograph.
_RESUMED = "astgan resumed"

# Of moments, in turn.
KINDS = ("decoding", "saving", "later", "anywhere")

Run = Callable[[pathlib.Path], None]
Moment = Callable[[pathlib.Path, pathlib.Path], bool]


def is_decoding(workdir: pathlib.Path, cache: pathlib.Path) -> bool:
  return any(cache.glob("*.partial"))


def is_saving(workdir: pathlib.Path, cache: pathlib.Path) -> bool:
  return any((workdir / "checkpoints").glob("*-tmp-*"))


class Later:
  """Within 0.4 seconds of the next checkpoint: after it, or before another."""

  def __init__(self, draws: random.Random) -> None:
    self._seconds = draws.uniform(0, 0.4)
    self._count = self._due = None

  def __call__(self, workdir: pathlib.Path, cache: pathlib.Path) -> bool:
    found = {p.name for p in (workdir / "checkpoints").glob("*")}
    count = max((int(n) for n in found if n.isdigit()), default=0)
    self._count = count if self._count is None else self._count
    if count > self._count and self._due is None:
      self._due = time.monotonic() + self._seconds
    return self._due is not None and time.monotonic() > self._due


class Unfinished:
  """Within 0.2 seconds of the next state of a photograph that is saved."""

  def __init__(self, draws: random.Random) -> None:
    self._seconds = draws.uniform(0, 0.2)
    self._before = self._due = None

  def __call__(self, workdir: pathlib.Path, cache: pathlib.Path) -> bool:
    found = set()
    for path in (workdir / "unfinished").glob("*.npz"):
      with contextlib.suppress(FileNotFoundError):
        found.add((path.name, path.stat().st_mtime_ns))
    self._before = found if self._before is None else self._before
    if found - self._before and self._due is None:
      self._due = time.monotonic() + self._seconds
    return self._due is not None and time.monotonic() > self._due


class Anywhere:
  """So many seconds after the start of the process."""

  def __init__(self, draws: random.Random, seconds: float) -> None:
    self._due = time.monotonic() + draws.uniform(0, seconds)

  def __call__(self, workdir: pathlib.Path, cache: pathlib.Path) -> bool:
    return time.monotonic() > self._due


def live(run: Run, workdir: pathlib.Path, is_time: Callable[[], bool]) -> bool:
  """Runs in a process of its own until it ends, or is killed: then True.

  The process is forked before JAX starts, so that the imports are shared.
  """
  child = os.fork()
  if not child:
    log = os.open(workdir.with_suffix(".log"), os.O_WRONLY | os.O_CREAT)
    os.lseek(log, 0, os.SEEK_END)
    os.dup2(log, 1)
    os.dup2(log, 2)
    status = 1
    try:
      run(workdir)
      status = 0
    finally:
      sys.stderr.flush()
      os._exit(status)
  while not (ended := os.waitpid(child, os.WNOHANG))[0]:
    if is_time():
      os.kill(child, signal.SIGKILL)
      ended = os.waitpid(child, 0)
      break
    time.sleep(0.001)
  killed = os.WIFSIGNALED(ended[1])
  assert killed or ended[1] == 0, workdir.with_suffix(".log").read_text()[
    -3000:
  ]
  return killed


def survive(
  run: Run,
  workdir: pathlib.Path,
  cache: pathlib.Path,
  draws: random.Random,
  *,
  kills: int,
  kinds: tuple[str, ...],
  seconds: float = 5.0,
) -> collections.Counter:
  """Kills a run that often, or until it ends; then lets it end.

  Args:
    run: makes the run in a folder, or goes on with it.
    workdir: the folder.
    cache: of decoded images; emptied before a kill while decoding.
    draws: of the moments.
    kills: at most so many.
    kinds: of the moments: `decoding`, `saving`, `later`, `unfinished` and
      `anywhere`.
    seconds: of the process, in which `anywhere` lies.

  Returns: how often it was killed in each kind of moment.
  """
  made = collections.Counter()
  while made.total() < kills:
    kind = kinds[made.total() % len(kinds)]
    moment: Moment = {
      "decoding": is_decoding,
      "saving": is_saving,
      "later": Later(draws),
      "unfinished": Unfinished(draws),
      "anywhere": Anywhere(draws, seconds),
    }[kind]
    if kind == "decoding":
      shutil.rmtree(cache, ignore_errors=True)
    if not live(run, workdir, functools.partial(moment, workdir, cache)):
      return made
    made[kind] += 1
  live(run, workdir, lambda: False)
  return made


def make_training(cache: pathlib.Path, steps: int):
  """A GAN of a size that is saved every other step."""
  return tiny.make_run_config(
    cache,
    train__steps=steps,
    train__save_every=2,
    train__sample_every=10,
    train__ema_decay=0.9,
  )


def assert_same_training(workdir: pathlib.Path, whole: pathlib.Path) -> None:
  """Raises unless two runs ended with the same files."""
  last = max(int(p.name) for p in (whole / "checkpoints").iterdir())
  tiny.assert_equal(*(tiny.read_checkpoint(w, last) for w in (workdir, whole)))
  lines = [
    [
      {name: x for name, x in line.items() if name not in _MEASURED}
      for line in writer.read(folder)
    ]
    for folder in (workdir, whole)
  ]
  assert lines[0] == lines[1]
  assert_same_files(workdir / "samples", whole / "samples")


def assert_same_files(folder: pathlib.Path, expected: pathlib.Path) -> None:
  """Raises unless two folders hold files of the same names and bytes."""
  files = [
    {p.name: p.read_bytes() for p in f.iterdir()} for f in (folder, expected)
  ]
  assert files[0].keys() == files[1].keys()
  assert files[0] == files[1]


def make_painting(folder: pathlib.Path, photographs: int, steps: int):
  """A painting of some small photographs."""
  config = nst.get_config()
  (folder / "photographs").mkdir(parents=True)
  for number in range(photographs):
    noise = pictures.noise(48, 64, number)
    images.write(folder / "photographs" / f"{number}.png", noise)
  images.write(folder / "style.png", pictures.noise(48, 48, 99))
  fields = {
    "features.weights": "random",
    "paint.content": str(folder / "photographs"),
    "paint.style": str(folder / "style.png"),
    "paint.size": 48,
    "paint.style_size": 48,
    "paint.steps": steps,
    "paint.log_every": 5,
    "paint.save_every": 5,
    "compile_cache": "off",
  }
  config.update_from_flattened_dict(fields)
  return config


def kill_trainings(
  folder: pathlib.Path, draws: random.Random, kills: int, steps: int
) -> collections.Counter:
  """Trainings of so many steps, killed so often in all, end the same."""
  cache, made = folder / "cache", collections.Counter()
  if not kills:
    return made
  run = functools.partial(loop.train, make_training(cache, steps))
  live(run, folder / "whole", lambda: False)
  # In a process of its own: this one must not start JAX before it forks.
  compare = functools.partial(assert_same_training, whole=folder / "whole")
  for number in itertools.count():
    workdir = folder / f"training_{number}"
    left = kills - made.total()
    made += survive(run, workdir, cache, draws, kills=left, kinds=KINDS)
    live(compare, workdir, lambda: False)
    print(workdir.name, dict(made), flush=True)
    if made.total() == kills:
      return made


def kill_paintings(
  folder: pathlib.Path, draws: random.Random, kills: int, photographs: int
) -> tuple[collections.Counter, int]:
  """The same of paintings of so many photographs, and how many were resumed."""
  made, resumed = collections.Counter(), 0
  if not kills:
    return made, resumed
  config = make_painting(folder / "paint", photographs, steps=20)

  def run(workdir):
    # In a process of its own, before JAX starts.
    os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"
    os.environ["PJRT_NPROC"] = "8"
    load = unfinished.load

    def telling(*arguments, **options):
      found = load(*arguments, **options)
      if found is not None:
        print(_RESUMED, flush=True)
      return found

    unfinished.load = telling
    paint.paint(config, workdir)

  live(run, folder / "painted", lambda: False)
  for number in itertools.count():
    workdir = folder / f"painting_{number}"
    made += survive(
      run,
      workdir,
      folder,
      draws,
      kills=kills - made.total(),
      kinds=("unfinished", "anywhere"),
      seconds=20,
    )
    assert_same_files(workdir / "painted", folder / "painted" / "painted")
    print(workdir.name, dict(made), flush=True)
    resumed += workdir.with_suffix(".log").read_text().count(_RESUMED)
    if made.total() == kills:
      break
  assert resumed, "no painting went on in its middle"
  return made, resumed


def main() -> None:
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument("--trainings", type=int, default=40)
  parser.add_argument("--paintings", type=int, default=10)
  parser.add_argument("--steps", type=int, default=200)
  parser.add_argument("--photographs", type=int, default=20)
  parser.add_argument("--seed", type=int, default=0)
  options = parser.parse_args()
  folder = pathlib.Path(tempfile.mkdtemp(prefix="astgan-kills-"))
  jax.config.update("jax_compilation_cache_dir", str(folder / "programs"))
  jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)
  draws = random.Random(options.seed)
  trained = kill_trainings(folder, draws, options.trainings, options.steps)
  painted, resumed = kill_paintings(
    folder, draws, options.paintings, options.photographs
  )
  shutil.rmtree(folder)
  print(
    json.dumps(
      {
        "kills": trained.total() + painted.total(),
        **{f"trainings_{kind}": count for kind, count in trained.items()},
        **{f"paintings_{kind}": count for kind, count in painted.items()},
        "photographs_resumed": resumed,
      }
    )
  )


if __name__ == "__main__":
  main()
