"""The style that system `fast` learns, and how far its paintings are from it.

`gram`: each painting has the Gram matrices of the group, as Johnson has it. For
a group A_i it is the mean over the group,

  mean_i |G - A_i|^2 = |G - mean A|^2 + mean_i |A_i - mean A|^2,

of which the second term is a constant: a group costs what one image costs.

`wasserstein`: the paintings of a batch together have the Gaussians of the
group. No painting then needs all of its hues, nor the fine texture that matches
Gram matrices where a photograph is empty.

References: Johnson, Alahi and Fei-Fei, Perceptual Losses for Real-Time Style
  Transfer and Super-Resolution, 2016; Mroueh, Wasserstein Style Transfer, 2019;
  the Ast-GAN report, section 3.3, for the mean over a group.
"""

from collections.abc import Callable, Iterable

import jax
import jax.numpy as jnp
import ml_collections
import numpy as np
from jaxtyping import Array, Float, PyTree

from astgan import checks, errors
from astgan.arrays import Features, Images
from astgan.features import vgg
from astgan.losses import gaussians, perceptual
from astgan.systems import group_means

TERMS = ("gram", "wasserstein")

# By layer: the mean Gram matrix, or the Gaussian.
Style = dict[str, Float[Array, "c c"] | gaussians.Target]


def check(config: ml_collections.ConfigDict) -> None:
  """Raises UserError naming the first field that cannot be."""
  loss = config.loss
  checks.one_of(config, "loss.style", TERMS)
  if not loss.style_layers:
    raise errors.UserError("config.loss.style_layers is empty; name a layer")
  if len(set(loss.style_layers)) < len(loss.style_layers):
    raise errors.UserError(
      f"config.loss.style_layers names a layer twice: {loss.style_layers}"
    )
  count = len(loss.style_layers)
  checks.weights(config, "loss.style_layer_weights", count, "style layers")


def empty(config: ml_collections.ConfigDict) -> Style:
  """Zeros in the shapes of a style."""
  layers, style = vgg.layers_by_tap(config.features.net), {}
  for tap in config.loss.style_layers:
    block = int(layers[tap][len("relu")])  # Of relu4_1, conv4_1 or pool4.
    c = vgg.CHANNELS[block - 1]
    square = jnp.zeros((c, c))
    style[tap] = square
    if config.loss.style == "wasserstein":
      scalar = jnp.zeros(())
      style[tap] = gaussians.Target(jnp.zeros(c), square, scalar, scalar)
  return style


def of_group(
  config: ml_collections.ConfigDict,
  see: Callable[[Images], dict[str, Features]],
  images: Iterable[Float[np.ndarray, "_ _ 3"]],
) -> Style:
  """The style of a group, each image with the same share.

  Args:
    config: the whole config.
    see: images in [0, 1] to the features of the style's layers.
    images: of the group, in [0, 1].
  """
  if config.loss.style == "gram":
    describe = perceptual.gram
  else:
    describe = jax.vmap(lambda one: gaussians.moments(one[None]))
  found = group_means.mean(
    jax.jit(lambda batch: jax.tree.map(describe, see(batch))), images
  )
  if config.loss.style == "gram":
    return found
  return {tap: gaussians.target(*moments) for tap, moments in found.items()}


def loss(
  config: ml_collections.ConfigDict,
  found: dict[str, Features],
  style: Style,
  *,
  mean: Callable[[PyTree], PyTree],
) -> Float[Array, ""]:
  """The weighted sum over layers of how far paintings are from the style.

  Args:
    config: the whole config.
    found: features of the paintings, by layer.
    style: from `of_group`.
    mean: over the devices.
  """
  fields = config.loss
  found = {tap: found[tap] for tap in fields.style_layers}
  if fields.style == "gram":
    losses = {tap: _gram(x, style[tap]) for tap, x in found.items()}
  else:
    moments = {tap: gaussians.moments(x) for tap, x in found.items()}
    losses = {
      tap: gaussians.wasserstein(*layer, style[tap])
      for tap, layer in mean(moments).items()
    }
  weights = fields.style_layer_weights or (1.0,) * len(losses)
  return sum(
    weight * losses[tap] for tap, weight in zip(found, weights, strict=True)
  )


def _gram(features, target):
  gram = perceptual.gram(features)
  return jnp.mean(perceptual.style(gram, jnp.broadcast_to(target, gram.shape)))
