"""Validation of the painting fields."""

import math

import ml_collections

from astgan import checks, errors
from astgan.data import formats
from astgan.features import vgg
from astgan.losses import perceptual
from astgan.nst import colour, network, sizes, start, stylize
from astgan.nst.terms import registry

# VGG halves an image four times before its last block.
MIN_SIDE = 32
# The sides that its deepest layers need.
_POOL5_SIDE, _DEEPEST_SIDE = 32, 16

COLOURS = ("style", "luminance", "linear", "histogram")
# Fields that change nothing but with some of them: the default, and those.
_OF_COLOURS = {
  "recolour": ("style", "linear", "histogram"),
  "colour_root": ("symmetric", "linear"),
}

# At this side the features of the first block alone take 64 GiB.
MAX_SIDE = 16_384
# Beyond what any layer sees.
MAX_MARGIN = 256


def check(config: ml_collections.ConfigDict) -> None:
  """Raises UserError naming the first field that is not valid."""
  checks.one_of(config, "features.net", tuple(vgg.BLOCKS))
  checks.one_of(config, "features.pooling", tuple(vgg.POOLS))
  checks.one_of(config, "features.padding", vgg.PADDINGS)
  checks.one_of(config, "features.dtype", network.DTYPES)
  checks.one_of(config, "paint.gram", perceptual.NORMALIZATIONS)
  checks.one_of(config, "paint.optimizer", tuple(stylize.OPTIMIZERS))
  start.check(config.paint.init)
  checks.one_of(config, "paint.colour", COLOURS)
  checks.one_of(config, "paint.recolour", ("style", "photograph"))
  checks.one_of(config, "paint.colour_root", tuple(colour.ROOTS))
  _check_colour(config)
  checks.one_of(config, "paint.format", tuple(formats.SUFFIXES))
  checks.one_of(config, "paint.bits", (8, 16))
  _check_file(config)
  _check_styles(config)
  checks.within(config, "paint.size", MIN_SIDE, MAX_SIDE)
  if config.paint.style_size:
    checks.within(config, "paint.style_size", MIN_SIDE, MAX_SIDE)
  checks.within(config, "paint.style_nearest", 0)
  checks.within(config, "paint.generated_share", 0, 4)
  checks.within(config, "paint.strength", 0, 1)
  checks.within(config, "paint.tile", 0, MAX_SIDE)
  if config.paint.coarsest:
    checks.within(config, "paint.coarsest", MIN_SIDE, MAX_SIDE)
  checks.within(config, "paint.coarsest_steps", 0)
  checks.within(config, "paint.margin", 0, MAX_MARGIN)
  checks.within(config, "paint.ema_decay", 0, 1, open_high=True)
  checks.within(config, "paint.style_batch", 1, 10_000)
  for name in ("steps", "log_every", "save_every"):
    checks.within(config, f"paint.{name}", 1)
  for name in ("style_weight", "content_weight", "tv_weight"):
    checks.within(config, f"paint.{name}", 0)
  if not any(config.paint[f"{x}_weight"] for x in ("style", "content", "tv")):
    raise errors.UserError(
      "paint.style_weight, content_weight and tv_weight are all 0; weigh one"
    )
  checks.one_of(config, "paint.tv_power", (1, 2))
  checks.within(config, "paint.learning_rate", 0, open_low=True)
  _check_layers(config)
  _check_terms(config)


def smallest(config: ml_collections.ConfigDict) -> tuple[int, str]:
  """The shorter side that a painting needs, so that its coarsest level is one.

  Returns: it, in pixels at `paint.size`, and the field to raise for photographs
    that are too narrow.
  """
  paint = config.paint
  needed = _DEEPEST_SIDE
  if "pool5" in (*paint.style_layers, *paint.content_layers):
    needed = _POOL5_SIDE
  coarsest = sizes.pyramid(paint.size, paint.coarsest)[0]
  side = math.ceil(needed * paint.size / coarsest)
  if coarsest < paint.size and side > MIN_SIDE:
    return side, "paint.coarsest"
  return max(MIN_SIDE, side), "paint.size"


