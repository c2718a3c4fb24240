"""One step of style transfer, here and in plain PyTorch.

  python -m tests.benchmarks.nst [--size 512] [--seconds 30]

Both optimise the pixels of one picture by Adam on VGG19's relu1_1..relu5_1
(style) and relu4_2 (content) with untrained weights, each in a process of its
own, called in turn. A line of JSON says what both take; another compares style
batches of 64 and of 1. PyTorch is the extra `reference`; on a GPU it runs
eagerly and compiled, both channels-last and in TF32.
"""

import argparse
import os

# On a GPU three processes share its memory.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

import jax
import jax.numpy as jnp
import numpy as np

from astgan import memory
from astgan.features import vgg, weights
from astgan.nst import objective, stylize
from tests.benchmarks import machine, timing

STYLE = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
CONTENT = ("relu4_2",)
STYLE_WEIGHT = 50_000.0
LEARNING_RATE = 0.02


def make_step(size: int, *, style_batch: int = 1, repeat: int = 1):
  """A call makes `repeat` steps and returns when they are done."""
  terms = objective.Terms(
    content_layers=CONTENT,
    style_layers=STYLE,
    style_layer_weights=(1.0,) * len(STYLE),
    style_weight=STYLE_WEIGHT,
  )
  fixed = {"extract": vgg.apply, "terms": terms}
  params = weights.load("vgg19", "random")
  draws = np.random.default_rng(0)

  def draw(side):
    return jnp.asarray(draws.uniform(size=(1, side, side, 3)), jnp.float32)

  photograph = draw(size)
  # Small style pictures: the batch is gone before the first step.
  pictures = [draw(64) for _ in range(style_batch)]
  targets = objective.Targets(
    objective.content_targets(params, photograph, **fixed),
    objective.style_targets(params, pictures, **fixed),
  )
  fixed["optimizer"] = stylize.make_optimizer("adam", LEARNING_RATE)
  painting = stylize.begin(photograph, fixed["optimizer"])

  def step():
    nonlocal painting
    painting = stylize.advance(painting, params, targets, repeat, **fixed)
    jax.block_until_ready(painting.image)

  return step


def step_operations(size: int) -> int:
  """Multiplications and additions of one step, counted by hand.

  Convolutions run forward and backward to their input; Gram matrices cost one
  product of features forward and one backward.
  """
  operations, channels, side = 0, 3, size
  for block, depth in enumerate(vgg.BLOCKS["vgg19"], start=1):
    for index in range(1, depth + 1):
      wide = vgg.CHANNELS[block - 1]
      operations += 2 * 2 * 9 * channels * wide * side**2
      channels = wide
      if f"relu{block}_{index}" in STYLE:
        operations += 2 * 2 * channels**2 * side**2
      if f"relu{block}_{index}" == STYLE[-1]:
        return operations
    side //= 2
  raise AssertionError("the deepest layer was not met")


def steps_per_call() -> int:
  """Enough for a call to take far longer than starting it."""
  return 1 if jax.default_backend() == "cpu" else 20


def serve_jax(size: int) -> None:
  """The child process that steps in this package."""
  memory.keep_freed_blocks()
  timing.serve(make_step(size, repeat=steps_per_call()), facts=machine.memory)


def compare_with_torch(size: int, seconds: float, *, compiled: bool) -> None:
  """Prints both times of a step, and what follows from them."""
  repeat = steps_per_call()
  rate = machine.matmul_rate()
  mode = "compiled" if compiled else "eager"
  options = ["--size", str(size), "--repeat", str(repeat), "--mode", mode]
  with (
    timing.Child(
      "tests.benchmarks.nst", "--size", str(size), "--serve"
    ) as ours,
    timing.Child("tests.benchmarks.nst_torch", *options) as theirs,
  ):
    pair = timing.interleave(ours, theirs, seconds=seconds)
    ours_facts, theirs_facts = ours.facts(), theirs.facts()
  timing.report(
    benchmark="nst_step",
    device=jax.devices()[0].device_kind,
    size=size,
    against=f"pytorch {theirs_facts['version']} {mode}",
    seconds=pair.first / repeat,
    torch_seconds=pair.second / repeat,
    ratio=pair.ratio,
    steps_per_second=repeat / pair.first,
    torch_steps_per_second=repeat / pair.second,
    peak_bytes=ours_facts["peak_bytes"],
    torch_peak_bytes=theirs_facts["peak_bytes"],
    matmul_rate=rate,
    matmul_share=step_operations(size) * repeat / pair.first / rate,
  )


def compare_style_batches(size: int, seconds: float) -> None:
  """Prints the time of a step for 64 style pictures and for one."""
  repeat = steps_per_call()
  pair = timing.interleave(
    make_step(size, style_batch=64, repeat=repeat),
    make_step(size, style_batch=1, repeat=repeat),
    seconds=seconds,
  )
  timing.report(
    benchmark="nst_style_batch",
    device=jax.devices()[0].device_kind,
    size=size,
    seconds_64=pair.first / repeat,
    seconds_1=pair.second / repeat,
    ratio=pair.ratio,
  )


def main() -> None:
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument("--size", type=int, default=256)
  parser.add_argument("--seconds", type=float, default=30.0)
  parser.add_argument("--serve", action="store_true")
  flags = parser.parse_args()
  if flags.serve:
    serve_jax(flags.size)
    return
  compare_with_torch(flags.size, flags.seconds, compiled=False)
  if jax.default_backend() == "gpu":
    compare_with_torch(flags.size, flags.seconds, compiled=True)
  compare_style_batches(flags.size, flags.seconds)


if __name__ == "__main__":
  main()
