"""The objects that the painting fields of a valid config describe."""

import ml_collections

from astgan.nst import network, objective, stylize
from astgan.nst.terms import content, registry, total_variation


def make_network(config: ml_collections.ConfigDict) -> network.Network:
  """The feature network."""
  features = config.features
  return network.Network(
    net=features.net, pooling=features.pooling, padding=features.padding
  )


def style_objective(
  config: ml_collections.ConfigDict,
) -> objective.Objective:
  """The terms of style alone, which describe a group."""
  paint = config.paint
  layers = paint.style_layers
  weights = [float(weight) for weight in paint.style_layer_weights]
  scales = paint.style_term_weights or (1.0,) * len(paint.style_terms)
  items = tuple(
    objective.Item(
      "style",
      paint.style_weight,
      registry.style(
        name,
        taps=layers,
        layer_weights=weights or [1.0] * len(layers),
        normalize=paint.gram,
      ),
      scale=float(scale),
    )
    for name, scale in zip(paint.style_terms, scales, strict=True)
  )
  return objective.Objective(make_network(config), items)


def make_objective(
  config: ml_collections.ConfigDict, *, regions: int = 0
) -> objective.Objective:
  """All terms: those of style once per region, content and smoothness.

  Args:
    config: the whole config.
    regions: of the painting, each with a style of its own; 0 is one style
      everywhere.
  """
  paint = config.paint
  style = style_objective(config)
  items = [
    item._replace(region=region)
    for region in (range(regions) if regions else [None])
    for item in style.items
  ]
  layers = tuple(paint.content_layers)
  features = content.Content(taps=layers, layer_weights=(1.0,) * len(layers))
  smoothness = total_variation.TotalVariation()
  items += [
    objective.Item("content", paint.content_weight, features),
    objective.Item("tv", paint.tv_weight, smoothness),
  ]
  return objective.Objective(style.network, tuple(items))


def make_optimizer(config: ml_collections.ConfigDict) -> stylize.Optimizer:
  """The optimiser over pixels."""
  paint = config.paint
  return stylize.Optimizer(
    name=paint.optimizer,
    learning_rate=paint.learning_rate,
    ema_decay=paint.ema_decay,
  )
