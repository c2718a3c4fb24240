"""System `stvae`: styles as latents, several of which mix linearly.

A decoder of VGG19's features, and between encoder and decoder a linear map that
is made of the latent of a style. Latents are drawn by reparametrisation in
training; to paint, their means are mixed.

References: Liu, Kalogeiton and Cani, Multiple Style Transfer via Variational
  AutoEncoder, 2021; Kingma and Welling, Auto-Encoding Variational Bayes, 2014.
"""

import dataclasses
import functools
from collections.abc import Mapping, Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from astgan import arrays, checks
from astgan.arrays import Features, Images
from astgan.losses import perceptual, variational
from astgan.models import decoder, linear_transform, rows
from astgan.systems import (
  adain,
  decoded,
  decoding,
  encoding,
  group_means,
  interface,
  painters,
)

_BLOCK = 4
_BLOCKS = (1, 2, 3, 4)

_WEIGHTS = ("content", "style", "pixel", "prior", "feature")


@dataclasses.dataclass(frozen=True, eq=False)
class STVAE(decoding.Decoding):
  """A decoder and an autoencoder of styles as the config describes them.

  Attributes:
    config: a training config with the sections of configs/stvae.py.
    donors: systems whose decoder it may start with.
  """

  donors = ("adain",)

  def __post_init__(self) -> None:
    config = self.config
    checks.fields(config, "model", "width", "latent_dim", "channels", "dtype")
    checks.fields(config, "loss", *(f"{name}_weight" for name in _WEIGHTS))
    super().__post_init__()
    checks.within(config, "model.latent_dim", 1, 65_536)
    checks.within(config, "model.channels", 1, 512)
    for name in _WEIGHTS:
      checks.within(config, f"loss.{name}_weight", 0)

  def modules(self) -> dict[str, nn.Module]:
    """The decoder, and what maps features."""
    model = self.config.model
    return {
      "decoder": decoder.Decoder(_BLOCK, model.width, jnp.dtype(model.dtype)),
      "transform": linear_transform.Transform(model.latent_dim, model.channels),
    }

  def examples(self) -> dict[str, PyTree]:
    """Features, and for the map noise as well."""
    features = jnp.zeros((1, 4, 4, decoder.channels(_BLOCK)))
    noise = jnp.zeros((1, self.config.model.latent_dim))
    inputs = linear_transform.Inputs(features, features, noise)
    return {"decoder": features, "transform": inputs}

  def draw(
    self, key: jax.Array, count: int, *, phase: interface.Phase
  ) -> dict[str, jax.Array]:
    """The noise of the latents."""
    del phase
    shape = (count, self.config.model.latent_dim)
    return {"noise": jax.random.normal(key, shape)}

  def loss(
    self,
    params: dict[str, PyTree],
    batch: Mapping[str, Images],
    draws: Mapping[str, jax.Array],
    frozen: PyTree,
  ) -> tuple[jax.Array, interface.Scalars]:
    """Content and style of what is painted, pixels of reconstructions, prior.

    Of the prior the mean over the dimensions of a latent counts. The feature
    loss asks that what is mapped, given the means and deviations of the
    photograph again, is the photograph's: the map learns from it directly,
    without a decoder in between.
    """
    (content,) = encoding.encode(frozen, batch["photographs"], (_BLOCK,))
    styles = encoding.encode(frozen, batch["paintings"], _BLOCKS)
    inputs = linear_transform.Inputs(content, styles[-1], draws["noise"])
    changed, encoded = self.modules()["transform"].apply(
      {"params": params["transform"]}, inputs
    )
    both = jnp.concatenate([changed, content])
    painted, again = jnp.split(self.decode(params, "decoder", both), 2)
    found = encoding.encode(frozen, painted, _BLOCKS)
    dimensions = self.config.model.latent_dim
    scalars = {
      "decoder/content_loss": jnp.mean(perceptual.content(found[-1], content)),
      "decoder/style_loss": adain.style_loss(found, styles),
      "decoder/pixel_loss": jnp.mean((again - batch["photographs"]) ** 2),
      "transform/prior_loss": (
        jnp.mean(variational.gaussian_prior(*encoded)) / dimensions
      ),
      "transform/feature_loss": decoding.relative_error(
        adain.adain(changed, adain.statistics(content)), content
      ),
    }
    weights = [self.config.loss[f"{name}_weight"] for name in _WEIGHTS]
    total = sum(
      weight * value
      for weight, value in zip(weights, scalars.values(), strict=True)
    )
    return total, scalars | {"decoder/loss": total}

  def transfers(
    self,
    params: dict[str, PyTree],
    net: PyTree,
    groups: Sequence[painters.Group],
  ) -> tuple[decoded.Transfer]:
    """To the style of the mean latent."""
    module, of_transform = self.modules()["transform"], params["transform"]
    describe = functools.partial(_latents, module, of_transform, net)
    latent = decoding.blend(
      functools.partial(group_means.mean, describe), groups
    )
    return (
      functools.partial(_transfer, module, of_transform, latents=latent[None]),
    )


def _transfer(
  module: linear_transform.Transform,
  params: PyTree,
  features: rows.Host,
  *,
  latents: Float[Array, "b z"],
) -> decoded.Change:
  """To that style, of all rows at once: 131 bytes per pixel of a photograph."""
  changed = np.asarray(
    _transform(module, params, jnp.asarray(features), latents=latents)
  )
  return lambda seen: changed[:, seen]


@functools.partial(jax.jit, static_argnums=0)
def _latents(
  module: linear_transform.Transform,
  params: PyTree,
  net: PyTree,
  images: Images,
) -> Float[Array, "b z"]:
  (features,) = encoding.encode(net, arrays.unit_to_signed(images), (_BLOCK,))
  return module.apply({"params": params}, features, method="encode").mean


@functools.partial(jax.jit, static_argnums=0)
def _transform(
  module: linear_transform.Transform,
  params: PyTree,
  features: Features,
  *,
  latents: Float[Array, "b z"],
) -> Features:
  return module.apply({"params": params}, features, latents, method="transform")
