"""One update of a GAN, here and in plain PyTorch.

  python -m tests.benchmarks.train [--page NAME] [--batch 128] [--seconds 60]
  python -m tests.benchmarks.train --lazy
  python -m tests.benchmarks.train --run

The first trains both on the same random images, each in a process of its own,
called in turn; a line of JSON says what both take. Pages are `dcgan_baseline`,
`resize`, which is the same with resize convolutions, `wgan_gp`, of which an
update is five of the critic, `vaegan`, `cyclegan` at 128 pixels with 6 blocks,
`fewshot`, `stylegan` at 64 pixels that fade in, over a period of its lazy R1,
and at 128 pixels `superres` and the painters of one pass, `fast`, `adain`,
`wct`, `style_swap` and `stvae`, with untrained features. PyTorch is the extra
`reference`; on a GPU it runs eagerly and compiled, both channels-last and in
TF32. The second says what R1 at every 16th update adds to a period of 16. The
third starts `astgan.main` on 15,000 files: a line says the most memory that it
held, another the seconds from the command to the first update where all caches
are warm.
"""

import argparse
import functools
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
from astgan.systems import registry
from astgan.train import loader, parallel
from configs import (
  adain,
  cyclegan,
  dcgan_baseline,
  fewshot,
  johnson,
  stvae,
  style_swap,
  stylegan_small,
  superres,
  vaegan,
  wct,
  wgan_gp,
)
from tests.benchmarks import machine, timing

IMAGES = 2048
# A config, what is changed in it, and a batch size that takes seconds. The last
# two are compared with each other.
FREE = {"model.discriminator_norm": "none"}
LAZY = FREE | {"loss.penalty": "r1", "loss.penalty_every": 16}
SMALL = {
  "data.size": 128,
  "data.photographs": "landscapes",
  "data.crop": "centre",
  "data.flip": False,
  "model.blocks": 6,
}
# From the start at 64 pixels, which fade in.
GROWN = {
  "data.crop": "centre",
  "data.flip": False,
  "growth.stable_steps": (0, 0, 0, 0),
  "growth.fade_steps": (0, 0, 0, 10**6),
}
PAINTER = {
  "data.size": 128,
  "data.crop": "centre",
  "data.flip": False,
  "features.weights": "random",
}
OF_PAIRS = PAINTER | {"data.photographs": "landscapes"}
PAGES = {
  "dcgan_baseline": (dcgan_baseline, {}, 128),
  "resize": (dcgan_baseline, {"model.upsample": "nearest"}, 128),
  "wgan_gp": (wgan_gp, {}, 16),
  "vaegan": (vaegan, {}, 32),
  "cyclegan": (cyclegan, SMALL, 1),
  "fast": (johnson, PAINTER, 4),
  "adain": (adain, OF_PAIRS, 2),
  "wct": (wct, OF_PAIRS, 1),
  "style_swap": (style_swap, OF_PAIRS, 1),
  "stvae": (stvae, OF_PAIRS, 2),
  "superres": (superres, PAINTER, 4),
  "fewshot": (fewshot, {}, 32),
  "stylegan": (stylegan_small, GROWN, 16),
  "free": (dcgan_baseline, FREE, 64),
  "lazy_r1": (dcgan_baseline, LAZY, 64),
}


def make_update(page: str, batch: int):
  """A call makes `repeat(page)` updates and returns when they are done."""
  module, changes, _ = PAGES[page]
  config, count = module.get_config(), repeat(page)
  config.update_from_flattened_dict(changes)
  if "style" in config:
    config.style.source = style_image()
  config.train.batch_size = batch
  config.train.sample_every = config.train.save_every = count
  config.train.evaluate_every = 0
  config.train.steps = 10**6 * count
  system = registry.make(config)
  draws = np.random.default_rng(0)
  shape = (IMAGES, config.data.size, config.data.size, 3)
  images = draws.integers(0, 256, shape, dtype=np.uint8)
  batches = loader.Loader(
    config,
    system,
    dict.fromkeys(system.sources, images),
    dict.fromkeys(system.sources, np.arange(IMAGES)),
    0,
  )
  call = parallel.make_call(system, config.data)
  init = functools.partial(system.init, jax.random.key(0))
  state, step = parallel.replicate(jax.jit(init)()), 0
  frozen = parallel.replicate(system.load_frozen())

  def update():
    nonlocal state, step
    end = step + count
    while step < end:
      turns, batch = next(iter(batches))
      numbers = np.array([number for _, number in turns.turns], np.int32)
      state, scalars = call(
        state, frozen, batches.images, batch, numbers, turns.phase, turns.turn
      )
      step = turns.done
    jax.block_until_ready((state, scalars))

  return update


