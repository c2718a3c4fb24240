"""Spectra of noises and checkerboards whose power is known."""

import cmath
import math

import numpy as np
import pytest

from astgan.metrics import spectrum
from tests import pictures
from tests.metrics import paintings


def to_bytes(values):
  """Bytes of [n s s], the same in each channel; 40 is a standard deviation."""
  values = 128 + 40 * values / values.std()
  channels = np.repeat(values[..., None], 3, axis=-1)
  return channels.round().clip(0, 255).astype(np.uint8)


def noise(n, side, *, exponent):
  """Random phases and the power frequency^exponent."""
  frequencies = np.fft.fftfreq(side)
  radius = np.hypot(frequencies[:, None], frequencies[None])
  radius[0, 0] = 1
  white = np.random.default_rng(0).normal(size=(n, side, side))
  coloured = np.fft.fft2(white) * radius[None] ** (exponent / 2)
  return to_bytes(np.fft.ifft2(coloured).real)


def test_power_agrees_with_the_sum_of_the_definition():
  images = np.random.default_rng(0).integers(0, 256, (2, 4, 4, 3), np.uint8)
  window = [math.sin(math.pi * i / 4) ** 2 for i in range(4)]
  weights = [[a * b for b in window] for a in window]
  total = 0
  for image in images / 255:
    for channel in np.moveaxis(image, -1, 0):
      mean = np.sum(channel * weights) / np.sum(weights)
      total += abs(
        sum(
          (channel[y, x] - mean)
          * weights[y][x]
          * cmath.exp(-2j * math.pi * (1 * y + 2 * x) / 4)
          for y in range(4)
          for x in range(4)
        )
      ) ** 2  # fmt: skip
  expected = total / (2 * 3 * np.sum(np.square(weights)))
  np.testing.assert_allclose(spectrum.power(images)[1, 2], expected, rtol=1e-6)


def test_the_power_of_white_noise_is_its_variance():
  found = spectrum.power(noise(300, 32, exponent=0))
  np.testing.assert_allclose(
    found[3:-3, 3:-3].mean(), (40 / 255) ** 2, rtol=0.02
  )


@pytest.mark.parametrize("exponent", [0, -1, -2])
def test_the_slope_of_noise_is_its_exponent(exponent):
  found = spectrum.slope(spectrum.power(noise(100, 64, exponent=exponent)))
  assert abs(found - exponent) < 0.1


def random_power(side=32):
  return np.random.default_rng(0).uniform(0.1, 2, (side, side))


def frequency(i, side):
  return i if i <= side // 2 else i - side


