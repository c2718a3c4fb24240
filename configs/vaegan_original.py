"""VAE-GAN as its authors trained it: RMSProp, and an equilibrium.

  python -m astgan.main --config=configs/vaegan_original.py \
    --config.data.source=folder:PATH

Hardware: that of configs/vaegan.py.
Expect: by the report, slower progress than configs/vaegan.py.

References: Larsen et al., Autoencoding beyond Pixels Using a Learned Similarity
  Metric, 2016, section 4, and the authors' code.
"""

import ml_collections

from configs import vaegan


def get_config() -> ml_collections.ConfigDict:
  """The same networks and losses by the rules of 2016."""
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
