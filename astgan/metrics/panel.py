"""All numbers of a set of images, by names that say their protocol.

`kernel_vgg16_relu3_300` is the kernel distance on the features vgg16_relu3 of
300 images against 300 others (2k: 2,000); its standard deviation over the
subsets ends in `_std`. A metric whose network the training used has `_seen`:
the generator may have learned what that network likes. With the published file
of Inception the distances are called fid and kid.
"""

from collections.abc import Collection, Sequence

import numpy as np
from jaxtyping import Int64, UInt8

from astgan import errors
from astgan.features import extractors
from astgan.metrics import neighbours, net_metrics, pixel_metrics

PIXEL_METRICS = pixel_metrics.METRICS
METRICS = net_metrics.METRICS + PIXEL_METRICS

# Images per side that the fifth nearest neighbour needs.
FEWEST = 6

_PUBLISHED = {"frechet_inception": "fid", "kernel_inception": "kid"}

Images = UInt8[np.ndarray, "_n _h _w 3"]
Numbers = dict[str, float]


class Panel:
  """Measures sets of images against a reference set, whose features it keeps.

  The reference is the held-out images, or the training images where none are
  held out. Both sides have equally many images, since most numbers depend on
  how many: `count`, or as many as the smaller of the held-out and the training
  images, if these are fewer. They are drawn by the seed.

  Attributes:
    count: images per side.
    subset_size: images in a subset of the kernel distance.
    reference: "held_out" or "training".

  Args:
    training: all images that the generator learned from. They standardise the
      features, and authenticity is that against all of them.
    held_out: images of the same kind that it did not learn from; may be empty.
    nets: feature networks.
    metrics: any of METRICS.
    count: the largest number of images per side.
    subset_size: images in a subset of the kernel distance; 0 is half of those
      of a side, but at most 1,000.
    subsets: how many are drawn.
    seen_nets: networks, such as vgg16, that the training used.
    seed: of all draws.

  Raises:
    UserError: too few images, a subset larger than a side, a size of images
      that the metrics cannot use, or a reference of equal images whose
      diversity is asked for.
  """

  def __init__(
    self,
    training: Images,
    held_out: Images,
    *,
    nets: Sequence[extractors.Extractor] = (),
    metrics: Collection[str] = METRICS,
    count: int = 2000,
    subset_size: int = 0,
    subsets: int = 100,
    seen_nets: Collection[str] = (),
    seed: int = 0,
  ) -> None:
    sizes = [len(training)] + [len(held_out)] * bool(len(held_out))
    self.count = min(count, *sizes)
    self._check(training, len(held_out), subset_size)
    self._training = training
    self._metrics = metrics
    self._seen_nets = seen_nets
    self.subset_size = subset_size or min(1000, self.count // 2)
    self._kernel = {
      "subset_size": self.subset_size,
      "subsets": subsets,
      "seed": seed,
    }
    draws = np.random.default_rng(seed)
    order = draws.permutation(len(training))
    self._sample = training[order[: self.count]]
    self._held_out = held_out[draws.permutation(len(held_out))[: self.count]]
    held_out = self._held_out if len(held_out) else None
    self.reference = "training" if held_out is None else "held_out"
    compared = self._sample if held_out is None else held_out
    self._pixels = pixel_metrics.Reference(compared, metrics, seed=seed)
    self._nets = {
      net.name: net_metrics.Reference(
        net, training, order, held_out, count=self.count
      )
      for net in nets
    }
    self._published = {net.name for net in nets if net.is_published}
    if "diversity" in metrics:
      self._check_variety(compared)

  def measure(self, images: Images) -> Numbers:
    """The numbers of `count` images, the first of those given.

    Raises:
      UserError: there are fewer, or they have another size.
    """
    if len(images) < self.count:
      raise errors.UserError(
        f"config.evaluate.count: {len(images)} images are given, but"
        f" {self.count} compared; lower it, or add images"
      )
    if images.shape[1:] != self._training.shape[1:]:
      raise errors.UserError(
        f"config.data.size: images of {images.shape[2]} pixels a side cannot be"
        f" compared with those of {self._training.shape[2]}; give one size"
      )
    images = images[: self.count]
    numbers = self._label(self._pixels.compare(images))
    for name, net in self._nets.items():
      found = net.compare(net.of(images), self._metrics, **self._kernel)
      numbers |= self._label(found, name)
    return numbers

  def floor(self) -> Numbers:
    """What training images have against the held-out ones.

    A generator that draws as the painter did has these numbers. Authenticity
    is that of the held-out images. Empty where no images are held out.
    """
    if not len(self._held_out):
      return {}
    numbers = self._label(self._pixels.compare(self._sample))
    for name, net in self._nets.items():
      found = net.compare(
        net.sample, self._metrics, unseen=net.features, **self._kernel
      )
      numbers |= self._label(found, name)
    return numbers

  def nearest(
    self, images: Images, count: int
  ) -> dict[str, Int64[np.ndarray, "_n _count"]]:
    """The nearest training images of each image, the nearest first.

    Returns: for "pixels" and for each network, whose name ends in `_seen` if
      the training used it, indices of `count` training images, or of all where
      they are fewer.
    """
    count = min(count, len(self._training))
    pixels = [x.reshape(len(x), -1) for x in (images, self._training)]
    pairs = {"pixels": pixels} | {
      name + self._seen(name): (net.of(images), net.training)
      for name, net in self._nets.items()
    }
    return {
      name: neighbours.nearest(*pair, count=count)[0]
      for name, pair in pairs.items()
    }

  def _label(self, numbers: Numbers, net: str = "") -> Numbers:
    """The numbers under the names that say the protocol."""
    thousands, rest = divmod(self.count, 1000)
    suffix = str(self.count) if rest else f"{thousands}k"
    suffix += self._seen(net)
    labelled = {}
    for name, value in numbers.items():
      metric = name.removesuffix("_std")
      stem = f"{metric}_{net}" if net else metric
      if net in self._published:
        stem = _PUBLISHED.get(stem, stem)
      labelled[f"{stem}_{suffix}{name.removeprefix(metric)}"] = value
    return labelled

  def _seen(self, net: str) -> str:
    return "_seen" if extractors.net_of(net) in self._seen_nets else ""

  def _check_variety(self, compared: Images) -> None:
    # Features of equal images may differ by rounding.
    is_one = all(np.array_equal(image, compared[0]) for image in compared)
    for name, net in self._nets.items():
      if is_one or not net.diversity:
        raise errors.UserError(
          f"config.evaluate.metrics: the {len(compared)} images of the"
          f" {self.reference} side are all alike to {name}, so that diversity"
          " has no unit; leave diversity out, or name other images by"
          " config.data.source"
        )

  def _check(self, training: Images, held_out: int, subset_size: int) -> None:
    if self.count < FEWEST:
      raise errors.UserError(
        f"config.evaluate.count: {self.count} images are compared"
        f" (of {len(training)} to train on and {held_out} held out), fewer than"
        f" the {FEWEST} that the metrics need; raise it, or add images"
      )
    if subset_size == 1:
      raise errors.UserError(
        "config.evaluate.subset_size is 0 (half of the images) or at least 2"
      )
    if subset_size > self.count:
      raise errors.UserError(
        f"config.evaluate.subset_size={subset_size} is more than the"
        f" {self.count} images that are compared; lower it (0 takes half)"
      )
    side = training.shape[1]
    if side % 4 or side < 32:
      raise errors.UserError(
        f"config.data.size={side}: metrics need a multiple of 4, from 32 on"
      )
