"""DCGAN as the paper's baseline: slope 0.2, no label smoothing.

python -m astgan.main --config=configs/dcgan_baseline.py \\
  --config.data.source=folder:PATH
"""

from configs import common


def get_config():
  return common.get_config()
