"""The painting that a config asks for, checked before anything is read."""

import functools
import math
import operator

import ml_collections
import optax

from astgan import errors
from astgan.features import vgg
from astgan.losses import perceptual
from astgan.nst import objective, start, stylize

# VGG halves a picture four times before its last block.
SMALLEST = 32

_CHOICES = {
  "features.net": tuple(vgg.BLOCKS),
  "features.pooling": tuple(vgg.POOLS),
  "paint.gram": perceptual.NORMALIZATIONS,
  "paint.optimizer": tuple(stylize.OPTIMIZERS),
  "paint.init": start.INITS,
}
_LEAST = {
  "paint.size": SMALLEST,
  "paint.steps": 1,
  "paint.style_batch": 1,
  "paint.log_every": 1,
  "paint.style_weight": 0,
  "paint.content_weight": 0,
  "paint.variation_weight": 0,
}


def check(config: ml_collections.ConfigDict) -> None:
  """Raises UserError naming the first field that cannot be."""
  for name, choices in _CHOICES.items():
    value = operator.attrgetter(name)(config)
    if value not in choices:
      raise errors.UserError(
        f"{name} is one of {', '.join(choices)}; got {value!r}"
      )
  for name, least in _LEAST.items():
    value = operator.attrgetter(name)(config)
    if not (math.isfinite(value) and value >= least):
      raise errors.UserError(f"{name} is at least {least}; got {value}")
  if not (math.isfinite(config.paint.learning_rate)) or (
    config.paint.learning_rate <= 0
  ):
    raise errors.UserError(
      f"paint.learning_rate is above 0; got {config.paint.learning_rate}"
    )
  if config.paint.style_size and config.paint.style_size < SMALLEST:
    raise errors.UserError(
      f"paint.style_size is 0 or at least {SMALLEST};"
      f" got {config.paint.style_size}"
    )
  _check_layers(config)


def _check_layers(config):
  for name in ("style_layers", "content_layers"):
    layers = config.paint[name]
    if not layers:
      raise errors.UserError(f"paint.{name} names no layer; name at least one")
    if len(set(layers)) < len(layers):
      raise errors.UserError(f"paint.{name} names a layer twice: {layers}")
    try:
      vgg.check_taps(config.features.net, layers)
    except ValueError as error:
      raise errors.UserError(f"paint.{name}: {error}") from error
  layers = config.paint.style_layers
  weights = config.paint.style_layer_weights
  if len(weights) not in (0, len(layers)):
    raise errors.UserError(
      f"paint.style_layer_weights has {len(weights)} weights for"
      f" {len(layers)} style layers; give one for each, or () for 1"
    )
  if not all(math.isfinite(weight) and weight >= 0 for weight in weights):
    raise errors.UserError(
      f"paint.style_layer_weights are numbers from 0 up; got {weights}"
    )


def terms(config: ml_collections.ConfigDict) -> objective.Terms:
  """Layers and weights of a config that was checked."""
  paint = config.paint
  weights = paint.style_layer_weights or (1.0,) * len(paint.style_layers)
  return objective.Terms(
    content_layers=tuple(paint.content_layers),
    style_layers=tuple(paint.style_layers),
    style_layer_weights=tuple(float(weight) for weight in weights),
    normalize=paint.gram,
    content_weight=paint.content_weight,
    style_weight=paint.style_weight,
    variation_weight=paint.variation_weight,
  )


def extract(config: ml_collections.ConfigDict) -> objective.Extract:
  """The feature network, as a function of (params, images, taps)."""
  return functools.partial(vgg.apply, pooling=config.features.pooling)


def optimizer(
  config: ml_collections.ConfigDict,
) -> optax.GradientTransformationExtraArgs:
  """The optimiser over pixels."""
  return stylize.make_optimizer(
    config.paint.optimizer, config.paint.learning_rate
  )
