"""Which windows of which images are compared."""

import numpy as np
import pytest

from astgan.data import compared

ARRAY = np.arange(4 * 6 * 6 * 3, dtype=np.uint8).reshape(4, 6, 6, 3)


@pytest.mark.parametrize("indices", [[0, 1, 2, 3], [2, 0], [3, 1, 1, 0]])
def test_windows_are_the_middles_of_the_images_named(indices):
  found = compared.centre(ARRAY, np.array(indices), 4)
  expected = ARRAY[indices][:, 1:5, 1:5]
  np.testing.assert_array_equal(found, expected, strict=True)
