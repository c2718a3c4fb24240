"""A narrow StyleGAN at 64 pixels.

  python -m astgan.main --config=configs/stylegan_small.py \
    --config.data.source=folder:PATH

Hardware: anything; two hours on one CPU core, the most of them at 64 pixels. A
few hundred paintings want DiffAugment (`diff_augment.policy`) as well.
Expect: blurs of colour at 4 and 8 pixels, skies over land from 16 on; with 508
paintings, kernel distances of AlexNet of 7.5, 1.8, 0.54 and 0.28 after 2,000,
4,000, 6,000 and 12,000 updates.
"""

import ml_collections

from configs import stylegan


def get_config() -> ml_collections.ConfigDict:
  """StyleGAN's page with an eighth of the channels."""
  config = stylegan.get_config()
  config.data.size = 64
  config.data.crop = "random"
  config.model.width = 64
  config.model.latent_dim = 128
  config.growth.batch_sizes = (16, 16, 16, 16)
  config.growth.stable_steps = (300, 300, 500, 1000)
  config.growth.fade_steps = (300, 500, 1000, 1500)
  config.train.batch_size = 16
  config.train.steps = 12_000
  config.train.ema_half_life = 5000
  config.train.sample_every = 500
  config.train.save_every = 500
  config.train.evaluate_every = 500
  for name in ("generator", "discriminator"):
    config[name].learning_rate = 2e-3
  return config
