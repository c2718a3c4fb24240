"""DCGAN with the hinge loss and a spectrally normalised discriminator.

  python -m astgan.main --config=configs/hinge.py \
    --config.data.source=folder:PATH

Hardware and time are those of configs/dcgan.py.
Expect: a discriminator's loss that starts near 2, one margin for either kind,
and stays between 1 and 2: a Lipschitz discriminator is never sure, and teaches
slowly. At width 32, 1,000 updates on 300 Monets bring clouds in their colours.

References: Lim and Ye, Geometric GAN, 2017; Miyato et al., Spectral
  Normalization for Generative Adversarial Networks, 2018.
"""

import ml_collections

from configs import gan


def get_config() -> ml_collections.ConfigDict:
  """The baseline with a margin, and a Lipschitz discriminator."""
  config = gan.get_config()
  config.loss.name = "hinge"
  # Spectral normalisation takes the place of batch normalisation.
  config.model.discriminator_norm = "none"
  config.model.spectral_norm = "discriminator"
  return config
