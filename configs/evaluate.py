"""Metrics of what a trained generator draws, against its paintings.

  python -m astgan.main --config=configs/evaluate.py \
    --config.evaluate.run=runs/dcgan

Hardware: anything; a minute or so on two cores for 300 paintings of 64 pixels.
Expect: a table, metrics.json, and sheets of generated images beside their
nearest training images in runs/evaluate. For another checkpoint than the first
time name another --workdir. Any folder of images is measured by
--config.evaluate.pictures=FOLDER --config.data.source=folder:PAINTINGS.
"""

import ml_collections

from configs import common


def get_config() -> ml_collections.ConfigDict:
  """Evaluation, with the fields of `evaluate` at their defaults."""
  return common.evaluation()
