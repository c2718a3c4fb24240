"""Power spectra: their slope, and the peaks of a checkerboard.

Power is that of the colour channels together, averaged over the images. Each
image is windowed, since its borders do not continue on the other side.
"""

import itertools

import numpy as np
from jaxtyping import Float64, UInt8

# The first frequency of the slope, in cycles per image. The window mixes those
# that differ by 1: the one below has lost power with the mean.
_FIRST = 2
# Pixels whose transforms are in memory at a time: 256 images of 64 a side.
_PIXELS = 256 * 64**2
# Far below one level of 255 in one pixel, and far above the rounding of zero.
_LEAST = 1e-20

Images = UInt8[np.ndarray, "n s s 3"]
Power = Float64[np.ndarray, "s s"]


def power(images: Images) -> Power:
  """Mean squared Fourier coefficients, with frequency 0 at [0, 0].

  Values are in [0, 1], without their mean, under a Hann window in both axes;
  the coefficients of white noise are its variance, whatever the size. None is
  below 1e-20: images of one colour have a flat spectrum, with slope 0 and no
  peaks.
  """
  n, side = images.shape[:2]
  window = np.hanning(side + 1)[:-1]  # Periodic: no frequency leaks beyond 1.
  window = np.outer(window, window)[None, :, :, None]
  total = np.zeros((side, side))
  chunk = max(1, _PIXELS // side**2)
  for start in range(0, n, chunk):
    values = images[start : start + chunk] / 255
    mean = np.sum(values * window, axis=(1, 2), keepdims=True) / window.sum()
    transforms = np.fft.fft2((values - mean) * window, axes=(1, 2))
    total += np.sum(np.abs(transforms) ** 2, axis=(0, 3))
  return np.maximum(total / (3 * n * np.sum(window**2)), _LEAST)


def slope(spectrum: Power) -> float:
  """The exponent a of power = frequency^a, averaged over directions.

  White noise has 0, pink noise -2. Photographs have -2 on average; paintings
  that were reduced to 32 to 256 pixels a side have -2.5 to -3.1 in the mean and
  -1.4 to -3.6 each. Fakes with too much fine detail are nearer to 0 than their
  reals; 0 is also that of images of one colour. A straight line is fitted to
  the logarithms from the second frequency to half of the sampling rate, each
  weighted by 1 / frequency, so that all octaves count alike.

  References: Field, Relations between the Statistics of Natural Images and the
    Response Properties of Cortical Cells, 1987; Graham and Field, Statistical
    Regularities of Art Images and Natural Scenes, 2007.
  """
  side = len(spectrum)
  ring = np.rint(_frequencies(side)).astype(int)
  sums = np.bincount(ring.ravel(), spectrum.ravel())
  average = sums / np.bincount(ring.ravel())
  rings = np.arange(_FIRST, side // 2 + 1)
  weights = 1 / rings
  x, y = np.log(rings), np.log(average[rings])
  x, y = x - np.average(x, weights=weights), y - np.average(y, weights=weights)
  return float(np.sum(weights * x * y) / np.sum(weights * x * x))


def peaks(spectrum: Power) -> tuple[float, float]:
  """Power at half and at a quarter of the sampling rate over that around it.

  A transposed convolution of stride 2 leaves a pattern of period 2, and two of
  them one of period 4: power at the multiples of a half, and of a quarter, of
  the sampling rate in both axes. Images of the world have none there: 1;
  hundreds of paintings have 0.9 to 1.4. A checkerboard of 2 of 255 levels on
  all of 100 paintings of 64 px has 500.

  Args:
    spectrum: of images with a multiple of 4 pixels a side, 32 or more.

  Returns: the means over the 3 frequencies (u, v) whose parts are 0 or a half,
    and over the 12 further ones whose parts are 0, a quarter, a half or three
    quarters. Power is first divided by frequency^slope, then by its geometric
    mean 3 and 4 cycles per image away along each axis; not along one where the
    frequency is 0, since the world is full of horizontals and verticals.

  References: Odena et al., Deconvolution and Checkerboard Artifacts, 2016;
    Durall et al., Watch your Up-Convolution, 2020.
  """
  side = len(spectrum)
  if side % 4 or side < 32:
    raise ValueError(
      f"images have {side} pixels a side; expected a multiple of 4 from 32 on"
    )
  flat = spectrum / np.maximum(1, _frequencies(side)) ** slope(spectrum)
  ratios = {
    (u, v): _ratio(flat, u * side // 4, v * side // 4)
    for u, v in itertools.product(range(4), repeat=2)
    if (u, v) != (0, 0)
  }
  halves = [r for (u, v), r in ratios.items() if u % 2 == 0 and v % 2 == 0]
  quarters = [r for (u, v), r in ratios.items() if u % 2 or v % 2]
  return float(np.mean(halves)), float(np.mean(quarters))


def _frequencies(side: int) -> Power:
  """Of each coefficient, in cycles per image."""
  frequencies = np.fft.fftfreq(side, 1 / side)
  return np.hypot(frequencies[:, None], frequencies[None])


def _ratio(flat: Power, u: int, v: int) -> float:
  steps = (-4, -3, 3, 4)
  around = [flat[(u + i) % len(flat), v] for i in steps if u]
  around += [flat[u, (v + i) % len(flat)] for i in steps if v]
  return float(flat[u, v] / np.exp(np.mean(np.log(around))))
