"""The same at 128 pixels and half the width, for CPUs: under an hour.

  python -m astgan.main --config=configs/johnson_small.py \
    --config.data.source=folder:PHOTOGRAPHS --config.style.source=PAINTINGS

Hardware: anything; two busy cores made an update in 1.5 s.
Expect: texture in the colours of the style first, outlines and masses later.

References: as in configs/johnson.py.
"""

import ml_collections

from configs import johnson


def get_config() -> ml_collections.ConfigDict:
  """Smaller windows, and a network of a quarter of the work."""
  config = johnson.get_config()
  config.data.size = 128
  # Windows of half a photograph, in which its details have their shape.
  config.data.zoom = 2.0
  config.model.width = 16
  config.train.steps = 3000
  config.train.ema_decay = 0.99
  config.train.log_every = 20
  config.train.sample_every = config.train.save_every = 250
  return config
