"""How a photograph is painted: the terms, the optimiser and the sizes."""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import ml_collections

from astgan.features import vgg
from astgan.nst import network, objective, sizes, stylize
from astgan.nst.terms import registry, total_variation

# One weight per layer, for all terms or for each.
LayerWeights = tuple[float, ...] | tuple[tuple[float, ...], ...]


class Level(NamedTuple):
  """One size of the pyramid.

  Args:
    side: the longer one, in pixels.
    steps: updates.
    others: the terms of content and of smoothness.
  """

  side: int
  steps: int
  others: tuple[objective.Item, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
  """A whole recipe, from `make` or `of_config`.

  Args:
    style: the terms of style, which describe a group.
    optimizer: over pixels.
    levels: from coarse to fine; the last is the painting.
    init: the image to start from, see `start.initial_image`.
    tile: side of the tiles in pixels; 0 chooses by memory.
    margin: width in pixels, see `margin`.
  """

  style: objective.Objective
  optimizer: stylize.Optimizer
  levels: tuple[Level, ...]
  init: str = "content"
  tile: int = 0
  margin: int = 0

  @property
  def size(self) -> int:
    """Longer side of the painting, in pixels."""
    return self.levels[-1].side

  @property
  def content_layers(self) -> tuple[str, ...]:
    """Layers in which the painting is compared with the photograph."""
    taps = [
      tap
      for item in self.levels[-1].others
      if item.name == "content"
      for tap in item.term.taps
    ]
    return tuple(dict.fromkeys(taps))

  def objective(
    self, level: int = -1, *, regions: int = 0
  ) -> objective.Objective:
    """All terms: those of style once per region; 0 is one style everywhere."""
    numbers = range(regions) if regions else [None]
    items = [
      item._replace(region=region)
      for region in numbers
      for item in self.style.items
    ]
    return objective.Objective(
      self.style.network, (*items, *self.levels[level].others)
    )

  def steps_before(self, level: int) -> int:
    """Updates of all levels before one."""
    return sum(each.steps for each in self.levels[:level])

  @property
  def total_steps(self) -> int:
    """Updates of the whole painting."""
    return self.steps_before(len(self.levels))


def make(
  *,
  net: str = "vgg19",
  pooling: str = "average",
  padding: str = "replicate",
  style_terms: tuple[str, ...] = ("wasserstein",),
  style_term_weights: tuple[float, ...] = (),
  style_layers: tuple[str, ...] = (
    "relu1_1",
    "relu2_1",
    "relu3_1",
    "relu4_1",
    "relu5_1",
  ),
  style_layer_weights: LayerWeights = (0.75, 0.188, 0.047, 0.0117, 0.0029),
  gram: str = "hwc",
  style_weight: float = 150.0,
  content_terms: tuple[str, ...] = ("features", "luminance"),
  content_term_weights: tuple[float, ...] = (1.0, 20.0),
  content_layers: tuple[str, ...] = ("relu4_2",),
  content_layer_weights: LayerWeights = (),
  content_weight: float = 1.0,
  tv_weight: float = 0.0,
  tv_power: int = 2,
  optimizer: str = "adam",
  learning_rate: float = 0.02,
  ema_decay: float = 0.95,
  size: int = 512,
  coarsest: int = 96,
  steps: int = 60,
  coarsest_steps: int = 120,
  init: str = "content",
  tile: int = 0,
  margin: int = 16,
) -> Recipe:
  """A recipe of fields that configs/common.py explains, as `paint.FIELD`.

  The defaults are those of configs/best.py. `net`, `pooling` and `padding` are
  of its section `features`.

  Raises:
    ValueError: a name is unknown, a number out of its range, or weights do not
      match what they weigh.
  """
  for name, value, low in (
    *(("size", size, 1), ("steps", steps, 1), ("coarsest", coarsest, 0)),
    *(("coarsest_steps", coarsest_steps, 0), ("style_weight", style_weight, 0)),
    *(("content_weight", content_weight, 0), ("tv_weight", tv_weight, 0)),
    *(("tile", tile, 0), ("margin", margin, 0)),
  ):
    if not value >= low:
      raise ValueError(f"{name} is at least {low}, not {value}")
  if tv_power not in (1, 2):
    raise ValueError(f"tv_power is 1 or 2, not {tv_power}")
  vgg.check_taps(net, (*style_layers, *content_layers))
  style = [
    registry.style(
      name, taps=style_layers, layer_weights=weights, normalize=gram
    )
    for name, weights in _layer_weights(
      "style", style_terms, style_layers, style_layer_weights
    )
  ]
  of_content = list(
    _layer_weights(
      "content", content_terms, content_layers, content_layer_weights
    )
  )
  smoothness = total_variation.TotalVariation(power=tv_power)

  def others(side):
    content = [
      registry.of_content(
        name, taps=content_layers, layer_weights=weights, side=side
      )
      for name, weights in of_content
    ]
    return (
      *_items("content", content_weight, content, content_term_weights),
      objective.Item("tv", tv_weight, smoothness),
    )

  sides = sizes.pyramid(size, coarsest)
  counts = [steps] * len(sides)
  if len(sides) > 1:
    counts[0] = coarsest_steps or steps
  extract = network.Network(net=net, pooling=pooling, padding=padding)
  return Recipe(
    style=objective.Objective(
      extract, _items("style", style_weight, style, style_term_weights)
    ),
    optimizer=stylize.Optimizer(
      name=optimizer, learning_rate=learning_rate, ema_decay=ema_decay
    ),
    levels=tuple(map(Level, sides, counts, map(others, sides))),
    init=init,
    tile=tile,
    margin=margin,
  )


def _layer_weights(kind, terms, layers, weights):
  """Each term with a weight for each layer."""
  weights = weights or (1.0,) * len(layers)
  each = any(isinstance(weight, Sequence) for weight in weights)
  own = weights if each else [weights] * len(terms)
  if len(own) != len(terms):
    raise ValueError(
      f"{len(terms)} {kind} terms have layer weights for {len(own)}"
    )
  for of_term in own:
    if len(of_term) != len(layers):
      raise ValueError(
        f"{len(layers)} {kind} layers have {len(of_term)} weights"
      )
  return zip(terms, own, strict=True)


def _items(name, weight, terms, scales):
  """The terms of one reported loss; without scales each is 1."""
  scales = scales or (1.0,) * len(terms)
  if len(scales) != len(terms):
    raise ValueError(f"{len(terms)} {name} terms have {len(scales)} weights")
  return tuple(
    objective.Item(name, weight, term, scale=float(scale))
    for term, scale in zip(terms, scales, strict=True)
  )


_FIELDS = (
  *("style_terms", "style_term_weights", "style_layers"),
  *("style_layer_weights", "gram", "style_weight"),
  *("content_terms", "content_term_weights", "content_layers"),
  *("content_layer_weights", "content_weight", "tv_weight", "tv_power"),
  *("optimizer", "learning_rate", "ema_decay"),
  *("size", "coarsest", "steps", "coarsest_steps", "init", "tile", "margin"),
)


def of_config(config: ml_collections.ConfigDict) -> Recipe:
  """The recipe of a valid config."""
  features = config.features
  return make(
    net=features.net,
    pooling=features.pooling,
    padding=features.padding,
    **{name: config.paint[name] for name in _FIELDS},
  )
