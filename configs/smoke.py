"""The smallest complete training: under a minute on two cores.

  python -m astgan.main --config=configs/smoke.py

Hardware: anything; ten seconds on two CPU cores.
Expect: every file that a real training writes, and grids of coloured noise.
"""

import ml_collections

from configs import gan


def get_config() -> ml_collections.ConfigDict:
  """A training of 20 updates."""
  config = gan.get_config()
  config.data.size = 32
  config.data.count = 64
  config.model.width = 8
  config.train.steps = 20
  config.train.batch_size = 16
  config.train.log_every = 5
  config.train.sample_every = 10
  config.train.save_every = 10
  config.train.evaluate_every = 10
  config.train.num_samples = 16
  return config