def style_image() -> str:
  """The path of an image of noise."""
  folder = pathlib.Path(tempfile.mkdtemp())
  noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
  Image.fromarray(noise).save(folder / "style.png")
  return str(folder / "style.png")


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


def repeat(page: str) -> int:
  """Updates per call: enough on a GPU for starting a call not to count."""
  if jax.default_backend() != "cpu":
    return 32
  return 16 if page in ("free", "lazy_r1", "stylegan") else 1


def child(page: str, batch: int) -> timing.Child:
  """The process that calls `make_update`."""
  options = ["--page", page, "--batch", str(batch), "--serve"]
  return timing.Child("tests.benchmarks.train", *options)


def compare_with_torch(
  page: str, batch: int, seconds: float, *, compiled: bool
) -> None:
  """Prints both times of an update, and what follows from them."""
  rate, count = machine.matmul_rate(), repeat(page)
  mode = "compiled" if compiled else "eager"
  options = ["--page", page, "--batch", str(batch), "--mode", mode]
  options += ["--repeat", str(count)]
  with (
    child(page, batch) as ours,
    timing.Child("tests.benchmarks.train_torch", *options) as theirs,
  ):
    pair = timing.interleave(ours, theirs, seconds=seconds)
    ours_facts, theirs_facts = ours.facts(), theirs.facts()
  shares = {}
  if page == "dcgan_baseline":
    share = update_operations(batch) * count / pair.first / rate
    shares = {"matmul_rate": rate, "matmul_share": share}
  timing.report(
    benchmark=f"{page}_update",
    device=jax.devices()[0].device_kind,
    batch=batch,
    against=f"pytorch {theirs_facts['version']} {mode}",
    seconds=pair.first / count,
    torch_seconds=pair.second / count,
    speed_ratio=1 / pair.ratio,
    images_per_second=batch * count / pair.first,
    torch_images_per_second=batch * count / pair.second,
    peak_bytes=ours_facts["peak_bytes"],
    torch_peak_bytes=theirs_facts["peak_bytes"],
    **shares,
  )


def compare_lazy(batch: int, seconds: float) -> None:
  """Prints the time of an update with and without R1 at every 16th."""
  count = repeat("lazy_r1")
  with child("lazy_r1", batch) as lazy, child("free", batch) as free:
    pair = timing.interleave(lazy, free, seconds=seconds)
  timing.report(
    benchmark="lazy_r1",
    device=jax.devices()[0].device_kind,
    batch=batch,
    seconds=pair.first / count,
    free_seconds=pair.second / count,
    ratio=pair.ratio,
  )


def measure_run(batch: int) -> None:
  """Prints memory and start of the program itself on 15,000 files."""
  with tempfile.TemporaryDirectory() as folder:
    place = pathlib.Path(folder)
    images = place / "images"
    images.mkdir()
    draws = np.random.default_rng(0)
    for i in range(15_000):
      noise = draws.integers(0, 256, (64, 64, 3), dtype=np.uint8)
      Image.fromarray(noise).save(images / f"{i}.png", compress_level=1)
    command = [
      *(sys.executable, "-m", "astgan.main", "--config=configs/dcgan.py"),
      f"--config.data.source=folder:{images}",
      f"--config.data.cache={place / 'decoded'}",
      f"--config.compile_cache={place / 'compiled'}",
      f"--config.train.batch_size={batch}",
      "--config.train.log_every=1",
    ]
    first = [f"--workdir={place / 'first'}", "--config.train.steps=8"]
    subprocess.run(command + first, check=True)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    timing.report(benchmark="dcgan64_memory", images=15_000, peak_bytes=peak)
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
  parser.add_argument("--page", choices=PAGES, default="dcgan_baseline")
  parser.add_argument("--batch", type=int)
  parser.add_argument("--seconds", type=float, default=60.0)
  parser.add_argument("--lazy", action="store_true")
  parser.add_argument("--serve", action="store_true")
  parser.add_argument("--run", action="store_true")
  flags = parser.parse_args()
  page = "lazy_r1" if flags.lazy else flags.page
  batch = flags.batch or PAGES[page][2]
  if flags.serve:
    memory.keep_freed_blocks()
    timing.serve(make_update(page, batch), facts=machine.memory)
  elif flags.run:
    measure_run(batch)
  elif flags.lazy:
    compare_lazy(batch, flags.seconds)
  else:
    compare_with_torch(page, batch, flags.seconds, compiled=False)
    if jax.default_backend() == "gpu":
      compare_with_torch(page, batch, flags.seconds, compiled=True)


if __name__ == "__main__":
  main()
