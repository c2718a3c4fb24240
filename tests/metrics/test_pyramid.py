"""Pyramids against scipy, and distances of sets with known answers."""

import numpy as np
import pytest
import scipy.ndimage
import scipy.stats

from astgan.metrics import pyramid
from tests import pictures
from tests.metrics import paintings


def noise(n, side, seed=0):
  draws = np.random.default_rng(seed)
  return draws.integers(0, 256, (n, side, side, 3), np.uint8)


def distance(a, b):
  return pyramid.distance(*(pyramid.project(x, patches=2048) for x in (a, b)))


def blur(planes):
  kernel = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1])[None, :, :, None] / 256
  return scipy.ndimage.convolve(planes, kernel, mode="mirror")


def test_bands_agree_with_scipy():
  image = noise(1, 32).astype(np.float64)
  small = blur(image)[:, ::2, ::2]
  spread = np.zeros_like(image)
  spread[:, ::2, ::2] = small
  bands = pyramid.laplacian(noise(1, 32))
  np.testing.assert_allclose(bands[1], small, rtol=1e-6)
  expected = image - 4 * blur(spread)
  np.testing.assert_allclose(bands[0], expected, rtol=1e-6, atol=1e-9)


def test_bands_add_up_to_the_image():
  bands = pyramid.laplacian(noise(2, 64))
  total = bands[-1]
  for band in reversed(bands[:-1]):
    total = band + pyramid.enlarge(total)
  np.testing.assert_allclose(total, noise(2, 64), atol=1e-9)


@pytest.mark.parametrize(
  ("side", "levels"), [(64, [64, 32, 16]), (96, [96, 48, 24]), (33, [33])]
)
def test_sides_are_halved_while_even_and_16_remain(side, levels):
  found = pyramid.project(noise(2, side), patches=8, projections=2)
  assert list(found) == levels


def test_the_distance_is_the_mean_of_those_of_scipy():
  a, b = (
    pyramid.project(noise(4, 16, seed), patches=50, projections=3)[16]
    for seed in (0, 1)
  )
  expected = np.mean(
    [scipy.stats.wasserstein_distance(a[:, i], b[:, i]) for i in range(3)]
  )
  found = pyramid.distance({16: a}, {16: b})[16]
  np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_projections_agree_with_loops():
  images, patches = noise(3, 16), 5
  draws = np.random.default_rng(4)
  directions = draws.normal(size=(3 * 7 * 7, 2))
  top, left = draws.integers(0, 10, (2, patches))
  values = np.zeros((patches, 3, 7, 7))
  for number in range(patches):
    image = images[number * 3 // patches]
    for channel in range(3):
      for i in range(7):
        for j in range(7):
          y, x = top[number] + i, left[number] + j
          values[number, channel, i, j] = image[y, x, channel]
  for channel in range(3):
    numbers = values[:, channel].ravel().tolist()
    mean = sum(numbers) / len(numbers)
    variance = sum((x - mean) ** 2 for x in numbers) / len(numbers)
    values[:, channel] = (values[:, channel] - mean) / variance**0.5
  columns = []
  for direction in directions.T.tolist():
    length = sum(x * x for x in direction) ** 0.5
    columns.append(
      sorted(
        sum(a * b for a, b in zip(patch, direction, strict=True)) / length
        for patch in values.reshape(patches, -1).tolist()
      )
    )
  found = pyramid.project(images, patches=patches, projections=2, seed=4)
  expected = np.array(columns).T
  np.testing.assert_allclose(found[16], expected, rtol=1e-6, strict=True)


def test_projections_of_white_noise_are_standard_normal():
  (found,) = pyramid.project(noise(64, 16), patches=4096).values()
  assert abs(found.mean()) < 0.02
  assert abs(found.std() - 1) < 0.02


def test_identical_sets_have_none():
  assert set(distance(noise(5, 32), noise(5, 32)).values()) == {0}


def test_brightness_and_contrast_do_not_count():
  images = noise(5, 32) // 4 * 2
  found = distance(images, images // 2 + 40)
  np.testing.assert_allclose(list(found.values()), 0, atol=1e-9)


def test_more_images_than_patches_are_drawn_from_all_over():
  images = noise(40, 16)
  images[20:] = 128
  found = pyramid.project(images, patches=10, projections=2)[16]
  # All patches of the plain half of the images are the same.
  _, counts = np.unique(found[:, 0].round(9), return_counts=True)
  assert sorted(counts) == [1, 1, 1, 1, 1, 5]


def test_the_number_of_images_does_not_change_the_directions():
  few, many = noise(3, 16), np.tile(noise(3, 16), (100, 1, 1, 1))
  assert distance(few, many)[16] < 0.05


@pictures.needs_shared
def test_what_replaces_paintings_by_noise_of_their_colours_is_seen():
  images = paintings.read(60)
  shuffled = np.random.default_rng(0).permuted(
    images.reshape(60, -1, 3), axis=1
  )
  halves = distance(images[::2], images[1::2])
  replaced = distance(images, shuffled.reshape(images.shape))
  for size, value in halves.items():
    assert value < 0.15
    assert replaced[size] > 2 * value
