"""VAE-GAN at half the width for CPUs: forty minutes on one core.

  python -m astgan.main --config=configs/vaegan_small.py \
    --config.data.source=folder:PATH

Hardware: anything; an update takes 1.2 s on one core of an AMD EPYC.
Expect: on 508 paintings, the masses and hues of an image in its reconstruction
after 500 updates; after 1,700, skies, trees and water in strokes, and
reconstructions that an impressionist could have painted after the image
(docs/results). Discriminator losses of 0.5 to 1.

References: as in configs/vaegan.py.
"""

import ml_collections

from configs import vaegan


def get_config() -> ml_collections.ConfigDict:
  """Narrower networks, a smaller batch, and an average that is sampled."""
  config = vaegan.get_config()
  config.data.flip = True
  config.model.width = 32
  config.model.encoder_units = 512
  config.train.batch_size = 32
  config.train.steps = 2000
  # Of the last hundred updates.
  config.train.ema_decay = 0.99
  config.train.sample_every = config.train.save_every = 250
  config.train.log_every = 20
  return config
