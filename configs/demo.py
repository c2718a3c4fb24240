"""`dcgan_few` on the built-in landscapes: minutes on two CPU cores.

  bash launch/demo.sh
  python -m astgan.main --config=configs/demo.py

Hardware: anything; seven minutes on two CPU cores.
Expect: skies over land and water in the source's colours after 400 updates,
trees, shores and reflections at the end, and a sliced Wasserstein distance of
0.025.
"""

import ml_collections

from configs import dcgan_few


def get_config() -> ml_collections.ConfigDict:
  """As `dcgan_few`, ended as soon as its images are worth painting from."""
  config = dcgan_few.get_config()
  config.data.count = 1024
  config.data.crop = "centre"
  config.train.steps = 1400
  config.train.sample_every = 350
  config.train.save_every = 350
  config.train.evaluate_every = 350
  return config
