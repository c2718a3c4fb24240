"""What metrics cost: statistics of features, and the evaluations of a training.

  python -m tests.benchmarks.evaluation [--images 1000] [--count 500]
    [--updates 5] [--batch 128]

The first line of JSON is of moments of VGG16's features at the last ReLU of its
fourth block, of images of noise of 64 pixels, with untrained weights: the
seconds of a first call, which compiles, and of a second. The next is of the
evaluation of `dcgan_baseline` after each period of 500 updates, with the
networks and metrics that a training has by default: its seconds, those of 500
updates, worked out from the median of a few, and the first as a share of the
second in per cent. What a run pays once, the floor and the features of its own
images, is the time to begin.
"""

import argparse
import functools
import statistics
import time
from collections.abc import Callable

import jax
import numpy as np

from astgan.data import held_out
from astgan.features import extractors
from astgan.metrics import extract, moments
from astgan.systems import registry
from astgan.train import evaluation, sources
from configs import dcgan_baseline
from tests.benchmarks import timing, train

SIDE = 64
# Updates between two evaluations.
PERIOD = 500
PAGE = "dcgan_baseline"


def noise(count: int) -> np.ndarray:
  """Bytes [count 64 64 3]."""
  draws = np.random.default_rng(0)
  return draws.integers(0, 256, (count, SIDE, SIDE, 3), np.uint8)


def seconds_of(call: Callable[[], object]) -> float:
  """Wall-clock seconds of a call."""
  start = time.perf_counter()
  call()
  return time.perf_counter() - start


def measure_statistics(count: int) -> None:
  """Prints the time of the moments of so many images."""
  net, images = extractors.load("vgg16_relu4", "random"), noise(count)

  def describe():
    moments.of(extract.features(net, images))

  first, second = (seconds_of(describe) for _ in range(2))
  timing.report(
    benchmark="statistics_vgg16_relu4",
    device=jax.devices()[0].device_kind,
    images=count,
    first_seconds=first,
    seconds=second,
  )


def measure_evaluation(count: int, updates: int, batch: int) -> None:
  """Prints the time of an evaluation beside that of a period of updates."""
  config = dcgan_baseline.get_config()
  config.train.evaluate_every = PERIOD
  config.evaluate.count = count
  system = registry.make(config)
  images = noise(max(count, train.IMAGES))
  found = sources.Sources(
    images=dict.fromkeys(system.sources, images),
    sides=dict.fromkeys(system.sources, held_out.split(images, 0)),
    fingerprint={},
  )
  init = functools.partial(system.init, jax.random.key(config.seed))
  state = jax.jit(init)()
  start = time.perf_counter()
  evaluator = evaluation.make(config, system, found).evaluator
  evaluator.evaluate(state)
  begin = time.perf_counter() - start
  evaluate = functools.partial(evaluator.evaluate, state)
  seconds = statistics.median(seconds_of(evaluate) for _ in range(3))
  update = train.make_update(PAGE, batch)
  update()
  times = [seconds_of(update) for _ in range(updates)]
  period = PERIOD * statistics.median(times) / train.repeat(PAGE)
  timing.report(
    benchmark="evaluation_of_training",
    device=jax.devices()[0].device_kind,
    images=count,
    batch=batch,
    begin_seconds=begin,
    seconds=seconds,
    seconds_500_updates=period,
    percent=100 * seconds / period,
  )


def main() -> None:
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument("--images", type=int, default=1000)
  parser.add_argument("--count", type=int, default=500)
  parser.add_argument("--updates", type=int, default=5)
  parser.add_argument("--batch", type=int, default=train.PAGES[PAGE][2])
  flags = parser.parse_args()
  measure_statistics(flags.images)
  measure_evaluation(flags.count, flags.updates, flags.batch)


if __name__ == "__main__":
  main()
