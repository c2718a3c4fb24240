"""What asynchronous saving and its digests add to a step.

  python -m tests.benchmarks.saving [--batch 32] [--steps 6] [--rounds 5]

DCGAN-64, in turn: so many updates, and the same with a checkpoint that begins
to be written before the first of them. Of each save the time for which updates
stand still, and by how much longer the updates beside it take, and the wait for
its end: medians over the rounds. One line of JSON has them in seconds, and as
shares of `train.save_every` updates.
"""

import argparse
import json
import pathlib
import statistics
import tempfile
import time

import jax
import numpy as np

from astgan import checkpoints
from astgan.systems import registry
from astgan.train import parallel, records
from configs import dcgan


def main() -> None:
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument("--batch", type=int, default=32)
  parser.add_argument("--steps", type=int, default=6)
  parser.add_argument("--rounds", type=int, default=5)
  options = parser.parse_args()
  config = dcgan.get_config()
  config.train.batch_size = options.batch
  system = registry.make(config)
  call = parallel.make_call(system, config.data)
  state = parallel.replicate(jax.jit(system.init)(jax.random.key(0)))
  draws = np.random.default_rng(0)
  batch = draws.integers(0, 256, (1, options.batch, 64, 64, 3), np.uint8)
  batch = {"paintings": parallel.shard(batch)}
  (phase,) = system.phases

  def update(state):
    (turn,) = system.turns(0, phase)
    numbers = np.zeros(1, np.int32)
    state, _ = call(state, None, None, batch, numbers, phase, turn)
    return jax.block_until_ready(state)

  state = update(update(state))
  alone, beside, stood = [], [], []
  with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    lines = b'{"step": 100, "generator/loss": 0.1234567890123}\n' * 2_000
    (folder / "metrics.jsonl").write_bytes(lines)
    with checkpoints.Checkpoints(folder, keep=1) as saved:
      for number in range(2 * options.rounds + 1):
        started = time.perf_counter()
        is_saving = number % 2 == 0
        if is_saving:
          saved.save(number, state, records.of(config, folder))
          standing = time.perf_counter() - started
        for _ in range(options.steps):
          state = update(state)
        saved.wait()
        taken = time.perf_counter() - started
        if not number:  # orbax's first save prepares more.
          continue
        (beside if is_saving else alone).append(taken)
        if is_saving:
          stood.append(standing)
    files = (folder / "checkpoints").rglob("*")
    size = sum(path.stat().st_size for path in files if path.is_file())
  step = statistics.median(alone) / options.steps
  stands = statistics.median(stood)
  added = statistics.median(b - a for a, b in zip(alone, beside, strict=True))
  every = config.train.save_every * step
  found = {
    "checkpoint_mb": size / 1e6,
    "step_seconds": step,
    "stands_still_seconds": stands,
    "added_seconds": added,
    "stands_still_share": stands / every,
    "added_share": added / every,
  }
  print(json.dumps({name: round(value, 5) for name, value in found.items()}))


if __name__ == "__main__":
  main()
