"""Grids and latent interpolations of a trained generator.

python -m astgan.main --config=configs/sample.py --config.sample.run=runs/dcgan
"""

from configs import common


def get_config():
  config = common.get_config()
  config.task = "sample"
  return config
