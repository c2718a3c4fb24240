"""One pass of a painter, here and in plain PyTorch.

  python -m tests.benchmarks.painter [--net fast] [--size 512] [--seconds 30]

Nets are CycleGAN's of 9 blocks, and that of fast style transfer. Both paint the
same square of noise, in two processes that are called in turn; a line of JSON
compares them, and another this pass with one in strips. PyTorch is the extra
`reference`. On a GPU it runs eagerly and compiled, both channels-last and in
TF32.
"""

import argparse
import functools
import os

# On a GPU three processes share its memory.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

import jax
import jax.numpy as jnp
import numpy as np

from astgan import memory
from astgan.models import translator
from astgan.systems import translated
from tests.benchmarks import machine, timing

NETS = {
  "cyclegan": translator.Translator(64, 9),
  "fast": translator.Translator(32, 5, "nearest", ends=9, affine=True),
}


def make_pass(net: str, size: int, *, tile: int = 0):
  """A call paints a photograph and returns when it is done."""
  module = NETS[net]
  init = jax.jit(module.init)(jax.random.key(0), jnp.zeros((1, 8, 8, 3)))
  painter = translated.Painter(module, {"painting": init["params"]})
  draws = np.random.default_rng(0)
  pixels = draws.random((size, size, 3), dtype=np.float32)
  return lambda: painter.paint(pixels, "painting", tile=tile)


def make_torch_pass(name, size, device, *, compiled, repeat):
  """The same of PyTorch, `repeat` times."""
  import torch
  from torch.utils._pytree import tree_map

  from tests.reference import cyclegan_torch, painters_torch

  layout = {"device": device, "memory_format": torch.channels_last}
  if name == "fast":
    params = tree_map(
      lambda leaf: leaf.to(**layout) if leaf.ndim == 4 else leaf.to(device),
      painters_torch.draw_translator(32, 5),
    )
    net = functools.partial(painters_torch.translate, params, blocks=5)
  else:
    net = cyclegan_torch.make_generator(64, 9).to(**layout)
  net = torch.compile(net) if compiled else net
  pixels = torch.randint(0, 256, (1, 3, size, size), dtype=torch.uint8)

  @torch.inference_mode()
  def paint():
    for _ in range(repeat):
      images = pixels.to(**layout).float() / 127.5 - 1
      painted = ((net(images) + 1) * 127.5).round().clamp(0, 255)
      painted.to("cpu", torch.uint8)

  return paint


def child(net: str, size: int, *options: str) -> timing.Child:
  """A process that serves one of the two."""
  module, options = "tests.benchmarks.painter", ("--net", net, *options)
  return timing.Child(module, "--size", str(size), *options)


def compare_with_torch(
  net: str, size: int, seconds: float, *, mode: str
) -> None:
  """Prints both times of a pass."""
  options = ("--serve", "torch", "--mode", mode, "--repeat", "1")
  with (
    child(net, size, "--serve", "ours") as ours,
    child(net, size, *options) as theirs,
  ):
    pair = timing.interleave(ours, theirs, seconds=seconds)
    ours_facts, theirs_facts = ours.facts(), theirs.facts()
  timing.report(
    benchmark=f"painter_pass_{net}",
    device=jax.devices()[0].device_kind,
    size=size,
    against=f"pytorch {theirs_facts['version']} {mode}",
    seconds=pair.first,
    torch_seconds=pair.second,
    time_ratio=pair.ratio,
    peak_bytes=ours_facts["peak_bytes"],
    torch_peak_bytes=theirs_facts["peak_bytes"],
  )


def compare_strips(net: str, size: int, seconds: float) -> None:
  """Prints the time of a pass in strips of a quarter of the pixels."""
  strips, whole = make_pass(net, size, tile=size // 2), make_pass(net, size)
  difference = np.abs(strips() - whole())
  pair = timing.interleave(strips, whole, seconds=seconds)
  timing.report(
    benchmark=f"painter_strips_{net}",
    size=size,
    seconds=pair.first,
    whole_seconds=pair.second,
    ratio=pair.ratio,
    largest_difference=float(difference.max()),
  )


def main() -> None:
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument("--net", choices=NETS, default="cyclegan")
  parser.add_argument("--size", type=int, default=512)
  parser.add_argument("--seconds", type=float, default=30.0)
  parser.add_argument("--serve", choices=["ours", "torch"])
  flags, _ = parser.parse_known_args()
  if flags.serve == "torch":
    make = functools.partial(make_torch_pass, flags.net)
    timing.serve_torch(make, "size")
  elif flags.serve == "ours":
    memory.keep_freed_blocks()
    timing.serve(make_pass(flags.net, flags.size), facts=machine.memory)
  else:
    compare_with_torch(flags.net, flags.size, flags.seconds, mode="eager")
    if jax.default_backend() == "gpu":
      compare_with_torch(flags.net, flags.size, flags.seconds, mode="compiled")
    compare_strips(flags.net, flags.size, flags.seconds)


if __name__ == "__main__":
  main()
