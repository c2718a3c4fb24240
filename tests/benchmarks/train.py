"""One update of DCGAN-64, here and in plain PyTorch.

  python -m tests.benchmarks.train [--batch 128] [--seconds 60]
  python -m tests.benchmarks.train --run

The first trains both on the same random pictures, each in a process of its
own, called in turn; a line of JSON says what both take. PyTorch is the extra
`reference`; on a GPU it runs eagerly and compiled, both channels-last and in
TF32. The second starts `astgan.main` on 15,000 files: a line says the most
memory that it held, another the seconds from the command to the first update
where all caches are warm.
"""

import argparse
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

# On a GPU three processes share its memory.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

import jax
import numpy as np
from PIL import Image

from astgan import memory
from astgan.train import feed, parallel, state
from configs import dcgan_baseline
from tests.benchmarks import machine, timing

PICTURES = 2048


def make_update(batch: int):
  """A call makes `repeat()` updates and returns when they are done."""
  config = dcgan_baseline.get_config()
  config.train.batch_size = batch
  config.train.sample_every = config.train.save_every = repeat()
  config.train.steps = 10**6 * repeat()
  draws = np.random.default_rng(0)
  pictures = draws.integers(0, 256, (PICTURES, 64, 64, 3), dtype=np.uint8)
  batches = feed.Feed(config, pictures, 0)
  call = parallel.make_call(config)
  current = parallel.on_every_device(state.create(config))
  step = 0

  def update():
    nonlocal current, step
    count, batch = batches.next(step)
    current, scalars = call(current, batches.pictures, batch)
    jax.block_until_ready((current, scalars))
    step += count

  return update


def update_operations(batch: int) -> int:
  """Multiplications and additions of an update's convolutions, by hand.

  The generator runs forwards once and backwards to its parameters and between
  its layers; the discriminator runs forwards thrice, backwards twice to its
  parameters, and once to the pixels.
  """
  wide = [(c, 2 * c, side) for c, side in ((64, 16), (128, 8), (256, 4))]
  between = sum(16 * c * o * side**2 for c, o, side in wide)
  pixels = 16 * 3 * 64 * 32**2
  latents = 100 * 16 * 512
  judge = 16 * 512
  generator = 3 * (between + pixels) + 2 * latents
  real_or_fake = 3 * between + 2 * pixels + 3 * judge
  through = 2 * (between + pixels + judge)
  return 2 * batch * (generator + 2 * real_or_fake + through)


def repeat() -> int:
  """Updates per call: enough on a GPU for starting a call not to count."""
  return 1 if jax.default_backend() == "cpu" else 32


def compare_with_torch(batch: int, seconds: float, *, compiled: bool) -> None:
  """Prints both times of an update, and what follows from them."""
  rate = machine.matmul_rate()
  mode = "compiled" if compiled else "eager"
  options = ["--batch", str(batch), "--repeat", str(repeat()), "--mode", mode]
  with (
    timing.Child(
      "tests.benchmarks.train", "--batch", str(batch), "--serve"
    ) as ours,
    timing.Child("tests.benchmarks.train_torch", *options) as theirs,
  ):
    pair = timing.interleave(ours, theirs, seconds=seconds)
    ours_facts, theirs_facts = ours.facts(), theirs.facts()
  images = batch * repeat()
  timing.report(
    benchmark="dcgan64_update",
    device=jax.devices()[0].device_kind,
    batch=batch,
    against=f"pytorch {theirs_facts['version']} {mode}",
    seconds=pair.first / repeat(),
    torch_seconds=pair.second / repeat(),
    speed_ratio=1 / pair.ratio,
    images_per_second=images / pair.first,
    torch_images_per_second=images / pair.second,
    peak_bytes=ours_facts["peak_bytes"],
    torch_peak_bytes=theirs_facts["peak_bytes"],
    matmul_rate=rate,
    matmul_share=update_operations(batch) * repeat() / pair.first / rate,
  )


def measure_run(batch: int) -> None:
  """Prints memory and start of the program itself on 15,000 files."""
  with tempfile.TemporaryDirectory() as folder:
    place = pathlib.Path(folder)
    pictures = place / "pictures"
    pictures.mkdir()
    draws = np.random.default_rng(0)
    for i in range(15_000):
      noise = draws.integers(0, 256, (64, 64, 3), dtype=np.uint8)
      Image.fromarray(noise).save(pictures / f"{i}.png", compress_level=1)
    command = [
      *(sys.executable, "-m", "astgan.main", "--config=configs/dcgan.py"),
      f"--config.data.source=folder:{pictures}",
      f"--config.data.cache={place / 'decoded'}",
      f"--config.compile_cache={place / 'compiled'}",
      f"--config.train.batch_size={batch}",
      "--config.train.log_every=1",
    ]
    first = [f"--workdir={place / 'first'}", "--config.train.steps=8"]
    subprocess.run(command + first, check=True)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    timing.report(benchmark="dcgan64_memory", pictures=15_000, peak_bytes=peak)
    metrics = place / "second" / "metrics.jsonl"
    second = [f"--workdir={place / 'second'}", "--config.train.steps=1"]
    start = time.perf_counter()
    process = subprocess.Popen(command + second)
    while process.poll() is None and not _has_line(metrics):
      time.sleep(0.02)
    seconds = time.perf_counter() - start
    if process.wait():
      raise RuntimeError("the second run failed")
    timing.report(benchmark="dcgan64_start", seconds_to_first_update=seconds)


def _has_line(metrics: pathlib.Path) -> bool:
  return metrics.exists() and metrics.read_text().endswith("\n")


def main() -> None:
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument("--batch", type=int, default=128)
  parser.add_argument("--seconds", type=float, default=60.0)
  parser.add_argument("--serve", action="store_true")
  parser.add_argument("--run", action="store_true")
  flags = parser.parse_args()
  if flags.serve:
    memory.keep_freed_blocks()
    timing.serve(make_update(flags.batch), facts=machine.memory)
  elif flags.run:
    measure_run(flags.batch)
  else:
    compare_with_torch(flags.batch, flags.seconds, compiled=False)
    if jax.default_backend() == "gpu":
      compare_with_torch(flags.batch, flags.seconds, compiled=True)


if __name__ == "__main__":
  main()
