"""Grids and latent interpolations of a trained generator.

  python -m astgan.main --config=configs/sample.py \
    --config.sample.run=runs/dcgan

Hardware: anything; seconds.
Expect: samples/grid_00.png and samples/interpolations.png in runs/sample. For
other steps or counts than a first time, name another --workdir.
"""

import ml_collections

from configs import common


def get_config() -> ml_collections.ConfigDict:
  """Sampling, with the fields of `sample` at their defaults."""
  return common.sampling()
