import subprocess
import sys

import numpy as np
import pytest

from astgan.data import landscapes


@pytest.fixture(scope="module")
def sheet():
  """64 landscapes at the size of the default training run."""
  return np.stack([landscapes.draw(index, size=64) for index in range(64)])


def test_a_landscape_is_the_same_in_another_process(sheet):
  script = (
    "import sys; from astgan.data import landscapes;"
    "sys.stdout.buffer.write(landscapes.draw(7, size=64).tobytes())"
  )
  drawn = subprocess.run(
    [sys.executable, "-c", script], capture_output=True, check=True
  ).stdout
  assert drawn == sheet[7].tobytes()


def test_no_two_landscapes_are_alike(sheet):
  flat = sheet.reshape(64, -1).astype(np.float32)
  for index in range(63):
    apart = np.abs(flat[index + 1 :] - flat[index]).mean(-1)
    assert apart.min() > 8


def test_another_seed_is_another_series(sheet):
  other = landscapes.draw(3, size=64, seed=1)
  assert np.abs(other.astype(float) - sheet[3]).mean() > 8


@pytest.mark.parametrize("size", [32, 48, 131])
def test_a_landscape_has_the_size_asked_for(size):
  image = landscapes.draw(0, size=size)
  assert image.shape == (size, size, 3)
  assert image.dtype == np.uint8


@pytest.mark.parametrize("index", range(4))
def test_a_small_landscape_is_a_large_one_from_afar(index, sheet):
  halved = sheet[index].reshape(32, 2, 32, 2, 3).mean((1, 3))
  small = landscapes.draw(index, size=32)
  # Both are resized from one resolution, so only rounding differs, twice.
  assert np.abs(small - halved).max() <= 1.5
  large = landscapes.draw(index, size=256)
  quartered = large.reshape(64, 4, 64, 4, 3).mean((1, 3))
  assert np.abs(quartered - sheet[index]).mean() < 4


def test_the_landscapes_differ_in_colour(sheet):
  means = sheet.reshape(64, -1, 3).mean(1)
  # The deviation over the sheet of the mean colour, per channel, of 255.
  assert means.std(0).min() > 22


def test_the_landscapes_differ_in_composition(sheet):
  """The grey images, equal in mean and contrast, span many directions."""
  grey = sheet.mean(-1).reshape(64, 8, 8, 8, 8).mean((2, 4)).reshape(64, -1)
  grey -= grey.mean(1, keepdims=True)
  grey /= grey.std(1, keepdims=True)
  power = np.linalg.svd(grey - grey.mean(0), compute_uv=False) ** 2
  # The number of equally strong directions with the same concentration.
  assert power.sum() ** 2 / (power**2).sum() > 7


def test_the_sky_is_brighter_than_the_ground(sheet):
  rows = sheet.astype(float).mean((2, 3))  # [image, row]
  assert (rows[:, :16].mean(1) - rows[:, 48:].mean(1)).mean() > 15


def test_most_landscapes_reach_from_dark_to_bright(sheet):
  low, high = np.percentile(sheet.reshape(64, -1), [2, 98], axis=1)
  assert np.median(high - low) > 120
  assert low.max() < 170


def test_the_strokes_leave_texture_everywhere(sheet):
  steps = np.abs(np.diff(sheet.astype(float), axis=2)).mean((2, 3))
  assert np.median(steps[:, :16]) > 1
  assert np.median(steps[:, 48:]) > 2
