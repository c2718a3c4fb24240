"""The memory of a training of 10,000 tiny steps, which must not grow.

  python -m tests.benchmarks.memory [--steps 10000]

The system of one number, logged every 100 steps, saved every 500, and drawn 250
times: matplotlib's memory grows with the first 80 plots. One line of JSON has
the resident MiB after every tenth of the steps, and by how much the last is
above that of the fourth.
"""

import argparse
import json
import pathlib
import tempfile

import psutil

from astgan.systems import registry
from astgan.train import evaluators, loop
from tests.train import fake


def main() -> None:
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument("--steps", type=int, default=10_000)
  steps = parser.parse_args().steps
  registry.SYSTEMS["fake"] = fake.Fake
  resident = []

  def look(state):
    resident.append(psutil.Process().memory_info().rss / 2**20)
    return {}

  with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    config = fake.make_config(
      folder / "cache",
      train__steps=steps,
      train__log_every=100,
      train__sample_every=steps // 250,
      train__save_every=500,
    )
    watch = evaluators.Evaluator(steps // 10, look)
    loop.train(config, folder / "run", evaluators=[watch])
  growth = resident[-1] - resident[3]
  print(
    json.dumps(
      {"resident_mib": [round(x) for x in resident], "growth": round(growth, 1)}
    )
  )


if __name__ == "__main__":
  main()
