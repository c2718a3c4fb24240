"""The same from three layers and on windows of 64 pixels, for CPUs.

  python -m astgan.main --config=configs/wct_small.py \
    --config.data.source=folder:PAINTINGS \
    --config.data.photographs=folder:PHOTOGRAPHS

Hardware: anything; two cores of an AMD EPYC make nine updates a second, all of
them in a quarter of an hour.
Expect: signal-to-noise ratios of 24, 26 and 33 dB from relu3_1, relu2_1 and
relu1_1. Their textures are finer than those of five layers, and photographs
keep their drawing.

References: as in configs/wct.py.
"""

import ml_collections

from configs import wct


def get_config() -> ml_collections.ConfigDict:
  """Small windows of small paintings, half the width, larger steps."""
  config = wct.get_config()
  config.data.size = 64
  # Windows of 64 out of 256, in which brush strokes have their shape.
  config.data.zoom = 4.0
  config.model.width = 32
  config.model.blocks = (3, 2, 1)
  config.train.batch_size = 2
  config.train.steps = 6000
  config.train.num_samples = 9
  config.decoder.learning_rate = 1e-3
  return config
