"""One step of style transfer, here and in plain PyTorch.

  python -m tests.benchmarks.nst [--size 512] [--seconds 30]

Both optimise the pixels of one image by Adam on relu1_1..relu5_1 (style) and
relu4_2 (content) of an untrained VGG19, in two processes that are called
alternately. One line of JSON compares them, another compares style batches of
64 and of 1, and a third describing a style image with PyTorch's pass of it
through the network alone. PyTorch is the extra `reference`. On a GPU it runs
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
from astgan.nst import groups, objective, recipe, regions, stylize
from tests.benchmarks import machine, timing

STYLE = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
CONTENT = ("relu4_2",)
# Side of the style image that is described, in pixels: large enough for a group
# to send it through the network at once, and not to wait for others.
DESCRIBED = 512


def make_recipe(size: int) -> recipe.Recipe:
  """That of both programs."""
  return recipe.make(
    pooling="max",
    padding="zeros",
    content_layers=CONTENT,
    content_terms=("features",),
    content_term_weights=(),
    style_terms=("gram",),
    style_layers=STYLE,
    style_layer_weights=(),
    style_weight=50_000.0,
    optimizer="adam",
    size=size,
    coarsest=0,
  )


def make_step(size: int, *, style_batch: int = 1, repeat: int = 1):
  """A call makes `repeat` steps and returns when they are done."""
  made = make_recipe(size)
  params = weights.load("vgg19", "random")
  draws = np.random.default_rng(0)

  def draw(side):
    return draws.uniform(size=(side, side, 3)).astype("float32")

  photograph = jnp.asarray(draw(size))[None]
  group = groups.Group(params, objective.Whole(made.style))
  for _ in range(style_batch):
    group.add(draw(64))
  gradient = objective.Whole(made.objective())
  targets = objective.Targets(
    content=gradient.features(photograph, params, CONTENT),
    items=group.targets() + (None, None),
    everywhere=regions.make(gradient.objective, params, (size, size, 3)),
  )
  fixed = {"gradient": gradient, "optimizer": made.optimizer}
  names = gradient.objective.names
  painting = stylize.init(photograph, names, optimizer=made.optimizer)

  def step():
    nonlocal painting
    painting = stylize.run(painting, params, targets, repeat, **fixed)
    jax.block_until_ready(painting.image)

  return step


def make_description(size: int, *, repeat: int):
  """A call adds `repeat` images to a group of mean Gram matrices."""
  made = make_recipe(size)
  params = weights.load("vgg19", "random")
  group = groups.Group(params, objective.Whole(made.style))
  draws = np.random.default_rng(0)
  image = draws.uniform(size=(size, size, 3)).astype("float32")

  def describe():
    for _ in range(repeat):
      group.add(image)

  return describe


MAKERS = {"step": make_step, "description": make_description}


def step_operations(size: int) -> int:
  """FLOPs of the convolutions and Gram matrices, forward and backward."""
  operations, channels = 0, 3
  for block, depth in enumerate(vgg.BLOCKS["vgg19"]):
    # The fifth block ends at relu5_1.
    for index in range(depth if block < 4 else 1):
      width = vgg.CHANNELS[block]
      products = 9 * channels * width + (width**2 if index == 0 else 0)
      operations += 2 * 2 * products * (size // 2**block) ** 2
      channels = width
  return operations


def steps_per_call() -> int:
  """On accelerators enough to hide the dispatch of a call."""
  return 1 if jax.default_backend() == "cpu" else 20


def compare_with_torch(
  name: str, size: int, seconds: float, *, compiled: bool
) -> None:
  """Prints the times of one of `MAKERS` in both programs."""
  repeat = steps_per_call()
  mode = "compiled" if compiled else "eager"
  served = ["--serve", name, "--size", str(size)]
  options = [*served, "--repeat", str(repeat), "--mode", mode]
  with (
    timing.Child("tests.benchmarks.nst", *served) as ours,
    timing.Child("tests.benchmarks.nst_torch", *options) as theirs,
  ):
    pair = timing.interleave(ours, theirs, seconds=seconds)
    ours_facts, theirs_facts = ours.facts(), theirs.facts()
  facts = {}
  if name == "step":
    rate = machine.matmul_rate()
    facts = {
      "steps_per_second": repeat / pair.first,
      "torch_steps_per_second": repeat / pair.second,
      "matmul_rate": rate,
      "matmul_share": step_operations(size) * repeat / pair.first / rate,
    }
  timing.report(
    benchmark=f"nst_{name}",
    device=jax.devices()[0].device_kind,
    size=size,
    against=f"pytorch {theirs_facts['version']} {mode}",
    seconds=pair.first / repeat,
    torch_seconds=pair.second / repeat,
    ratio=pair.ratio,
    peak_bytes=ours_facts["peak_bytes"],
    torch_peak_bytes=theirs_facts["peak_bytes"],
    **facts,
  )


def compare_style_batches(size: int, seconds: float) -> None:
  """Prints the times of a step with 64 style images and with one."""
  repeat = steps_per_call()
  steps = [make_step(size, style_batch=m, repeat=repeat) for m in (64, 1)]
  pair = timing.interleave(*steps, seconds=seconds)
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
  parser.add_argument("--serve", choices=list(MAKERS))
  flags = parser.parse_args()
  if flags.serve:
    memory.keep_freed_blocks()
    call = MAKERS[flags.serve](flags.size, repeat=steps_per_call())
    timing.serve(call, facts=machine.memory)
    return
  modes = (False, True) if jax.default_backend() == "gpu" else (False,)
  for compiled in modes:
    for name, size in (("step", flags.size), ("description", DESCRIBED)):
      compare_with_torch(name, size, flags.seconds, compiled=compiled)
  compare_style_batches(flags.size, flags.seconds)


if __name__ == "__main__":
  main()
