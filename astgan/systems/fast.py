"""System `fast`: a network that paints one style, of a group, in one pass.

It learns from photographs by perceptual losses: the features of a deep layer
stay as they are, and what describes the style becomes that of the group.

References: Johnson, Alahi and Fei-Fei, Perceptual Losses for Real-Time Style
  Transfer and Super-Resolution, 2016; Ulyanov, Vedaldi and Lempitsky, Instance
  Normalization: The Missing Ingredient for Fast Stylization, 2016.
"""

import dataclasses
import functools
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
  devices,
  fast_style,
  interface,
  style_images,
  supervised,
  translated,
)

# The network's, for which a frame of zeros would be a style of its own.
_PADDING = "replicate"


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
    checks.fields(
      config, "loss", "style", "style_layer_weights", *names, *scales
    )
    for name in scales:
      checks.within(config, f"loss.{name}", 0)
    for name in names:
      try:
        vgg.check_taps(config.features.net, _layers(config.loss[name]))
      except ValueError as error:
        raise errors.UserError(f"config.loss.{name}: {error}") from error
    fast_style.check(config)

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
    return super().init(key).replace(extra=fast_style.empty(self.config))

  def load_frozen(self) -> dict[str, PyTree]:
    """The feature network, and the style."""
    config = self.config
    params = weights.load(config.features.net, config.features.weights)
    see = functools.partial(
      vgg.apply,
      params,
      taps=tuple(config.loss.style_layers),
      padding=_PADDING,
    )
    images = style_images.read(config, self.make)
    style = fast_style.of_group(config, see, images)
    return {"net": params, "style": style}

  def style_fingerprint(self) -> dict[str, int | str]:
    """See `interface.System`."""
    return style_images.fingerprint(self.config)

  def update(self, state, batch, draws, frozen, **options):
    """One step; see `interface.System`.

    The style is kept in the state, so that a run goes on with the style of its
    checkpoint, even if the generator that drew it was trained on since.
    """
    style = jax.tree.map(
      lambda new, kept: jnp.where(state.step == 0, new, kept),
      frozen["style"],
      state.extra,
    )
    state = state.replace(extra=style)
    frozen = {"net": frozen["net"], "style": style}
    return super().update(state, batch, draws, frozen, **options)

  def loss_over(self, axis_name):
    """`loss`, of the paintings of all devices."""
    mean = functools.partial(devices.mean_over, axis_name)
    return functools.partial(self.loss, mean=mean)

  def loss(
    self,
    params: dict[str, PyTree],
    batch: Mapping[str, Images],
    draws: PyTree,
    frozen: PyTree,
    *,
    mean: Callable[[PyTree], PyTree] = lambda tree: tree,
  ) -> tuple[jax.Array, interface.Scalars]:
    """Weighted content, style and smoothness of the painted photographs.

    Others are as for `Supervised.loss`; `mean` is over the devices.
    """
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
    terms = {
      "style": fast_style.loss(self.config, found, frozen["style"], mean=mean),
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


def _layers(value: str | Sequence[str]) -> tuple[str, ...]:
  return (value,) if isinstance(value, str) else tuple(value)
