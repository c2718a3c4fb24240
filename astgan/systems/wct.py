"""System `wct`: five decoders, which paint any style from coarse to fine.

They learn to reconstruct images, and no style. To paint, the features of
relu5_1 are whitened, given the covariance of the style and decoded; then those
of relu4_1 of the result, and so on to relu1_1.

References: Li et al., Universal Style Transfer via Feature Transforms, 2017.
"""

import dataclasses
import functools
from collections.abc import Mapping, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float64, PyTree

from astgan import arrays, checks, errors
from astgan.arrays import Features, Images
from astgan.metrics import moments
from astgan.models import decoder, rows, whitening
from astgan.systems import (
  decoded,
  decoding,
  encoding,
  group_means,
  interface,
  painters,
)

_BLOCKS = (5, 4, 3, 2, 1)


@dataclasses.dataclass(frozen=True, eq=False)
class WCT(decoding.Decoding):
  """Decoders of several depths as the config describes them.

  Attributes:
    config: a training config with the sections of configs/wct.py.
  """

  multiple = 16

  def __post_init__(self) -> None:
    config = self.config
    checks.fields(config, "model", "width", "blocks", "dtype")
    checks.fields(config, "loss", "pixel_weight", "feature_weight")
    super().__post_init__()
    checks.subset_of(config, "model.blocks", _BLOCKS)
    blocks = list(config.model.blocks)
    if not blocks or blocks != sorted(blocks, reverse=True):
      raise errors.UserError(
        f"config.model.blocks={tuple(blocks)} go from coarse to fine; name some"
        f" of {_BLOCKS} in this order"
      )
    checks.within(config, "loss.pixel_weight", 0)
    checks.within(config, "loss.feature_weight", 0)

  def modules(self) -> dict[str, decoder.Decoder]:
    """The decoders, the deepest first."""
    model = self.config.model
    return {
      f"{encoding.layer(block)}_decoder": decoder.Decoder(
        block, model.width, jnp.dtype(model.dtype)
      )
      for block in model.blocks
    }

  def loss(
    self,
    params: dict[str, PyTree],
    batch: Mapping[str, Images],
    draws: PyTree,
    frozen: PyTree,
  ) -> tuple[jax.Array, interface.Scalars]:
    """How far reconstructions are off, in pixels and in features.

    The paper's equation 1, but that squares of features are divided by those of
    the original's, so that one weight suits all depths.
    """
    del draws
    fields = self.config.loss
    images = jnp.concatenate([batch["paintings"], batch["photographs"]])
    modules, scalars, total = self.modules(), {}, jnp.zeros(())
    blocks = tuple(module.block for module in modules.values())
    features = encoding.encode(frozen, images, blocks)
    for (name, module), original in zip(modules.items(), features, strict=True):
      again = self.decode(params, name, original)
      (found,) = encoding.encode(frozen, again, (module.block,))
      off = decoding.relative_error(found, original)
      pixels = decoding.reconstruction(again, images)
      scalars |= {f"{name}/{key}": value for key, value in pixels.items()}
      scalars[f"{name}/feature_loss"] = off
      total += fields.pixel_weight * pixels["pixel_loss"]
      total += fields.feature_weight * off
    return total, scalars | {"decoder/loss": total}

  def transfers(
    self,
    params: dict[str, PyTree],
    net: PyTree,
    groups: Sequence[painters.Group],
  ) -> list[decoded.Transfer]:
    """To the weighted mean of what each style alone would give.

    The images of a group share their mean and covariance.
    """
    del params
    blocks = tuple(module.block for module in self.modules().values())
    describe = functools.partial(_describe, net, blocks=blocks)

    def describe_colours(images):
      return [_colour(one) for one in group_means.mean(describe, images)]

    styles = decoding.blend(describe_colours, groups)
    return [functools.partial(transfer, style=style) for style in styles]


@functools.partial(jax.jit, static_argnames="blocks")
def _describe(
  net: PyTree, images: Images, *, blocks: tuple[int, ...]
) -> list[whitening.Moments]:
  signed = arrays.unit_to_signed(images)
  features = encoding.encode(net, signed, blocks)
  return [whitening.moments(x) for x in features]


def transfer(features: rows.Host, *, style: whitening.Colour) -> decoded.Change:
  """The features of an image with the mean and the covariance of a style.

    root(S) C^(-1/2) (x - mean(x)) + mean(S)

  where C is the covariance of x. Directions in which x does not vary stay so.
  Moments and eigenvalues are float64: the smallest that count are near the
  rounding of float32, which whitening would make as large as all others.
  """
  parts = rows.parts(features)
  found = moments.of_parts(x.reshape(-1, x.shape[-1]) for x in parts)
  matrix = _whitener(found.scatter / found.count) @ np.float64(style.root)
  given = jnp.float32(found.mean), jnp.float32(matrix), style.mean
  return lambda seen: _recolour(jnp.asarray(features[:, seen]), *given)


def _whitener(
  covariance: Float64[np.ndarray, "c c"],
) -> Float64[np.ndarray, "c c"]:
  """C^(-1/2), without the smallest eigenvalues."""
  values, vectors = np.linalg.eigh(covariance)
  is_kept = values > whitening.SMALLEST * values[-1]
  vectors = vectors[:, is_kept]
  return vectors / np.sqrt(values[is_kept])[None] @ vectors.T


@jax.jit
@arrays.precise
def _recolour(
  features: Features,
  mean: Float[Array, "c"],
  matrix: Float[Array, "c c"],
  style_mean: Float[Array, "c"],
) -> Features:
  changed = (features - mean[None, None, None]) @ matrix
  return changed + style_mean[None, None, None]


_colour = jax.jit(whitening.colour)
