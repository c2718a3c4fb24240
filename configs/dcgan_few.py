"""DCGAN for a few hundred images: no checkerboard, nothing memorised.

  python -m astgan.main --config=configs/dcgan_few.py \
    --config.data.source=folder:PATH

The generator resizes and convolves, which leaves no checkerboard; the
discriminator sees everything through DiffAugment; a moving average of the
generator is what is sampled. The palette is the style, so colours are left
alone.

Hardware: anything; five minutes for 1,000 updates on two free CPU cores.
Expect: on 300 Monets, discriminator losses of 1.0 to 1.4 and generator losses
of 0.5 to 1.5; after 1,000 updates skies, shores, trees and their reflections,
without a lattice, and a sliced Wasserstein distance of 0.03 (docs/results).

References: Odena, Dumoulin and Olah, Deconvolution and Checkerboard Artifacts,
  2016; Zhao et al., Differentiable Augmentation for Data-Efficient GAN
  Training, 2020.
"""

import ml_collections

from configs import gan


def get_config() -> ml_collections.ConfigDict:
  """The weakened discriminator's rival for small sets."""
  config = gan.get_config()
  config.data.crop = "random"
  config.data.flip = True
  config.model.width = 32
  config.model.upsample = "nearest"
  config.diff_augment.policy = ("translation", "cutout")
  # A smaller box than the authors' half: it shows in samples otherwise.
  config.diff_augment.cutout_size = 0.2
  config.train.batch_size = 64
  config.train.steps = 3000
  config.train.ema_decay = 0.99
  return config
