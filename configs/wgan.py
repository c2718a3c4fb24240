"""Wasserstein GAN with clipped weights.

  python -m astgan.main --config=configs/wgan.py \
    --config.data.source=folder:PATH

The critic learns 100 times for each of the first 25 generator updates, as in
the authors' program, and 5 times for each later one. (Theirs also returns to
100 at every 500th update.)

Hardware: anything; an update has five turns of the critic, and each of the
first 25 a hundred.
Expect: a discriminator's loss below 0, minus the estimated distance, which
shrinks as images get better.

References: Arjovsky, Chintala and Bottou, Wasserstein GAN, 2017, algorithm 1.
"""

import ml_collections

from configs import gan


def get_config() -> ml_collections.ConfigDict:
  """The baseline's networks by algorithm 1 of the paper."""
  config = gan.get_config()
  config.loss.name = "wasserstein"
  config.loss.weight_clip = 0.01
  config.train.batch_size = 64
  for network in (config.generator, config.discriminator):
    network.optimizer = "rmsprop"
    network.learning_rate = 5e-5
    # PyTorch's default, which the authors' program uses.
    network.beta2 = 0.99
  config.discriminator.updates = 5
  config.discriminator.start_updates = 100
  config.discriminator.start_steps = 25
  return config
