"""DCGAN with the least squares loss.

  python -m astgan.main --config=configs/lsgan.py \
    --config.data.source=folder:PATH

Hardware and time are those of configs/dcgan.py.
Expect: discriminator and generator losses that start near 1/2 each.

References: Mao et al., Least Squares Generative Adversarial Networks, 2017.
"""

import ml_collections

from configs import gan


def get_config() -> ml_collections.ConfigDict:
  """The baseline with squares for cross-entropies."""
  config = gan.get_config()
  config.loss.name = "least_squares"
  return config
