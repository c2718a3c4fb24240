"""The light generator on the built-in landscapes: minutes on two CPU cores.

  bash launch/demo.sh
  python -m astgan.main --config=configs/demo.py

Hardware: anything; some six minutes on two CPU cores.
Expect: skies over land and water in the source's colours after 150 updates,
trees, shores and reflections at the end, and a sliced Wasserstein distance of
0.035.
"""

import ml_collections

from configs import fewshot


def get_config() -> ml_collections.ConfigDict:
  """As `fewshot`, ended as soon as its images are worth painting from."""
  config = fewshot.get_config()
  config.data.count = 1024
  config.data.crop = "centre"
  config.train.steps = 800
  config.train.sample_every = 200
  config.train.save_every = 200
  config.train.evaluate_every = 200
  return config
