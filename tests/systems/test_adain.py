"""AdaIN by hand."""

import numpy as np

from astgan.systems import adain
from tests.models.numbers import close, draw


def test_channels_get_the_mean_and_the_deviation_of_the_style():
  content, style = draw(2, 6, 7, 3), 4 + 3 * draw(2, 5, 5, 3, seed=1)
  changed = adain.adain(content, adain.statistics(style))
  for of in (np.mean, np.std):
    close(of(changed, (1, 2)), np.float32(of(style, (1, 2))), rtol=1e-4)


def test_their_order_of_values_stays():
  content, style = draw(1, 4, 4, 2), draw(1, 3, 3, 2, seed=1)
  changed = adain.adain(content, adain.statistics(style))
  for channel in range(2):
    before, after = (np.ravel(x[..., channel]) for x in (content, changed))
    np.testing.assert_array_equal(np.argsort(before), np.argsort(after))
