"""System `adain`: a decoder, which paints any style that it is told.

The features of a photograph are given the mean and the standard deviation that
each channel has in the style, and are decoded. The statistics of a group are
the means of those of its images.

References: Huang and Belongie, Arbitrary Style Transfer in Real-time with
  Adaptive Instance Normalization, 2017.
"""

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from astgan import arrays, checks
from astgan.arrays import Features, Images
from astgan.losses import perceptual
from astgan.models import decoder, instance, rows
from astgan.systems import (
  decoded,
  decoding,
  encoding,
  group_means,
  interface,
  painters,
)

# The layer that is decoded, and those of the style loss.
_BLOCK = 4
_BLOCKS = (1, 2, 3, 4)


class Statistics(NamedTuple):
  """Mean and standard deviation of the channels of a layer."""

  mean: Float[Array, "b 1 1 c"]
  std: Float[Array, "b 1 1 c"]


def statistics(features: Features) -> Statistics:
  """Those of each image by itself."""
  mean, variance = instance.moments(features)
  return Statistics(mean, jnp.sqrt(variance + instance.EPSILON))


def adain(features: Features, style: Statistics) -> Features:
  """The features with the statistics of the style.

    std(y) (x - mean(x)) / std(x) + mean(y)

  Args:
    features: x.
    style: of y.

  References: Huang and Belongie, 2017, equation 8.
  """
  return _restyle(features, *instance.moments(features), style)


def _restyle(
  features: Features,
  mean: instance.Moments,
  variance: instance.Moments,
  style: Statistics,
) -> Features:
  """`adain`, given the mean and the variance of the features."""
  x = instance.normalize(features, mean, variance)
  x = x * jnp.broadcast_to(style.std, x.shape)
  return x + jnp.broadcast_to(style.mean, x.shape)


def style_loss(
  found: Sequence[Float[Array, "b _h _w _c"]],
  styles: Sequence[Float[Array, "b _h _w _c"]],
) -> Float[Array, ""]:
  """The sum over layers of the mean squared differences of both statistics.

  References: Huang and Belongie, 2017, equation 13.
  """
  total = jnp.zeros(())
  for features, of_style in zip(found, styles, strict=True):
    pairs = zip(statistics(features), statistics(of_style), strict=True)
    total += sum(jnp.mean(perceptual.content(*pair)) for pair in pairs)
  return total


@dataclasses.dataclass(frozen=True, eq=False)
class AdaIN(decoding.Decoding):
  """A decoder from relu4_1 as the config describes it.

  Attributes:
    config: a training config with the sections of configs/adain.py.
  """

  def __post_init__(self) -> None:
    config = self.config
    checks.fields(config, "model", "width", "dtype")
    names = ("content_weight", "style_weight", "pixel_weight")
    checks.fields(config, "loss", *names)
    super().__post_init__()
    for name in names:
      checks.within(config, f"loss.{name}", 0)

  def modules(self) -> dict[str, decoder.Decoder]:
    """The decoder."""
    model = self.config.model
    dtype = jnp.dtype(model.dtype)
    return {"decoder": decoder.Decoder(_BLOCK, model.width, dtype)}

  def loss(
    self,
    params: dict[str, PyTree],
    batch: Mapping[str, Images],
    draws: PyTree,
    frozen: PyTree,
  ) -> tuple[jax.Array, interface.Scalars]:
    """Content and style of what is painted; equations 11 to 13.

    Beside the paper's, pixels of photographs that are decoded without a style:
    they are soon learned, and they are what a strength below 1 mixes in.
    """
    del draws
    fields = self.config.loss
    (content,) = encoding.encode(frozen, batch["photographs"], (_BLOCK,))
    styles = encoding.encode(frozen, batch["paintings"], _BLOCKS)
    target = adain(content, statistics(styles[-1]))
    both = jnp.concatenate([target, content])
    painted, again = jnp.split(self.decode(params, "decoder", both), 2)
    found = encoding.encode(frozen, painted, _BLOCKS)
    style = style_loss(found, styles)
    scalars = {
      "decoder/content_loss": jnp.mean(perceptual.content(found[-1], target)),
      "decoder/style_loss": style,
    }
    pixels = decoding.reconstruction(again, batch["photographs"])
    scalars |= {f"decoder/{name}": value for name, value in pixels.items()}
    total = (
      fields.content_weight * scalars["decoder/content_loss"]
      + fields.style_weight * style
      + fields.pixel_weight * scalars["decoder/pixel_loss"]
    )
    return total, scalars | {"decoder/loss": total}

  def transfers(
    self,
    params: dict[str, PyTree],
    net: PyTree,
    groups: Sequence[painters.Group],
  ) -> tuple[decoded.Transfer]:
    """To the weighted mean of what each style alone would give."""
    del params
    describe = functools.partial(_describe, net)
    style = decoding.blend(
      functools.partial(group_means.mean, describe), groups
    )
    style = jax.tree.map(lambda x: x[None], style)
    return (functools.partial(_transfer, style=style),)


def _transfer(features: rows.Host, *, style: Statistics) -> decoded.Change:
  """To that style, given the statistics of all rows."""
  parts = rows.parts(features)
  sizes = [part.shape[1] for part in parts]
  found = [jax.device_get(_moments(jnp.asarray(part))) for part in parts]
  means, variances = np.float64(list(zip(*found, strict=True)))
  mean = np.average(means, 0, sizes)
  variance = np.average(variances + (means - mean[None]) ** 2, 0, sizes)
  given = jnp.float32(mean), jnp.float32(variance), style
  return lambda seen: _restyle_rows(jnp.asarray(features[:, seen]), *given)


@jax.jit
def _describe(net: PyTree, images: Images) -> Statistics:
  (features,) = encoding.encode(net, arrays.unit_to_signed(images), (_BLOCK,))
  return statistics(features)


_moments = jax.jit(instance.moments)
_restyle_rows = jax.jit(_restyle)