def _check_colour(config):
  """A field that another value of `paint.colour` would silence is named."""
  paint = config.paint
  for name, (default, *colours) in _OF_COLOURS.items():
    if paint[name] != default and paint.colour not in colours:
      raise errors.UserError(
        f"paint.{name}={paint[name]} changes nothing with paint.colour="
        f"{paint.colour}; set that to {' or '.join(colours)}, or"
        f" paint.{name}={default}"
      )


def _check_file(config):
  form, size = config.paint.format, config.paint.size
  if config.paint.bits == 16 and form not in formats.DEEP:
    raise errors.UserError(
      f"paint.bits is 16, and {form} holds 8; set paint.format to one of"
      f" {', '.join(formats.DEEP)}"
    )
  longest = formats.MAX_SIDES.get(form, size)
  if size > longest:
    raise errors.UserError(
      f"paint.size is {size}, and {form} holds {longest} pixels a side; set"
      " paint.format to another"
    )


def _check_styles(config):
  """Blends and masks name each style once."""
  paint = config.paint
  for name in ("styles", "masks", "style_masks"):
    _check_texts(config, name, "sky.png")
  count = 1 + len(paint.styles)
  checks.weights(config, "paint.blend", count, "styles")
  if paint.blend and paint.masks:
    raise errors.UserError(
      "paint.blend and paint.masks: each style has its own region, and nothing"
      " blends; leave one of them empty, ()"
    )
  for name in ("masks", "style_masks"):
    if len(paint[name]) not in (0, count):
      raise errors.UserError(
        f"paint.{name} has {len(paint[name])} masks for {count} styles; give"
        " one for each, or ()"
      )


def _check_texts(config, name, example):
  values = config.paint[name]
  if not all(isinstance(value, str) for value in values):
    raise errors.UserError(
      f"paint.{name} holds texts, such as ({example!r},); got {values}"
    )


def _check_layers(config):
  for name in ("style_layers", "content_layers"):
    _check_texts(config, name, "conv1_1")
    layers = config.paint[name]
    if not layers:
      raise errors.UserError(f"paint.{name} names no layer; name at least one")
    if len(set(layers)) < len(layers):
      raise errors.UserError(f"paint.{name} names a layer twice: {layers}")
    try:
      vgg.check_taps(config.features.net, layers)
    except ValueError as error:
      raise errors.UserError(f"paint.{name}: {error}") from error


def _check_layer_weights(config, kind):
  """One weight for each layer, or as many for each term."""
  name = f"paint.{kind}_layer_weights"
  weights = config.paint[f"{kind}_layer_weights"]
  count, what = len(config.paint[f"{kind}_layers"]), f"{kind} layers"
  own = [isinstance(weight, tuple | list) for weight in weights]
  if not any(own):
    checks.weights(config, name, count, what)
    return
  terms = len(config.paint[f"{kind}_terms"])
  if not (all(own) and len(weights) == terms and all(map(len, weights))):
    raise errors.UserError(
      f"{name} is one tuple of {count} weights, or one for each of the {terms}"
      f" {kind} terms; got {weights}"
    )
  for of_term in weights:
    checks.are_weights(of_term, name, count, what)


def _check_terms(config):
  paint = config.paint
  for kind, known in (("style", registry.STYLE), ("content", registry.CONTENT)):
    _check_texts(config, f"{kind}_terms", next(iter(known)))
    terms = paint[f"{kind}_terms"]
    for name in terms:
      if name not in known:
        raise errors.UserError(
          f"paint.{kind}_terms: {name!r} is none of {', '.join(known)}"
        )
    if not terms:
      raise errors.UserError(
        f"paint.{kind}_terms names no term; name at least one"
      )
    name = f"paint.{kind}_term_weights"
    checks.weights(config, name, len(terms), f"{kind} terms")
    _check_layer_weights(config, kind)
  if "gram_chain" in paint.style_terms and len(paint.style_layers) < 2:
    raise errors.UserError(
      "paint.style_terms: gram_chain multiplies layers with each other; name"
      " at least two in paint.style_layers"
    )
  weights = paint.style_layer_weights
  own = weights and isinstance(weights[0], tuple | list)
  for number, name in enumerate(paint.style_terms):
    of_term = weights[number] if own else weights
    if name == "gram_chain" and of_term and not any(of_term[1:]):
      raise errors.UserError(
        "paint.style_layer_weights: gram_chain weighs two layers by the later"
        f" one, and after the first all are 0 in {of_term}; weigh one"
      )
