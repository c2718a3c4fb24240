"""Algorithm 1 of the first GAN: minimax, k steps, momentum.

  python -m astgan.main --config=configs/goodfellow.py \
    --config.data.source=folder:PATH

The discriminator learns k times per generator update, each time from images of
its own; the generator minimises log(1 - D(G(z))); both descend by gradients
with momentum. The paper's default of k is 1, `discriminator.updates` is k.

Hardware and time are those of configs/dcgan.py.
Expect: a discriminator's loss that starts near 2 log 2 = 1.39 and a generator's
near -log 2 = -0.69, flat where the discriminator is sure: slower than
configs/dcgan_baseline.py.

References: Goodfellow et al., Generative Adversarial Nets, 2014, algorithm 1.
"""

import ml_collections

from configs import gan


def get_config() -> ml_collections.ConfigDict:
  """The baseline's networks by the rules of 2014."""
  config = gan.get_config()
  config.loss.name = "minimax"
  config.generator.optimizer = "sgd"
  config.discriminator.optimizer = "sgd"
  # The paper says "momentum" and no numbers; Adam's step size is far too small
  # for plain gradients.
  config.generator.learning_rate = 0.01
  config.discriminator.learning_rate = 0.01
  return config
