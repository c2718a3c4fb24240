"""The metrics that need no network, against one reference set."""

from collections.abc import Collection

import numpy as np
from jaxtyping import UInt8

from astgan.metrics import colours, pyramid, spectrum

METRICS = ("sliced_wasserstein", "spectrum", "colours")

Images = UInt8[np.ndarray, "_n _s _s 3"]


class Reference:
  """What the metrics need of the reference images, computed once.

  Args:
    images: of the reference set.
    metrics: those of METRICS that are asked for, among others.
    seed: of the patches and directions.
  """

  def __init__(
    self, images: Images, metrics: Collection[str], *, seed: int
  ) -> None:
    self._metrics = metrics
    self._seed = seed
    if "sliced_wasserstein" in metrics:
      self._projections = pyramid.project(images, seed=seed)
    if "colours" in metrics:
      self._histogram = colours.histogram(images)

  def compare(self, images: Images) -> dict[str, float]:
    """Numbers by name: `spectrum` has three, which need no reference."""
    numbers = {}
    if "sliced_wasserstein" in self._metrics:
      projections = pyramid.project(images, seed=self._seed)
      levels = pyramid.distance(projections, self._projections)
      numbers["sliced_wasserstein"] = float(np.mean(list(levels.values())))
    if "spectrum" in self._metrics:
      power = spectrum.power(images)
      half, quarter = spectrum.peaks(power)
      numbers["spectrum_slope"] = spectrum.slope(power)
      numbers |= {"spectrum_half": half, "spectrum_quarter": quarter}
    if "colours" in self._metrics:
      histogram = colours.histogram(images)
      numbers["colours"] = colours.distance(histogram, self._histogram)
    return numbers
