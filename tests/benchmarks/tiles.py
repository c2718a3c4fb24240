"""The most memory of a step of a painting in tiles.

  python -m tests.benchmarks.tiles [--size 2048] [--tile 256]

The recipe of `tests.benchmarks.nst`, all of it: the photograph's features and
one step of Adam, on random pixels. One line of JSON has the GiB above those
before, and the seconds, with compilation. A tile of 0 is what memory allows.
"""

import argparse
import dataclasses
import json
import time

import jax
import numpy as np

from astgan import memory
from astgan.features import weights
from astgan.nst import description, optimize, styles
from tests.benchmarks import nst, timing


def main() -> None:
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument("--size", type=int, default=2048)
  parser.add_argument("--tile", type=int, default=256)
  arguments = parser.parse_args()
  size, tile = arguments.size, arguments.tile
  memory.keep_freed_blocks()
  draws = np.random.default_rng(0)
  image = draws.uniform(size=(1, size, size, 3)).astype("float32")
  made = nst.make_recipe(size)
  made = dataclasses.replace(
    made, tile=tile, levels=(made.levels[0]._replace(steps=1),)
  )
  params = weights.load("vgg19", "random")
  style = styles.Arrays([image[0, :128, :128]], 128)
  style = description.describe(made, params, [style])
  before, start = timing.peak_resident_bytes(), time.perf_counter()
  painted = optimize.paint_one(
    jax.random.key(0), image, recipe=made, params=params, style=style
  )
  jax.block_until_ready(painted)
  peak = timing.peak_resident_bytes() - before
  line = {
    "size": size,
    "tile": tile,
    "peak_gib": round(peak / 2**30, 2),
    "seconds": round(time.perf_counter() - start, 1),
  }
  print(json.dumps(line))


if __name__ == "__main__":
  main()
