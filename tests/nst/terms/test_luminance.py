"""The luminance of a painting against that of a photograph."""

import jax.numpy as jnp
import numpy as np
import pytest

from astgan.nst.terms import interface, luminance, registry
from tests.nst import toy

PHOTOGRAPH = toy.draw(1, 9, 7, 3, seed=5)


def measure(image, photograph=PHOTOGRAPH, width=3, weights=None):
  term = luminance.Luminance(width=width)
  weights = None if weights is None else {"image": jnp.asarray(weights)}
  image, photograph = jnp.asarray(image), jnp.asarray(photograph)
  view = interface.View(image, {}, {"image": photograph}, weights)
  return float(term.distance(term.describe(term.statistics(view)), None))


def squares_float64(image, width):
  light = np.asarray(image, "float64")[0] @ [0.299, 0.587, 0.114]
  windows = np.lib.stride_tricks.sliding_window_view(light, (width, width))
  return windows.mean(axis=(2, 3)).ravel()


@pytest.mark.parametrize("width", [1, 3, 7, 20])
def test_it_is_one_minus_the_correlation_of_squares(width):
  image = toy.draw(1, 9, 7, 3, seed=6)
  pair = [squares_float64(x, min(width, 7)) for x in (image, PHOTOGRAPH)]
  covariance = np.cov(*pair, bias=True)
  scales = np.sqrt(np.diag(covariance) + 1e-6)
  expected = 1 - covariance[0, 1] / np.prod(scales)
  np.testing.assert_allclose(measure(image, width=width), expected, rtol=1e-3)


def test_contrast_mean_and_hue_are_free():
  light = np.asarray(PHOTOGRAPH) @ [[0.299], [0.587], [0.114]]
  paler = np.broadcast_to(0.6 + 0.3 * light, PHOTOGRAPH.shape)
  assert measure(paler.astype("f")) < 0.01
  assert measure(1 - paler.astype("f")) > 1.99


def test_what_has_no_weight_does_not_count():
  image = np.array(PHOTOGRAPH)
  image[:, 5:] = toy.draw(1, 4, 7, 3, seed=7)
  weights = np.ones((1, 9, 7, 1), "f")
  assert measure(image, weights=weights) > 0.1
  weights[:, 3:] = 0  # Squares of three rows end above the fifth.
  assert measure(image, weights=weights) < 1e-3


def test_a_flat_image_has_no_correlation():
  flat = np.full((1, 9, 7, 3), 0.7, "f")
  assert measure(PHOTOGRAPH, flat) == pytest.approx(1, abs=1e-3)


def test_squares_are_a_share_of_the_longer_side():
  def width(side):
    term = registry.of_content(
      "luminance", taps=(), layer_weights=(), side=side
    )
    return term.width

  assert [width(side) for side in (8, 96, 288, 4096)] == [1, 4, 12, 64]
