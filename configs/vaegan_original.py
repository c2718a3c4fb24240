"""VAE-GAN by rules of its authors' code: RMSProp, and an equilibrium.

  python -m astgan.main --config=configs/vaegan_original.py \
    --config.data.source=folder:PATH

That code has more: learning rates that fall from 3e-4 to 2e-7, a weight decay
of 1e-5, a minimax loss of twice this weight for the decoder, and a weight of
0.66 for real images where its discriminator sees reconstructions, as here; its
1e-6 for the reconstruction is of runs where it sees samples alone.

Hardware: that of configs/vaegan.py.
Expect: by the report, slower progress than configs/vaegan.py.

References: Larsen et al., Autoencoding beyond Pixels Using a Learned Similarity
  Metric, 2016, section 4, and the authors' code.
"""

import ml_collections

from configs import vaegan


def get_config() -> ml_collections.ConfigDict:
  """The same losses, and networks as in the paper."""
  config = vaegan.get_config()
  config.model.encoder_units = 2048
  config.loss.reconstruction_weight = 1e-6
  config.loss.margin = 0.35
  config.train.batch_size = 64
  for name in ("encoder", "decoder", "discriminator"):
    config[name].optimizer = "rmsprop"
    config[name].learning_rate = 3e-4
    # DeepPy's decay.
    config[name].beta2 = 0.9
  return config
