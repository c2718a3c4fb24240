"""DCGAN with the weakened discriminator: the paper's best.

python -m astgan.main --config=configs/dcgan.py \\
  --config.data.source=folder:PATH
"""

from configs import common


def get_config():
  config = common.get_config()
  # Section 4.2: a steeper LeakyReLU, and real labels of 0.85 that rise to 0.95
  # half-way.
  config.model.slope = 0.3
  config.train.real_label = 0.85
  config.train.real_label_late = 0.95
  return config
