"""DCGAN as the paper's baseline: slope 0.2, no label smoothing.

  python -m astgan.main --config=configs/dcgan_baseline.py \
    --config.data.source=folder:PATH

Hardware and time are those of configs/dcgan.py.
Expect: by the paper's figure 6, a discriminator that outgrows the generator
sooner, whose loss climbs, and blurrier landscapes.

References: the Ast-GAN report, section 4; Radford et al., 2015.
"""

import ml_collections

from configs import gan


def get_config() -> ml_collections.ConfigDict:
  """The defaults, which are the baseline."""
  return gan.get_config()
