"""ProGAN at 256 pixels: what grew before it had styles.

  python -m astgan.main --config=configs/progan.py \
    --config.data.source=folder:PATH

The published losses, without their small penalty on the size of the logits. For
CPUs change what `stylegan_small` changes.

Hardware: a GPU. Not trained to its end yet.
Expect: 22,490,383 and 22,498,049 parameters at data.size=64.

References: Karras, Aila, Laine and Lehtinen, Progressive Growing of GANs for
  Improved Quality, Stability, and Variation, 2018.
"""

import ml_collections

from configs import stylegan


def get_config() -> ml_collections.ConfigDict:
  """StyleGAN's page without styles, and with WGAN-GP."""
  config = stylegan.get_config()
  config.model.name = "progan"
  config.loss.name = "wasserstein"
  config.loss.penalty = "gradient"
  config.loss.penalty_every = 1
  return config
