"""The metrics on the features of one network, against one reference set."""

import functools
from collections.abc import Collection

import numpy as np
from jaxtyping import Float64, Int64, UInt8

from astgan.features import extractors
from astgan.metrics import extract, frechet, kernel, neighbours

METRICS = (
  *("frechet", "kernel", "precision_recall", "density_coverage"),
  *("authenticity", "diversity"),
)

# Training images by whose features all are standardised.
STANDARDISING = 2000

Images = UInt8[np.ndarray, "_n _s _s 3"]
Features = Float64[np.ndarray, "_n d"]


class Reference:
  """Features of the reference images and of the training images.

  Each channel is divided by its standard deviation over training images, after
  subtracting its mean, so that no channel counts for its size. The features of
  the Inception network stay as they are, as its distances are published.

  Attributes:
    features: of the reference images.
    sample: of as many training images.

  Args:
    net: the network.
    training: all training images.
    order: a permutation of them; the first are the sample, and standardise.
    held_out: the reference images; None takes the sample.
    count: images of the sample.
  """

  def __init__(
    self,
    net: extractors.Extractor,
    training: Images,
    order: Int64[np.ndarray, "_n"],
    held_out: Images | None,
    *,
    count: int,
  ) -> None:
    self._net, self._training, self._order = net, training, order
    self._mean, self._deviation = 0.0, 1.0
    first = self.of(training[order[: max(count, STANDARDISING)]])
    if net.name != "inception":
      self._mean = first[:STANDARDISING].mean(axis=0)[None]
      self._deviation = _deviation(first[:STANDARDISING])[None]
    self._first = (first - self._mean) / self._deviation
    self.sample = self._first[:count]
    self.features = self.sample if held_out is None else self.of(held_out)

  def of(self, images: Images) -> Features:
    """The standardised features of images."""
    found = extract.features(self._net, images).astype(np.float64)
    return (found - self._mean) / self._deviation

  @functools.cached_property
  def training(self) -> Features:
    """The features of all training images, in their own order."""
    if len(self._first) < len(self._training):
      return self.of(self._training)
    return self._first[np.argsort(self._order)]

  def compare(
    self,
    fake: Features,
    metrics: Collection[str],
    *,
    unseen: Features | None = None,
    subset_size: int,
    subsets: int,
    seed: int,
  ) -> dict[str, float]:
    """Numbers by name.

    `diversity` is that of the fakes over that of the reference, which must not
    be 0: 1 is as varied.

    Args:
      fake: features of the images that are measured.
      metrics: those of METRICS that are asked for, among others.
      unseen: the features whose authenticity is asked; None takes `fake`.
      subset_size, subsets, seed: of the kernel distance.
    """
    real, numbers = self.features, {}
    if "frechet" in metrics:
      numbers["frechet"] = frechet.distance_of_sets(real, fake)
    if "kernel" in metrics:
      numbers["kernel"], numbers["kernel_std"] = kernel.distance(
        real, fake, subset_size=subset_size, subsets=subsets, seed=seed
      )
    if "precision_recall" in metrics:
      found = neighbours.precision_recall(real, fake)
      numbers["precision"], numbers["recall"] = found
    if "density_coverage" in metrics:
      found = neighbours.density_coverage(real, fake)
      numbers["density"], numbers["coverage"] = found
    if "authenticity" in metrics:
      unseen = fake if unseen is None else unseen
      numbers["authenticity"] = neighbours.authenticity(
        self.training, unseen, spacing=self._spacing
      )
    if "diversity" in metrics:
      numbers["diversity"] = neighbours.diversity(fake) / self.diversity
    return numbers

  @functools.cached_property
  def diversity(self) -> float:
    """That of the reference, the unit of those that are compared."""
    return neighbours.diversity(self.features)

  @functools.cached_property
  def _spacing(self) -> Float64[np.ndarray, "_n"]:
    return neighbours.radii(self.training, k=1)


def _deviation(features: Features) -> Float64[np.ndarray, "d"]:
  """Per channel, but no less than a tenth of its root mean square over all.

  A channel that training images hardly ever move would otherwise decide all
  distances when other images do: the kernel distance of photographs from
  paintings on AlexNet's relu3 is 4 with this bound and 200 million without.
  """
  deviation = features.std(axis=0)
  least = 0.1 * np.sqrt(np.mean(deviation**2))
  return np.maximum(deviation, least if least > 0 else 1.0)
