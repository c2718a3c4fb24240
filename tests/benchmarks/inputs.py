"""Squares of 64 pixels from JPEGs of 256, against torch's DataLoader with PIL.

  python -m tests.benchmarks.inputs [--count 512] [--seconds 60] [--core 0]

Both work on one core, in turn: `data.source=folder:` decodes into a new cache,
with the digests of its files; the DataLoader opens, crops, reduces and batches
with PIL, in its own process or in a worker, whichever is faster. Once decoded,
batches are gathered from the cache. One line of JSON has images per second, and
how many times as fast as the DataLoader the first epoch and the later ones are:
medians.
"""

import argparse
import json
import os
import pathlib
import tempfile
import uuid

import numpy as np
import torch
import torch.utils.data
from PIL import Image

from astgan.data import decoded, landscapes, pipeline, sources
from configs import gan
from tests.benchmarks import timing

SIZE, BATCH = 64, 64


class Folder(torch.utils.data.Dataset):
  """The images of a folder as torchvision's tutorials read them."""

  def __init__(self, folder: pathlib.Path) -> None:
    self._files = sorted(folder.iterdir())

  def __len__(self) -> int:
    return len(self._files)

  def __getitem__(self, index: int) -> torch.Tensor:
    with Image.open(self._files[index]) as image:
      image = image.convert("RGB")
      side = min(image.size)
      left, top = ((length - side) // 2 for length in image.size)
      image = image.crop((left, top, left + side, top + side))
      image = image.resize((SIZE, SIZE), Image.Resampling.BILINEAR)
      return torch.from_numpy(np.array(image))


def write_images(folder: pathlib.Path, count: int) -> None:
  """Landscapes of 256 pixels; few are drawn, each file is encoded anew."""
  folder.mkdir()
  drawn = [landscapes.draw(number, size=256) for number in range(16)]
  for number in range(count):
    image = np.roll(drawn[number % 16], number, axis=1)
    Image.fromarray(image).save(folder / f"{number:05d}.jpg", quality=90)


def main() -> None:
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument("--count", type=int, default=512)
  parser.add_argument("--seconds", type=float, default=60)
  parser.add_argument("--core", type=int, default=0)
  options = parser.parse_args()
  os.sched_setaffinity(0, {options.core})
  torch.set_num_threads(1)
  with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    write_images(folder / "jpegs", options.count)
    data = gan.get_config().data
    data.source = f"folder:{folder / 'jpegs'}"

    def decode() -> np.ndarray:
      cache = folder / uuid.uuid4().hex
      source = sources.open_source(data, side=SIZE)
      return decoded.load(source, side=SIZE, cache=cache).array

    def load(workers: int) -> None:
      for _ in torch.utils.data.DataLoader(
        Folder(folder / "jpegs"), BATCH, shuffle=True, num_workers=workers
      ):
        pass

    array, order = decode(), pipeline.Order(options.count, seed=0)

    def gather() -> None:
      for start in range(0, options.count, BATCH):
        array[order.batch(start, BATCH)]

    seconds = options.seconds / 3
    first = [
      timing.interleave(lambda n=n: load(n), decode, seconds=seconds)
      for n in (0, 1)
    ]
    # The harder one.
    first = min(first, key=lambda pair: pair.ratio)
    later = timing.interleave(lambda: load(0), gather, seconds=seconds)
  found = {
    "loader_images_per_second": options.count / first.first,
    "decoded_images_per_second": options.count / first.second,
    "gathered_images_per_second": options.count / later.second,
    "first_epoch": first.ratio,
    "later_epochs": later.ratio,
  }
  print(json.dumps({name: round(value, 2) for name, value in found.items()}))


if __name__ == "__main__":
  main()
