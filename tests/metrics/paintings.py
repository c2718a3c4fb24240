"""Real paintings as small squares."""

import numpy as np

from astgan.data import images
from tests import pictures


def read(count, side=64):
  """Bytes of the first paintings, [count side side 3]."""
  files = images.find(pictures.SHARED / "paintings" / "monet")[:count]
  return np.stack(
    [
      images.resize(images.centre_square(images.read(file)), side, side)
      for file in files
    ]
  )
