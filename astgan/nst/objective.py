"""What a painting minimises: content, style of a group and smoothness.

  total = alpha content + beta style + gamma variation

  content  sum over layers of mean (F(X) - F(C))^2
  style    sum over layers of w_l mean_i mean (G(X) - G(S_i))^2, i = 1..m

The style pictures meet the painted one only in their mean Gram matrix, and in
a constant, their spread around it:

  mean_i |G - A_i|^2 = |G - mean A|^2 + mean_i |A_i - mean A|^2.

Both are computed once, so that a step costs the same for one style picture and
for a thousand, and the style loss reported is the formula's all the same.

References: Gatys, Ecker and Bethge, A Neural Algorithm of Artistic Style, 2015;
the Ast-GAN report, section 3.3.
"""

import dataclasses
import functools
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from astgan.losses import perceptual

# extract(params, images in [0, 1], taps) -> {tap: features}.
Extract = Callable[[Any, Any, tuple[str, ...]], dict[str, Any]]
Scalars = dict[str, Float[Array, ""]]
# Every layer has its own size.
LayerFeatures = dict[str, Float[Array, "1 _ _ _"]]
# The losses reported.
NAMES = ("loss", "content/loss", "style/loss", "variation/loss")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Terms:
  """Which losses there are, and how much each counts.

  Args:
    content_layers, style_layers: taps of the feature network.
    style_layer_weights: w_l, one per style layer.
    normalize: of the Gram matrices, see `perceptual.gram`.
    content_weight, style_weight, variation_weight: alpha, beta and gamma.
  """

  content_layers: tuple[str, ...]
  style_layers: tuple[str, ...]
  style_layer_weights: tuple[float, ...]
  normalize: str = "hwc"
  content_weight: float = 1.0
  style_weight: float
  variation_weight: float = 0.0

  def __post_init__(self):
    layers, weights = len(self.style_layers), len(self.style_layer_weights)
    if layers != weights:
      raise ValueError(f"{layers} style layers have {weights} weights")

  @property
  def taps(self) -> tuple[str, ...]:
    """Every layer of either kind, once."""
    return tuple(dict.fromkeys(self.style_layers + self.content_layers))


class Style(NamedTuple):
  """One layer's Gram matrices over the style pictures."""

  mean: Float[Array, "1 c c"]
  spread: Float[Array, ""]


class Targets(NamedTuple):
  """What the painted picture is compared with, by layer."""

  content: LayerFeatures
  style: dict[str, Style]


def objective(
  image: Float[Array, "1 h w 3"],
  params: Any,
  targets: Targets,
  *,
  extract: Extract,
  terms: Terms,
) -> tuple[Float[Array, ""], Scalars]:
  """The total loss of a picture, and its parts.

  Args:
    image: the picture, in [0, 1].
    params: of the feature network.
    targets: from `content_targets` and `style_targets`, with the same terms.
    extract: the feature network.
    terms: layers and weights.

  Returns: the total, and by name the total and the three losses before their
    weights.
  """
  features = extract(params, image, terms.taps)

  def content(layer):
    return jnp.mean(perceptual.content(features[layer], targets.content[layer]))

  def style(layer):
    gram = perceptual.gram(features[layer], normalize=terms.normalize)
    mean, spread = targets.style[layer]
    return jnp.mean(perceptual.style(gram, mean)) + spread

  content_loss = sum(content(layer) for layer in terms.content_layers)
  style_loss = sum(
    weight * style(layer)
    for layer, weight in zip(
      terms.style_layers, terms.style_layer_weights, strict=True
    )
  )
  variation_loss = jnp.mean(perceptual.total_variation(image))
  total = (
    terms.content_weight * content_loss
    + terms.style_weight * style_loss
    + terms.variation_weight * variation_loss
  )
  losses = (total, content_loss, style_loss, variation_loss)
  return total, dict(zip(NAMES, losses, strict=True))


@functools.partial(jax.jit, static_argnames=("extract", "terms"))
def content_targets(
  params: Any,
  photograph: Float[Array, "1 h w 3"],
  *,
  extract: Extract,
  terms: Terms,
) -> LayerFeatures:
  """The photograph's features in the content layers.

  Args:
    params, extract, terms: as for `objective`.
    photograph: in [0, 1], of the size of the picture to be painted.
  """
  return extract(params, photograph, terms.content_layers)


def style_targets(
  params: Any,
  pictures: Iterable[Float[Array, "_ _ _ 3"]],
  *,
  extract: Extract,
  terms: Terms,
) -> dict[str, Style]:
  """Mean Gram matrix and spread of a group of pictures, per style layer.

  One array is in memory at a time, and each size of array is compiled once.
  The moments are merged in float64 by Welford's update, since the spread, a
  small difference of large squares, would cancel otherwise.

  Args:
    params, extract, terms: as for `objective`.
    pictures: arrays of pictures in [0, 1]; any sizes, any number in each.

  Raises:
    ValueError: there is no picture.

  References: Welford, Note on a method for calculating corrected sums of
    squares and products, 1962.
  """
  count = 0
  means = dict.fromkeys(terms.style_layers, 0.0)
  squares = dict.fromkeys(terms.style_layers, 0.0)
  for batch in pictures:
    grams = jax.device_get(_grams(params, batch, extract=extract, terms=terms))
    for index in range(len(batch)):
      count += 1
      for layer in terms.style_layers:
        gram = grams[layer][index].astype(np.float64)
        change = gram - means[layer]
        means[layer] = means[layer] + change / count
        squares[layer] += np.mean(change * (gram - means[layer]))
  if not count:
    raise ValueError("a style needs at least one picture")
  return {
    layer: Style(
      mean=jnp.asarray(means[layer][None], jnp.float32),
      spread=jnp.asarray(squares[layer] / count, jnp.float32),
    )
    for layer in terms.style_layers
  }


@functools.partial(jax.jit, static_argnames=("extract", "terms"))
def _grams(params, pictures, *, extract, terms):
  features = extract(params, pictures, terms.style_layers)
  return {
    layer: perceptual.gram(features[layer], normalize=terms.normalize)
    for layer in terms.style_layers
  }
