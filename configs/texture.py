"""A texture"""

import ml_collections

from configs import best


def get_config() -> ml_collections.ConfigDict:
  """The style of best.py without content, from noise."""
  config = best.get_config()

  paint = config.paint
  paint.content_weight = 0.0
  # Measured and of no weight: the layer costs nothing, as the style reads it.
  paint.content_layers = ("relu1_1",)
  paint.init = "noise"
  return config
