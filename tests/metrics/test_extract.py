"""Features in batches equal those of all images at once."""

import numpy as np
import pytest

from astgan.metrics import extract
from tests.metrics import tiny


def expected(images):
  unit = images / 255
  means, deviations = unit.mean((1, 2)), unit.std((1, 2))
  return 2 * np.concatenate([means, means**2, unit[:, 0, 0], deviations], 1)


@pytest.mark.parametrize("count", [1, 3, 8, 11])
def test_the_last_batch_is_filled_up_and_cut(count):
  images = tiny.draw(count, 4)
  found = extract.features(tiny.make(), images, batch_size=3)
  assert (found.dtype, found.shape) == ("float32", (count, 12))
  np.testing.assert_allclose(found, expected(images), rtol=1e-5)


def test_the_size_of_a_batch_does_not_count():
  images = tiny.draw(10, 4)
  small, large = (
    extract.features(tiny.make(), images, batch_size=size) for size in (2, 64)
  )
  np.testing.assert_array_equal(small, large, strict=True)
