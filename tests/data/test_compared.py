"""Which windows of which images are compared."""

import numpy as np
import pytest

from astgan.data import compared

# Every row and column of an image has its own value.
ARRAY = np.broadcast_to(
  10 * np.arange(9)[:, None, None] + np.arange(9)[None, :, None],
  (400, 9, 9, 3),
).astype(np.uint8)


@pytest.mark.parametrize("indices", [[0, 1, 2, 3], [2, 0], [3, 1, 1, 0]])
def test_images_of_the_size_are_taken_whole(indices):
  array = np.arange(4 * 6 * 6 * 3, dtype=np.uint8).reshape(4, 6, 6, 3)
  found = compared.windows(array, np.array(indices), 6)
  np.testing.assert_array_equal(found, array[indices], strict=True)


def test_windows_lie_anywhere_and_always_at_the_same_place():
  found = compared.windows(ARRAY, np.arange(400), 4)
  assert found.shape == (400, 4, 4, 3)
  rows, columns = np.divmod(found[:, 0, 0, 0], 10)
  assert set(rows) == set(columns) == set(range(6))
  np.testing.assert_array_equal(found[:, 3, 2, 1], 10 * rows + columns + 32)
  again = compared.windows(ARRAY, np.array([7, 5]), 4)
  np.testing.assert_array_equal(again, found[[7, 5]])
  none = compared.windows(ARRAY, np.array([], int), 4)
  assert none.shape == (0, 4, 4, 3)
