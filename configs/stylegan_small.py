"""A narrow StyleGAN at 64 pixels.

  python -m astgan.main --config=configs/stylegan_small.py \
    --config.data.source=folder:PATH
"""

import ml_collections

from configs import stylegan


def get_config() -> ml_collections.ConfigDict:
  """StyleGAN for hours on two CPU cores."""
  config = stylegan.get_config()
  config.data.size = 64
  config.data.crop = "random"
  config.model.width = 96
  config.model.latent_dim = 128
  config.growth.batch_sizes = (32, 32, 32, 16)
  config.growth.stable_steps = (400, 600, 800, 1500)
  config.growth.fade_steps = (400, 600, 800, 1500)
  config.train.batch_size = 16
  config.train.steps = 16_000
  config.train.ema_half_life = 5000
  config.train.sample_every = 500
  config.train.save_every = 500
  config.train.evaluate_every = 500
  return config
