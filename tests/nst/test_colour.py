"""Colours of one image given to another."""

import numpy as np
import pytest

from astgan.nst import colour

DRAWS = np.random.default_rng(0)
# Far enough from 0 and 1 that nothing is clipped.
MIX = np.array([[0.10, 0.02, 0.0], [0.0, 0.05, 0.01], [0.03, 0.0, 0.04]])
IMAGE = 0.5 + np.clip(DRAWS.normal(size=(40, 50, 3)), -3, 3) @ MIX.T
PALETTE = 0.4 + np.clip(DRAWS.normal(size=(900, 3)), -3, 3) @ MIX


@pytest.mark.parametrize("root", colour.ROOTS)
def test_mean_and_covariance_become_those_of_the_palette(root):
  pixels = colour.match_linear(IMAGE, PALETTE, root=root).reshape(-1, 3)
  np.testing.assert_allclose(pixels.mean(0), PALETTE.mean(0), atol=1e-9)
  expected = np.cov(PALETTE.T, bias=True)
  np.testing.assert_allclose(
    np.cov(pixels.T, bias=True), expected, rtol=1e-2, atol=1e-5
  )


def test_the_symmetric_root_moves_colours_least():
  moved = {
    root: np.mean((colour.match_linear(IMAGE, PALETTE, root=root) - IMAGE) ** 2)
    for root in colour.ROOTS
  }
  assert min(moved, key=moved.get) == "symmetric"


def test_an_image_keeps_its_own_colours():
  own = IMAGE.reshape(-1, 3)
  for matched in (
    colour.match_linear(IMAGE, own),
    colour.match_histogram(IMAGE, own),
  ):
    np.testing.assert_allclose(matched, IMAGE, atol=2e-3)


def test_histograms_become_those_of_the_palette():
  pixels = colour.match_histogram(IMAGE, PALETTE).reshape(-1, 3)
  quantiles = np.linspace(0.01, 0.99, 50)
  expected = np.quantile(PALETTE, quantiles, axis=0)
  actual = np.quantile(pixels, quantiles, axis=0)
  np.testing.assert_allclose(actual, expected, atol=2e-3)


def test_equal_pixels_stay_equal():
  flat = np.full((8, 8, 3), 0.25)
  matched = colour.match_histogram(flat, PALETTE)
  median = np.median(PALETTE, axis=0)
  np.testing.assert_allclose(matched[3, 4], median, atol=1e-3)
  assert (matched == matched[0, 0]).all()


def test_chrominance_is_kept_and_luminance_painted():
  painting = np.clip(IMAGE[::-1], 0.45, 0.55)
  kept = colour.keep_chrominance(painting, IMAGE)
  luminance = np.array([0.299, 0.587, 0.114])
  np.testing.assert_allclose(kept @ luminance, painting @ luminance, atol=1e-6)
  # Differences of red and blue to luminance are chrominance.
  for channel in (0, 2):
    np.testing.assert_allclose(
      kept[..., channel] - kept @ luminance,
      IMAGE[..., channel] - IMAGE @ luminance,
      atol=5e-3,
    )


def test_a_root_without_a_name_is_refused():
  with pytest.raises(ValueError, match="symmetric, cholesky, pca"):
    colour.match_linear(IMAGE, PALETTE, root="qr")
