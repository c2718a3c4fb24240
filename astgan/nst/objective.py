"""The objective of a painting: a weighted sum of terms.

  total = sum over items of weight * distance(describe(statistics), target)

An item is a term with its weight, the name that its loss is reported under, and
the region of the painting that it looks at.
"""

import dataclasses
import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from astgan.nst import network
from astgan.nst.terms import interface

Image = Float[Array, "1 h w 3"]
Scalars = dict[str, Float[Array, ""]]


class Item(NamedTuple):
  """A term of the sum.

  Args:
    name: of the loss, such as "style". Terms of one name are reported as one.
    weight: of the term in the total.
    term: the measure.
    scale: of the term within the reported loss of its name.
    region: index of a region of the painting; None is everywhere.
  """

  name: str
  weight: float
  term: interface.Term
  scale: float = 1.0
  region: int | None = None


class Region(NamedTuple):
  """A part of the painting.

  Args:
    weights: of the positions of each layer, in [0, 1]; None is 1 everywhere.
    samples: rows and columns of sampled positions of each layer.
    share: of the region among all regions: what its losses are multiplied by.
  """

  weights: interface.LayerWeights | None
  samples: dict[str, Array]
  share: Float[Array, ""] | float = 1.0


class Targets(NamedTuple):
  """What a painting is compared with.

  Args:
    content: features of the photograph, by tap, and itself as "image".
    items: the target of each item.
    everywhere: the region of all pixels.
    regions: those that items name.
  """

  content: interface.LayerFeatures
  items: tuple[Any, ...]
  everywhere: Region
  regions: tuple[Region, ...] = ()

  def region(self, item: Item) -> Region:
    """The region that the item looks at."""
    return self.everywhere if item.region is None else self.regions[item.region]


@dataclasses.dataclass(frozen=True)
class Objective:
  """The items, and the network that gives them features. Hashable.

  Args:
    network: images to features.
    items: the weighted terms.
  """

  network: network.Extract
  items: tuple[Item, ...]

  @property
  def taps(self) -> tuple[str, ...]:
    """All layers that the terms read, each once."""
    taps = [tap for item in self.items for tap in item.term.taps]
    return tuple(dict.fromkeys(taps))

  @property
  def names(self) -> tuple[str, ...]:
    """Names of the reported losses."""
    names = dict.fromkeys(f"{item.name}/loss" for item in self.items)
    return ("loss", *names)

  def features(
    self, params: Any, images: Float[Array, "b h w 3"]
  ) -> dict[str, Float[Array, "b _ _ _"]]:
    """The features that the terms read, by tap, of images in [0, 1]."""
    return self.network(params, images, self.taps)

  def losses(
    self, sums: tuple[PyTree, ...], targets: Targets
  ) -> tuple[Float[Array, ""], Scalars]:
    """The total and its parts, of the statistics of the whole painting."""
    scalars = {name: jnp.zeros(()) for name in self.names}
    for item, item_sums, target in zip(
      self.items, sums, targets.items, strict=True
    ):
      description = item.term.describe(item_sums)
      loss = item.term.distance(description, target)
      loss *= item.scale * targets.region(item).share
      scalars["loss"] += item.weight * loss
      scalars[f"{item.name}/loss"] += loss
    return scalars["loss"], scalars

  def __call__(
    self, image: Image, params: Any, targets: Targets
  ) -> tuple[Float[Array, ""], Scalars]:
    """The total loss of an image, and its parts.

    Args:
      image: in [0, 1].
      params: parameters of the feature network.
      targets: of a photograph of the size of the image.

    Returns: the total, and a dictionary of `names`: the total, and the losses
      by name without their weights.
    """
    return self.losses(self.statistics(image, params, targets), targets)

  def statistics(
    self, image: Image, params: Any, targets: Targets
  ) -> tuple[PyTree, ...]:
    """The statistics of every item."""
    return self.statistics_of(image, self.features(params, image), targets)

  def statistics_of(
    self, image: Image, features: interface.LayerFeatures, targets: Targets
  ) -> tuple[PyTree, ...]:
    """The same, of the features of the image."""

    def of_item(item):
      region = targets.region(item)
      return item.term.statistics(
        interface.View(
          image, features, targets.content, region.weights, region.samples
        )
      )

    return tuple(of_item(item) for item in self.items)


@dataclasses.dataclass(frozen=True)
class Whole:
  """An objective and its gradient, of the whole image at once.

  Args:
    objective: the terms and their network.
  """

  objective: Objective

  traceable = True

  def value_and_grad(
    self, image: Image, params: Any, targets: Targets
  ) -> tuple[tuple[Float[Array, ""], Scalars], Image]:
    """The total and its parts, and the gradient of the total."""
    function = jax.value_and_grad(self.objective, has_aux=True)
    return function(image, params, targets)

  def statistics(
    self, image: Image, params: Any, targets: Targets
  ) -> tuple[PyTree, ...]:
    """The statistics of every item."""
    return _statistics(image, params, targets, objective=self.objective)

  def features(
    self, image: Image, params: Any, taps: tuple[str, ...]
  ) -> interface.LayerFeatures:
    """Features of the image at the taps."""
    return _features(image, params, network=self.objective.network, taps=taps)


@functools.partial(jax.jit, static_argnames="objective")
def _statistics(image, params, targets, *, objective):
  return objective.statistics(image, params, targets)


@functools.partial(jax.jit, static_argnames=("network", "taps"))
def _features(image, params, *, network, taps):
  return network(params, image, taps)
