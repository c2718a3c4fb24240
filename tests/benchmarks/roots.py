"""Matrix roots of the Wasserstein style loss, by LAPACK on one thread and all.

  python -m tests.benchmarks.roots [--channels 512] [--seconds 20]

On CPUs jax takes LAPACK from SciPy, whose OpenBLAS splits a matrix among
threads; astgan.main keeps it from doing so. The gradient of the distance of one
layer, in two processes that are called alternately. A line of JSON compares
them.
"""

import argparse
import os

import jax
import jax.numpy as jnp
import numpy as np

from astgan.nst.terms import interface, moments
from tests.benchmarks import machine, timing


def make_step(channels: int):
  """A call returns when the gradient of one layer's distance is there."""
  draws = np.random.default_rng(0)
  features = draws.uniform(size=(4 * channels, channels)).astype("float32")
  described = {
    "layer": (features.mean(0), features.T @ features / len(features))
  }
  term = moments.Wasserstein(taps=("layer",), layer_weights=(1.0,))
  target = term.target(interface.Group(mean=described, variance=None))
  gradient = jax.jit(jax.grad(term.distance))
  described = jax.tree.map(jnp.asarray, described)
  return lambda: jax.block_until_ready(gradient(described, target))


def main() -> None:
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument("--channels", type=int, default=512)
  parser.add_argument("--seconds", type=float, default=20.0)
  parser.add_argument("--threads", type=int, default=0)
  flags = parser.parse_args()
  if flags.threads:
    os.environ["OPENBLAS_NUM_THREADS"] = str(flags.threads)
    timing.serve(make_step(flags.channels), facts=machine.memory)
    return
  command = ("tests.benchmarks.roots", "--channels", str(flags.channels))
  cores = os.cpu_count()
  with (
    timing.Child(*command, "--threads", "1") as one,
    timing.Child(*command, "--threads", str(cores)) as all_of_them,
  ):
    pair = timing.interleave(one, all_of_them, seconds=flags.seconds)
  timing.report(
    benchmark="matrix_roots",
    channels=flags.channels,
    seconds_one_thread=pair.first,
    threads=cores,
    seconds_threads=pair.second,
    ratio=pair.ratio,
  )


if __name__ == "__main__":
  main()