def naive_slope(power):
  """The weighted fit by the normal equations, ring by ring."""
  side, rings = len(power), {}
  for i in range(side):
    for j in range(side):
      ring = round(math.hypot(frequency(i, side), frequency(j, side)))
      rings.setdefault(ring, []).append(power[i, j])
  sums = [0.0] * 5
  for ring in range(2, side // 2 + 1):
    x, y = math.log(ring), math.log(sum(rings[ring]) / len(rings[ring]))
    terms = (1, x, y, x * x, x * y)
    sums = [a + b / ring for a, b in zip(sums, terms, strict=True)]
  w, x, y, xx, xy = sums
  return (w * xy - x * y) / (w * xx - x * x)


def naive_peaks(power):
  """Each power over the geometric mean of those around it, one by one."""
  side, exponent = len(power), naive_slope(power)
  flat = [
    [
      power[i, j]
      / max(1, math.hypot(frequency(i, side), frequency(j, side))) ** exponent
      for j in range(side)
    ]
    for i in range(side)
  ]
  peaks = {2: [], 4: []}
  for u in range(0, side, side // 4):
    for v in range(0, side, side // 4):
      if u == v == 0:
        continue
      around = []
      for step in (-4, -3, 3, 4):
        if u:
          around.append(flat[(u + step) % side][v])
        if v:
          around.append(flat[u][(v + step) % side])
      ratio = flat[u][v] / math.prod(around) ** (1 / len(around))
      is_half = u in (0, side // 2) and v in (0, side // 2)
      peaks[2 if is_half else 4].append(ratio)
  assert [len(ratios) for ratios in peaks.values()] == [3, 12]
  return [sum(ratios) / len(ratios) for ratios in peaks.values()]


def test_slope_and_peaks_agree_with_loops():
  power = random_power()
  np.testing.assert_allclose(
    spectrum.slope(power), naive_slope(power), rtol=1e-6
  )
  np.testing.assert_allclose(
    spectrum.peaks(power), naive_peaks(power), rtol=1e-6
  )


@pytest.mark.parametrize("value", [0, 77, 255])
def test_images_of_one_colour_are_flat_and_without_peaks(value):
  found = spectrum.power(np.full((3, 64, 64, 3), value, np.uint8))
  assert abs(spectrum.slope(found)) < 1e-9
  np.testing.assert_allclose(spectrum.peaks(found), 1, rtol=1e-9)


def test_stripes_have_finite_peaks():
  stripes = np.tile(np.arange(64, dtype=np.uint8)[None, :, None], (64, 1, 3))
  assert np.isfinite(spectrum.peaks(spectrum.power(stripes[None]))).all()


def test_noise_has_no_peaks():
  for exponent in (0, -2):
    found = spectrum.peaks(spectrum.power(noise(300, 64, exponent=exponent)))
    np.testing.assert_allclose(found, 1, atol=0.1)


def pattern(period):
  """Squares of half a period, 1 and -1, [1 64 64]."""
  signs = np.where(np.arange(64) % period < period // 2, 1, -1)
  return np.outer(signs, signs)[None]


def test_a_checkerboard_counts_by_its_contrast():
  # With amplitude c, over noise of deviation s, under the window w: at one of
  # three frequencies the power is s^2 + c^2 (sum w)^2 / sum w^2. A Hann window
  # of n has the sum n / 2, and the sum of squares 3 n / 8.
  draws = np.random.default_rng(0)
  values = draws.normal(128, 30, (400, 64, 64, 3)) + 6 * pattern(2)[..., None]
  images = values.round().clip(0, 255).astype(np.uint8)
  half, quarter = spectrum.peaks(spectrum.power(images))
  expected = 1 + (6 / 30) ** 2 * (32**2 / 24) ** 2 / 3
  np.testing.assert_allclose(half, expected, rtol=0.1)
  np.testing.assert_allclose(quarter, 1, atol=0.1)


def test_a_pattern_of_period_four_shows_at_the_quarter():
  draws = np.random.default_rng(0)
  values = draws.normal(128, 30, (100, 64, 64, 3)) + 6 * pattern(4)[..., None]
  images = values.round().clip(0, 255).astype(np.uint8)
  half, quarter = spectrum.peaks(spectrum.power(images))
  np.testing.assert_allclose(half, 1, atol=0.2)
  assert quarter > 5


@pytest.mark.parametrize("side", [30, 28])
def test_sides_without_room_around_the_peaks_are_refused(side):
  with pytest.raises(ValueError, match="multiple of 4 from 32"):
    spectrum.peaks(np.ones((side, side)))


@pictures.needs_shared
def test_paintings_have_no_peaks_and_fall_with_frequency():
  found = spectrum.power(paintings.read(100))
  assert -3.2 < spectrum.slope(found) < -2
  np.testing.assert_allclose(spectrum.peaks(found), 1.1, atol=0.3)


@pictures.needs_shared
def test_a_checkerboard_of_two_levels_on_paintings_is_seen():
  images = paintings.read(100) // 2 + 64
  board = 2 * np.uint8(pattern(2) > 0)[..., None]
  before = spectrum.peaks(spectrum.power(images))
  after = spectrum.peaks(spectrum.power(images + board))
  assert after[0] > 100 > before[0]
  np.testing.assert_allclose(after[1], before[1], rtol=0.1)
