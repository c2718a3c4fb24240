"""Wasserstein GAN with gradient penalty and residual networks.

  python -m astgan.main --config=configs/wgan_gp.py \
    --config.data.source=folder:PATH

The paper's 64x64 pair: residual blocks, a layer-normalised critic, 5 critic
updates per generator update.

Hardware: a GPU. An update of 16 images at width 64 costs two CPU cores 13 s; at
32 pixels, width 16 and batches of 32, one.
Expect: a discriminator's loss below 0, minus the estimated distance, which
shrinks as images get better: on 300 Monets, so reduced, from -21 at 100 updates
to -4.6 at 300.

References: Gulrajani et al., Improved Training of Wasserstein GANs, 2017.
"""

import ml_collections

from configs import gan


def get_config() -> ml_collections.ConfigDict:
  """The numbers of the paper's algorithm 1 and its 64x64 networks."""
  config = gan.get_config()
  config.model.name = "resnet"
  config.model.upsample = "nearest"
  config.model.discriminator_norm = "layer"
  config.model.latent_dim = 128
  config.loss.name = "wasserstein"
  config.loss.penalty = "gradient"
  config.loss.penalty_weight = 10.0
  config.train.batch_size = 64
  for network in (config.generator, config.discriminator):
    network.learning_rate = 1e-4
    network.beta1 = 0.0
    network.beta2 = 0.9
  config.discriminator.updates = 5
  return config
