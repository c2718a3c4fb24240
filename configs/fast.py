"""A painting in less than a minute on two CPU cores: few steps, from coarse."""

import ml_collections

from configs import best


def get_config() -> ml_collections.ConfigDict:
  """The painting of best.py, without its deepest layers and last steps."""
  config = best.get_config()

  paint = config.paint
  paint.style_terms = ("mean_std",)
  paint.style_layers = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
  paint.style_layer_weights = (0.75, 0.188, 0.047, 0.0117)
  paint.content_layers = ("relu4_1",)
  paint.size = 384
  paint.ema_decay = 0.9
  paint.coarsest = 192
  paint.coarsest_steps = 60
  paint.steps = 20
  return config
