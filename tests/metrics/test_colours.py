"""Colour histograms by hand."""

import numpy as np

from astgan.metrics import colours


def plain(*bytes_):
  """An image of one column with a pixel of each grey."""
  return np.repeat(np.array(bytes_, np.uint8)[None, :, None, None], 3, axis=3)


def distance(a, b):
  return colours.distance(colours.histogram(a), colours.histogram(b))


def test_a_quarter_of_the_pixels_in_another_box_is_a_quarter():
  assert distance(plain(0, 0, 100, 200), plain(0, 0, 100, 255)) == 0.25


def test_pixels_within_a_box_are_one_colour():
  assert distance(plain(0, 31), plain(15, 16)) == 0


def test_palettes_without_a_colour_in_common_differ_by_one():
  assert distance(plain(31), plain(32, 255)) == 1


def test_the_number_of_pixels_does_not_count():
  assert distance(plain(7), np.zeros((3, 5, 4, 3), np.uint8)) == 0


def test_channels_are_not_exchanged():
  red = np.zeros((1, 1, 1, 3), np.uint8)
  red[..., 0] = 255
  assert distance(red, red[..., ::-1]) == 1


def test_each_box_has_its_own_number():
  edges = np.arange(0, 256, 32, dtype=np.uint8)
  boxes = np.stack(np.meshgrid(edges, edges, edges), axis=-1)
  found = colours.histogram(boxes.reshape(1, 8, 64, 3))
  np.testing.assert_array_equal(found, np.full(512, 1 / 512))
