"""Trainings on a disk that fills, at any of their writings.

  mount -t tmpfs -o size=16m tmpfs /mnt/small
  python -m tests.benchmarks.disks /mnt/small [--runs 24] [--seed 0]

The disk is filled but for a number of bytes, another in each run, and a small
training with its cache of images is started on it. It has to end with status 1
and one line that names the disk, without a word of any thread, and what it
wrote before has to be whole. With the room back, the same command has to finish
the run. One line of JSON counts the runs and the writings that failed.
"""

import argparse
import collections
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys

from PIL import Image

from astgan import checkpoints, runs, writer

ROOT = pathlib.Path(__file__).parents[2]


def fill(folder: pathlib.Path, free: int) -> None:
  """Leaves about so many bytes on the disk."""
  size = shutil.disk_usage(folder).free - free
  (folder / "filler").write_bytes(b"\0" * max(0, size))


def train(folder: pathlib.Path) -> tuple[int, list[str]]:
  """Status and messages of a small training, without its progress bars."""
  command = [sys.executable, "-m", "astgan.main", "--config=configs/smoke.py"]
  fields = {
    "data.cache": folder / "cache",
    "data.count": 300,
    "train.batch_size": 4,
    "train.evaluate_every": 0,
    "train.save_every": 5,
    "train.sample_every": 5,
    "train.log_every": 1,
  }
  done = subprocess.run(
    [
      *command,
      f"--workdir={folder / 'run'}",
      *(f"--config.{name}={value}" for name, value in fields.items()),
    ],
    cwd=ROOT,
    stdout=subprocess.DEVNULL,
    stderr=subprocess.PIPE,
    text=True,
  )
  lines = re.split(r"[\r\n]+", done.stderr)
  shown = [x for x in lines if x.strip() and not re.search(r"\d+%\||it/s", x)]
  return done.returncode, [x for x in shown if not x.startswith("\x1b")]


def check_whole(workdir: pathlib.Path) -> None:
  """Raises unless all that a run has written can be read."""
  if not workdir.exists():
    return
  for step in checkpoints.steps(workdir):
    assert checkpoints.is_whole(workdir, step), step
  if (workdir / "config.json").exists():
    runs.read_config(workdir)
  writer.read(workdir)
  for path in workdir.rglob("*.png"):
    with Image.open(path) as image:
      image.load()


def main() -> None:
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument("folder", type=pathlib.Path)
  parser.add_argument("--runs", type=int, default=24)
  parser.add_argument("--seed", type=int, default=0)
  options = parser.parse_args()
  draws, folder = random.Random(options.seed), options.folder
  failed = collections.Counter()
  for _ in range(options.runs):
    for name in ("cache", "run"):
      shutil.rmtree(folder / name, ignore_errors=True)
    (folder / "filler").unlink(missing_ok=True)
    # From nothing to more than a whole run takes, most of them small.
    free = round(2 ** draws.uniform(10, 23.5))
    fill(folder, free)
    status, messages = train(folder)
    print(free, status, messages, flush=True)
    if status == 0:
      failed["none"] += 1
      continue
    (line,) = messages
    assert status == 1 and "No space left on device" in line, messages
    assert str(folder) in line, line
    check_whole(folder / "run")
    place = pathlib.Path(line.split("'")[-2]).relative_to(folder)
    failed[re.sub(r"\d+", "N", place.as_posix())] += 1
    os.unlink(folder / "filler")
    status, messages = train(folder)
    assert (status, messages) == (0, []), messages
  print(json.dumps({"runs": options.runs, "failed": failed}))


if __name__ == "__main__":
  main()
