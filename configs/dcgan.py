"""DCGAN with the weakened discriminator: the paper's best.

  python -m astgan.main --config=configs/dcgan.py \
    --config.data.source=folder:PATH

Hardware: anything; two CPU cores make about one update a second, and the
paper's 11,700 in three and a quarter hours.
Expect: generator losses of 2 to 6 and discriminator losses of 0.6 to 1.4, both
swinging, and skies over land after some 500 updates. A few hundred images
want data.flip=True, data.crop=random and train.ema_decay=0.99 as well.

References: the Ast-GAN report, sections 3.2 and 4.2.
"""

import ml_collections

from configs import gan


def get_config() -> ml_collections.ConfigDict:
  """DCGAN against a discriminator that is not too sure."""
  config = gan.get_config()
  # Section 4.2: a steeper LeakyReLU, and real labels of 0.85 that rise to 0.95
  # half-way, at `loss.late_step`: other `train.steps` want another.
  config.model.leaky_relu_slope = 0.3
  config.loss.real_label = 0.85
  config.loss.real_label_late = 0.95
  return config
