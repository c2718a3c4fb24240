"""Weak scaling on two cores: two processes against one, a core each.

  python -m tests.benchmarks.scaling [--batch 32] [--steps 8] [--rounds 3]

DCGAN-64 with so many images per process, through the front door. In turn: one
process on the first core, one on the second, one on each at the same time that
know nothing of each other, and two that train together, each on its own core.
The efficiency is the rate of the last over the sum of the first two; "together"
is the same over the sum of those at the same time, which share the memory of
the machine but no update. Medians of the rounds, in one line of JSON.
"""

import argparse
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).parents[2]


def start(
  folder: pathlib.Path, cores: list[int], batch: int, steps: int
) -> tuple[pathlib.Path, list[subprocess.Popen]]:
  """The folder and the processes, one on each core, of one training."""
  with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    address = f"127.0.0.1:{free.getsockname()[1]}"
  fields = {
    "data.cache": folder / "cache",
    "data.count": 256,
    "data.size": 64,
    "train.batch_size": batch * len(cores),
    "train.steps": steps,
    "train.log_every": steps,
    "train.sample_every": 10_000,
    "train.save_every": 10_000,
    "train.evaluate_every": 0,
    "train.num_samples": 4,
    "compile_cache": folder / "programs",
  }
  command = [sys.executable, "-m", "astgan.main", "--config=configs/dcgan.py"]
  command += [f"--config.{name}={value}" for name, value in fields.items()]
  workdir = pathlib.Path(tempfile.mkdtemp(dir=folder))
  together = {
    "ASTGAN_CLUSTER": "processes",
    "JAX_COORDINATOR_ADDRESS": address,
    "JAX_NUM_PROCESSES": str(len(cores)),
  }
  processes = [
    subprocess.Popen(
      ["taskset", "-c", str(core), *command, f"--workdir={workdir}"],
      cwd=ROOT,
      env=os.environ
      | (together | {"JAX_PROCESS_ID": str(number)} if len(cores) > 1 else {}),
      stdout=subprocess.DEVNULL,
      stderr=subprocess.PIPE,
    )
    for number, core in enumerate(cores)
  ]
  return workdir, processes


def rate(
  folder: pathlib.Path, trainings: list[list[int]], batch: int, steps: int
) -> float:
  """Images per second of trainings at the same time, each given its cores."""
  started = [start(folder, cores, batch, steps) for cores in trainings]
  total = 0.0
  for workdir, processes in started:
    for process in processes:
      _, told = process.communicate()
      assert process.returncode == 0, told[-2000:]
    lines = (workdir / "metrics.jsonl").read_text().splitlines()
    total += json.loads(lines[-1])["images_per_second"]
  return total


def main() -> None:
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument("--batch", type=int, default=32)
  parser.add_argument("--steps", type=int, default=8)
  parser.add_argument("--rounds", type=int, default=3)
  options = parser.parse_args()
  with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    rates = [
      [
        rate(folder, trainings, options.batch, options.steps)
        for trainings in ([[0]], [[1]], [[0], [1]], [[0, 1]])
      ]
      for _ in range(options.rounds)
    ]
  efficiency = [row[3] / (row[0] + row[1]) for row in rates]
  together = [row[3] / row[2] for row in rates]
  print(
    json.dumps(
      {
        "rates": [[round(x, 2) for x in row] for row in rates],
        "efficiency": round(statistics.median(efficiency), 3),
        "together": round(statistics.median(together), 3),
      }
    )
  )


if __name__ == "__main__":
  main()
