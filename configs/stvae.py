"""A painter that mixes styles as latents: every field of system `stvae`.

  python -m astgan.main --config=configs/stvae.py \
    --config.data.source=folder:PAINTINGS \
    --config.data.photographs=folder:PHOTOGRAPHS

Afterwards `--config=configs/nst.py --config.paint.painter=runs/stvae
--config.paint.style=ONE --config.paint.styles="('OTHER',)"
--config.paint.blend="(0.5, 0.5)"` paints photographs of any size in a mixture.

Hardware: a GPU; not yet trained at this size here. An hour on one core (windows
of 64 pixels, width 32, 4,000 updates of 4, learning rates from 1e-3 to 5e-5) is
not enough: it learns hues and the silhouettes of a photograph, no drawing.
Expect: losses that differ much from batch to batch, as those of adain.py do.

References: Liu, Kalogeiton and Cani, Multiple Style Transfer via Variational
  AutoEncoder, 2021.
"""

import ml_collections

from configs import adain


def get_config() -> ml_collections.ConfigDict:
  """As adain.py, with an autoencoder of styles."""
  config = adain.get_config()
  config.unlock()
  config.system = "stvae"
  # Dimensions of the latent of a style, and channels of compressed features
  # (the paper: 512 and 32).
  config.model.latent_dim = 512
  config.model.channels = 32
  # Section `decoder` is the optimiser of both networks, and freezes layers
  # of either, such as `hidden` of the one that maps features.
  loss = config.loss
  # Weight of the divergence of latents from N(0, I), per dimension.
  loss.prior_weight = 0.1
  # Weight of the difference of mapped features from the photograph's, but for
  # their means and deviations, as a share of the latter's mean square (the
  # paper: 0). It begins at 0.8; after 200 updates of 4 windows of 64 pixels it
  # is 0.4, with a weight of 10 still 0.75.
  loss.feature_weight = 100.0
  return config.lock()
