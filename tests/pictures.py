"""Pictures for tests: those beside the checkout, and made ones."""

import pathlib

import numpy as np
import pytest

# Development pictures, not part of the project.
SHARED = pathlib.Path(__file__).parents[2] / "shared" / "data"

needs_shared = pytest.mark.skipif(
  not SHARED.is_dir(), reason="needs the pictures of ../shared/data"
)


def four_corners(height: int = 6, width: int = 8) -> np.ndarray:
  """Red, green, blue and yellow quarters: no two ways up look the same."""
  picture = np.empty((height, width, 3), np.uint8)
  top, left = slice(height // 2), slice(width // 2)
  bottom, right = slice(height // 2, None), slice(width // 2, None)
  picture[top, left] = 255, 0, 0
  picture[top, right] = 0, 255, 0
  picture[bottom, left] = 0, 0, 255
  picture[bottom, right] = 255, 255, 0
  return picture


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
  """Bytes that do not compress, so that a cut file lacks pixels."""
  rng = np.random.default_rng(seed)
  return rng.integers(0, 256, (height, width, 3), np.uint8)
