"""A painting in less than a minute on two CPU cores: few steps, from coarse.

  python -m astgan.main --config=configs/fast.py \
    --config.paint.content=photo.jpg --config.paint.style=painting.jpg

best.py without its deepest layer, and with the mean and the deviation of each
channel (AdaIN's statistics) in place of whole Gaussians, whose square roots of
matrices cost as much as the network. 60 steps at 192 pixels bring the colours
and the strokes, 20 at 272 and 20 at 384 sharpen them.

Hardware: anything; two free cores of an AMD EPYC paint 384 by 288 pixels in 46
seconds, start and compilation included, and in 30 once that is cached.
Expect: a style loss that falls tenfold at the first size.

References: Huang and Belongie, Arbitrary Style Transfer in Real-time with
  Adaptive Instance Normalization, 2017, and those of best.py.
"""

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
