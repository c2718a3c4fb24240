"""A light generator at 256 pixels, seen through VGG as well, for a GPU.

  python -m astgan.main --config=configs/fewshot_256.py \
    --config.data.source=folder:PATH

The widths of the published networks. Heads on projected features of the frozen
VGG judge what is drawn beside the one on pixels. Metrics on a VGG are labelled
`seen` then; AlexNet, of the extra `lpips`, saw nothing of the training.

Hardware: one GPU of 16 GB or more; not yet measured on one. It makes an update
of a small batch on CPUs, slowly.
Expect: by the papers' figures for a few hundred images, recognisable scenes
after some 100,000 images, the best after one to five million.

References: as in configs/fewshot.py.
"""

import ml_collections

from configs import fewshot


def get_config() -> ml_collections.ConfigDict:
  """The light generator at 256 pixels with heads on pixels and features."""
  config = fewshot.get_config()
  config.data.size = 256
  config.train.steps = 60_000
  # As many images as Projected GAN's average has at a batch of 64.
  config.train.ema_half_life = 20_000
  config.model.width = 64
  config.model.discriminator_width = 64
  config.features.layers = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")
  return config
