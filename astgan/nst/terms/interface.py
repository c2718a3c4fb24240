"""What a term of the objective is: one measure of style, content or smoothness.

A painting is measured in three steps,

  statistics(view)  sums over the pixels of the painting, or of a window of it;
  describe(sums)    what the sums say of the whole painting;
  distance(description, target)  how far that is from what is wanted.

Sums over windows add up to those of the painting. That makes exact tiles, masks
and the images of a group one mechanism: a mask is a weight of each pixel, and
a group is described by the mean of its descriptions, or where a mean says
nothing (`pools`) by a sample of them.
"""

from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax
from jaxtyping import Array, Float, Int, PyTree

# Every layer has its own size.
LayerFeatures = dict[str, Float[Array, "1 _ _ _"]]
LayerWeights = dict[str, Float[Array, "1 _ _ 1"]]


class View(NamedTuple):
  """An image as a term sees it: the whole, or one window.

  Args:
    image: in [0, 1].
    features: of the image, by tap.
    content: features of the photograph at the same pixels, by tap, and by the
      name "image" the photograph itself. Empty for a style image.
    weights: how much each position counts, by tap, and for the image itself by
      the name "image". None is 1 everywhere.
    samples: rows and columns of the sampled positions, by tap, counted from the
      corner of the view. Positions outside it have no weight.
  """

  image: Float[Array, "1 h w 3"]
  features: LayerFeatures
  content: LayerFeatures
  weights: LayerWeights | None = None
  samples: dict[str, Int[Array, "n 2"]] | None = None

  def weight(self, tap: str) -> Float[Array, "1 _ _ 1"] | None:
    """The weights of the positions of a layer; None is 1 everywhere."""
    return None if self.weights is None else self.weights[tap]


class Group(NamedTuple):
  """The descriptions of the images of a group.

  Args:
    mean: of the descriptions. Of a term that pools: rows of them all, each from
      an image drawn by its weight.
    variance: of each leaf of them, averaged over its entries; 0 where rows are
      pooled.
  """

  mean: PyTree
  variance: PyTree


@runtime_checkable
class Term(Protocol):
  """One measure. Frozen and hashable, so that jit compiles each once."""

  # Layers of the feature network that it reads.
  taps: tuple[str, ...]
  # Sampled positions of each layer; 0 where the sums are over all of them.
  sample_size: int
  # Positions around its own that a position of a layer, or of the image, needs.
  reach: int
  # Whether a group is a sample of the rows of its descriptions: arrays [n ...]
  # with a row for each sampled position. Otherwise it is their mean.
  pools: bool

  def statistics(self, view: View) -> PyTree:
    """Sums over the pixels of the view."""
    ...

  def describe(self, sums: PyTree) -> PyTree:
    """What the sums over all pixels say: a group has the mean of it."""
    ...

  def target(self, group: Group) -> Any:
    """What `distance` needs of the group; computed once."""
    ...

  def distance(self, description: PyTree, target: Any) -> Float[jax.Array, ""]:
    """The loss, without the weight of the term."""
    ...
