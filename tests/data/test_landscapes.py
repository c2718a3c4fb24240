import subprocess
import sys

import numpy as np
import pytest

from astgan.data import landscapes


@pytest.fixture(scope="module")
def sheet():
  """64 paintings at the size of the default training run."""
  return np.stack([landscapes.draw(index, size=64) for index in range(64)])


def test_a_painting_is_the_same_when_drawn_again(sheet):
  np.testing.assert_array_equal(
    landscapes.draw(5, size=64), sheet[5], strict=True
  )


def test_a_painting_is_the_same_in_another_process(sheet):
  script = (
    "import sys; from astgan.data import landscapes;"
    "sys.stdout.buffer.write(landscapes.draw(7, size=64).tobytes())"
  )
  drawn = subprocess.run(
    [sys.executable, "-c", script], capture_output=True, check=True
  ).stdout
  assert drawn == sheet[7].tobytes()


def test_no_two_paintings_are_alike(sheet):
  flat = sheet.reshape(64, -1).astype(np.float32)
  for index in range(63):
    apart = np.abs(flat[index + 1 :] - flat[index]).mean(-1)
    assert apart.min() > 8


def test_another_seed_is_another_series(sheet):
  other = landscapes.draw(3, size=64, seed=1)
  assert np.abs(other.astype(float) - sheet[3]).mean() > 8


@pytest.mark.parametrize("size", [32, 48, 64, 128, 131])
def test_a_painting_has_the_size_asked_for(size):
  picture = landscapes.draw(0, size=size)
  assert picture.shape == (size, size, 3)
  assert picture.dtype == np.uint8


@pytest.mark.parametrize("index", [0, 1, 2, 3])
def test_a_small_painting_is_the_large_one_seen_from_afar(index, sheet):
  halved = sheet[index].reshape(32, 2, 32, 2, 3).mean((1, 3))
  small = landscapes.draw(index, size=32)
  # Rounded twice at most: both are drawn at one resolution.
  assert np.abs(small - halved).max() <= 1.5
  large = landscapes.draw(index, size=256)
  quartered = large.reshape(64, 4, 64, 4, 3).mean((1, 3))
  assert np.abs(quartered - sheet[index]).mean() < 4


def test_the_paintings_differ_in_colour(sheet):
  means = sheet.reshape(64, -1, 3).mean(1)
  # Deviation of the mean colour over the sheet, per channel, of 255.
  assert means.std(0).min() > 22


def test_the_sky_is_lighter_than_the_ground(sheet):
  light = sheet.astype(float).mean((2, 3))  # [picture, row]
  sky, ground = light[:, :16].mean(1), light[:, 48:].mean(1)
  assert (sky - ground).mean() > 15


def test_the_brush_leaves_texture_everywhere(sheet):
  steps = np.abs(np.diff(sheet.astype(float), axis=2)).mean((2, 3))
  assert np.median(steps[:, :16]) > 1
  assert np.median(steps[:, 48:]) > 2
