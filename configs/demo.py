"""A small DCGAN on the built-in landscapes: minutes on two CPU cores.

  bash launch/demo.sh
  python -m astgan.main --config=configs/demo.py

Hardware: anything; some five minutes on two CPU cores, 160 images/s.
Expect: brushed skies, horizons, water and trees in the source's colours, and a
sliced Wasserstein distance below 0.03.
"""

import ml_collections

from configs import dcgan


def get_config() -> ml_collections.ConfigDict:
  """The paper's best, small enough to wait for."""
  config = dcgan.get_config()
  config.data.count = 1024
  config.data.flip = True
  # A quarter of the paper's work per image, and smaller batches.
  config.model.width = 32
  # Resize convolutions paint without the lattice of transposed ones.
  config.model.upsample = "nearest"
  config.train.batch_size = 32
  config.train.steps = 1500
  config.loss.late_step = 750
  # Averages about the last hundred updates: fewer stray strokes.
  config.train.ema_decay = 0.99
  config.train.sample_every = 250
  config.train.save_every = 250
  return config
