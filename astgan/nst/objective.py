"""The objective of a painting: content, style of a group and total variation.

  total = alpha content + beta style + gamma tv

  content  sum over layers of mean (F(X) - F(C))^2
  style    sum over layers of w_l mean_i mean (G(X) - G(S_i))^2, i = 1..m

The style loss depends on the style images only through the mean and the
variance of their Gram matrices A_i:

  mean_i |G - A_i|^2 = |G - mean A|^2 + mean_i |A_i - mean A|^2.

Both are computed once. A step costs the same for one style image and for a
thousand, and the reported style loss is that of the formula.

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
# Names of the reported losses.
LOSSES = ("loss", "content/loss", "style/loss", "tv/loss")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Terms:
  """Layers and weights of the losses.

  Args:
    content_layers, style_layers: taps of the feature network.
    style_layer_weights: w_l, one per style layer.
    normalize: normalisation of the Gram matrices, see `perceptual.gram`.
    content_weight, style_weight, tv_weight: alpha, beta and gamma.
  """

  content_layers: tuple[str, ...]
  style_layers: tuple[str, ...]
  style_layer_weights: tuple[float, ...]
  normalize: str = "hwc"
  content_weight: float = 1.0
  style_weight: float
  tv_weight: float = 0.0

  def __post_init__(self):
    layers, weights = len(self.style_layers), len(self.style_layer_weights)
    if layers != weights:
      raise ValueError(f"{layers} style layers have {weights} weights")

  @property
  def taps(self) -> tuple[str, ...]:
    """Style and content layers, each once."""
    return tuple(dict.fromkeys(self.style_layers + self.content_layers))


class GramMoments(NamedTuple):
  """Mean and variance of the Gram matrices of one layer, over the group."""

  mean: Float[Array, "1 c c"]
  # Averaged over the entries of the matrix.
  variance: Float[Array, ""]


class Targets(NamedTuple):
  """Targets of the content loss and of the style loss, by layer."""

  content: LayerFeatures
  style: dict[str, GramMoments]


def objective(
  image: Float[Array, "1 h w 3"],
  params: Any,
  targets: Targets,
  *,
  extract: Extract,
  terms: Terms,
) -> tuple[Float[Array, ""], Scalars]:
  """The total loss of an image, and its parts.

  Args:
    image: in [0, 1].
    params: parameters of the feature network.
    targets: from `content_targets` and `style_targets`, with the same terms.
    extract: the feature network.
    terms: layers and weights.

  Returns: the total, and a dictionary of `LOSSES`: the total and the three
    unweighted losses.
  """
  features = extract(params, image, terms.taps)

  def content(layer):
    return jnp.mean(perceptual.content(features[layer], targets.content[layer]))

  def style(layer):
    gram = perceptual.gram(features[layer], normalize=terms.normalize)
    mean, variance = targets.style[layer]
    return jnp.mean(perceptual.style(gram, mean)) + variance

  content_loss = sum(content(layer) for layer in terms.content_layers)
  style_loss = sum(
    weight * style(layer)
    for layer, weight in zip(
      terms.style_layers, terms.style_layer_weights, strict=True
    )
  )
  tv_loss = jnp.mean(perceptual.total_variation(image))
  total = (
    terms.content_weight * content_loss
    + terms.style_weight * style_loss
    + terms.tv_weight * tv_loss
  )
  losses = (total, content_loss, style_loss, tv_loss)
  return total, dict(zip(LOSSES, losses, strict=True))


@functools.partial(jax.jit, static_argnames=("extract", "terms"))
def content_targets(
  params: Any,
  photograph: Float[Array, "1 h w 3"],
  *,
  extract: Extract,
  terms: Terms,
) -> LayerFeatures:
  """Features of the photograph in the content layers.

  Args:
    params, extract, terms: as for `objective`.
    photograph: in [0, 1], of the size of the painting.
  """
  return extract(params, photograph, terms.content_layers)


def style_targets(
  params: Any,
  style_images: Iterable[Float[Array, "_ _ _ 3"]],
  *,
  extract: Extract,
  terms: Terms,
) -> dict[str, GramMoments]:
  """Mean and variance of the Gram matrices of a group, per style layer.

  One array is in memory at a time, and each shape of array is compiled once.
  The moments are accumulated in float64 by Welford's algorithm. A difference
  of two large sums of squares would cancel.

  Args:
    params, extract, terms: as for `objective`.
    style_images: arrays of images in [0, 1], of any shapes.

  Raises:
    ValueError: there is no image.

  References: Welford, Note on a method for calculating corrected sums of
    squares and products, 1962.
  """
  count = 0
  means = dict.fromkeys(terms.style_layers, 0.0)
  squares = dict.fromkeys(terms.style_layers, 0.0)
  for images in style_images:
    grams = jax.device_get(_grams(params, images, extract=extract, terms=terms))
    for index in range(len(images)):
      count += 1
      for layer in terms.style_layers:
        gram = grams[layer][index].astype(np.float64)
        delta = gram - means[layer]
        means[layer] = means[layer] + delta / count
        squares[layer] += np.mean(delta * (gram - means[layer]))
  if not count:
    raise ValueError("a style needs at least one image")
  return {
    layer: GramMoments(
      mean=jnp.asarray(means[layer][None], jnp.float32),
      variance=jnp.asarray(squares[layer] / count, jnp.float32),
    )
    for layer in terms.style_layers
  }


@functools.partial(jax.jit, static_argnames=("extract", "terms"))
def _grams(params, images, *, extract, terms):
  features = extract(params, images, terms.style_layers)
  return {
    layer: perceptual.gram(features[layer], normalize=terms.normalize)
    for layer in terms.style_layers
  }
