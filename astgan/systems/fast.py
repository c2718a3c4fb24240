"""System `fast`: a network that paints one style, of a group, in one pass.

It learns from photographs by perceptual losses: the features of a deep layer
stay as they are, and the Gram matrices become those of the style. Where the
style is a group of images, the loss is the mean over the group,

  mean_i |G - A_i|^2 = |G - mean A|^2 + mean_i |A_i - mean A|^2,

of which the second term is a constant: a group costs what one image costs.

References: Johnson, Alahi and Fei-Fei, Perceptual Losses for Real-Time Style
  Transfer and Super-Resolution, 2016; Ulyanov, Vedaldi and Lempitsky, Instance
  Normalization: The Missing Ingredient for Fast Stylization, 2016; the Ast-GAN
  report, section 3.3, for the mean over a group.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import jax
import jax.numpy as jnp
import ml_collections
from jaxtyping import Array, Float, PyTree

from astgan import checks, errors
from astgan.arrays import Images, signed_to_unit
from astgan.features import vgg, weights
from astgan.losses import perceptual
from astgan.models import translator
from astgan.systems import (
  group_means,
  interface,
  style_images,
  supervised,
  translated,
)

# The network's, for which a frame of zeros would be a style of its own.
_PADDING = "replicate"

Grams = dict[str, Float[Array, "c c"]]


@dataclasses.dataclass(frozen=True, eq=False)
class Fast(supervised.Supervised):
  """A translator of photographs as the config describes it.

  Attributes:
    config: a training config with the sections of configs/johnson.py.
    make: of a config, the system of another run, whose generator may draw the
      style.
  """

  make: Callable[[ml_collections.ConfigDict], interface.System]
  sources = ("photographs",)
  section = "generator"

  def __post_init__(self) -> None:
    super().__post_init__()
    config = self.config
    checks.fields(config, "model", "width", "blocks", "dtype")
    checks.within(config, "model.blocks", 1, 64)
    checks.fields(config, "style", "source", "size", "batch")
    checks.filled(config, "style.source")
    checks.within(config, "style.size", 32, 4096)
    checks.within(config, "style.batch", 1, 10_000)
    checks.fields(config, "features", "net", "weights")
    checks.one_of(config, "features.net", tuple(vgg.BLOCKS))
    names = ("style_layers", "content_layer")
    scales = ("style_weight", "content_weight", "tv_weight")
    checks.fields(config, "loss", *names, *scales)
    for name in scales:
      checks.within(config, f"loss.{name}", 0)
    for name in names:
      try:
        vgg.check_taps(config.features.net, _layers(config.loss[name]))
      except ValueError as error:
        raise errors.UserError(f"config.loss.{name}: {error}") from error
    if not config.loss.style_layers:
      raise errors.UserError("config.loss.style_layers is empty; name a layer")

  def modules(self) -> dict[str, translator.Translator]:
    """The translator."""
    model = self.config.model
    module = translator.Translator(
      *(model.width, model.blocks, "nearest", jnp.dtype(model.dtype)),
      ends=9,
      affine=True,
    )
    return {"generator": module}

  def examples(self) -> dict[str, Images]:
    """A photograph."""
    return {"generator": jnp.zeros((1, 16, 16, 3))}

  def init(self, key: jax.Array) -> interface.TrainState:
    """The translator, and room for the style."""
    layers = vgg.layers_by_tap(self.config.features.net)
    empty = {}
    for tap in self.config.loss.style_layers:
      block = int(layers[tap][len("relu")])  # Of relu4_1, conv4_1 or pool4.
      channels = vgg.CHANNELS[block - 1]
      empty[tap] = jnp.zeros((channels, channels))
    return super().init(key).replace(extra=empty)

  def load_frozen(self) -> dict[str, PyTree]:
    """The feature network, and the mean Gram matrices of the style."""
    config = self.config
    params = weights.load(config.features.net, config.features.weights)
    images = style_images.read(config, self.make)
    grams = jax.jit(lambda images: self._grams(params, images))
    return {"net": params, "style": group_means.mean(grams, images)}

  def update(self, state, batch, draws, frozen, **options):
    """One step; see `interface.System`.

    The style is kept in the state, so that a run goes on with the style of its
    checkpoint, even if the images have changed since.
    """
    style = jax.tree.map(
      lambda new, kept: jnp.where(state.step == 0, new, kept),
      frozen["style"],
      state.extra,
    )
    state = state.replace(extra=style)
    frozen = {"net": frozen["net"], "style": style}
    return super().update(state, batch, draws, frozen, **options)

  def loss(
    self,
    params: dict[str, PyTree],
    batch: Mapping[str, Images],
    draws: PyTree,
    frozen: PyTree,
  ) -> tuple[jax.Array, interface.Scalars]:
    """Weighted content, style and smoothness of the painted photographs."""
    del draws
    fields, images = self.config.loss, batch["photographs"]
    painted = self.modules()["generator"].apply(
      {"params": params["generator"]}, images
    )
    layer = fields.content_layer
    kept = vgg.apply(
      frozen["net"], signed_to_unit(images), (layer,), padding=_PADDING
    )
    found = vgg.apply(
      frozen["net"],
      signed_to_unit(painted),
      tuple(dict.fromkeys((*fields.style_layers, layer))),
      padding=_PADDING,
    )
    style = sum(
      perceptual.style(
        gram := perceptual.gram(found[tap]),
        jnp.broadcast_to(frozen["style"][tap], gram.shape),
      )
      for tap in fields.style_layers
    )
    terms = {
      "style": style,
      "content": perceptual.content(found[layer], kept[layer]),
      "tv": perceptual.total_variation(signed_to_unit(painted)),
    }
    scalars = {
      f"generator/{name}_loss": jnp.mean(values)
      for name, values in terms.items()
    }
    total = sum(
      fields[f"{name}_weight"] * scalars[f"generator/{name}_loss"]
      for name in terms
    )
    return total, scalars | {"generator/loss": total}

  def samples(
    self,
    state: interface.TrainState,
    frozen: PyTree,
    batch: Mapping[str, Images],
  ) -> dict[str, Float[Array, "b height width c"]]:
    """Photographs beside their paintings."""
    del frozen
    images = batch["photographs"]
    painted = self.sampler(state).translate(images, "painting")
    return {"painted": jnp.concatenate([images, painted], axis=2)}

  def sampler(self, state: interface.TrainState) -> translated.Painter:
    """The translator, its moving average where one is kept."""
    params = self.params(state)["generator"]
    return translated.Painter(self.modules()["generator"], {"painting": params})

  def _grams(self, params, images):
    found = vgg.apply(
      params, images, tuple(self.config.loss.style_layers), padding=_PADDING
    )
    return {tap: perceptual.gram(features) for tap, features in found.items()}


def _layers(value: str | Sequence[str]) -> tuple[str, ...]:
  return (value,) if isinstance(value, str) else tuple(value)
