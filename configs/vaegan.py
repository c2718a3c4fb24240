"""VAE-GAN: every field of system `vaegan`, at the report's choices.

  python -m astgan.main --config=configs/vaegan.py \
    --config.data.source=folder:PATH

Larsen's networks and losses, trained by Adam, which the report found better
than RMSProp. Beside the samples, its sheets show reconstructions, and images
whose latents are moved along attributes.

Hardware: a GPU; vaegan_small.py is for CPUs.
Expect: of a network of half the width, on 508 paintings, a lattice through 150
updates; the masses and hues of an image in its reconstruction after 500; after
1,700, strokes in samples and reconstructions (docs/results); prior losses of
40 to 160.

References: the Ast-GAN report, section 4.1; Larsen et al., Autoencoding beyond
  Pixels Using a Learned Similarity Metric, 2016.
"""

import ml_collections

from configs import common


def get_config() -> ml_collections.ConfigDict:
  """The shared fields of a training, and the sections of system `vaegan`."""
  config = common.training("vaegan")

  model = config.model = ml_collections.ConfigDict()
  # Channels of the encoder's first layer (Larsen 2016, table 1); all others
  # are in proportion: 2 and 4 times as many in its next layers; 4, 4, 2, 1/2
  # in the decoder; 1/2, 2, 4, 4 in the discriminator, and 8 times as many
  # units. Networks exist at data.size 32, 64 and 128.
  model.width = 64
  # Dimensions of the latent z ~ N(0, I).
  model.latent_dim = 128
  # Units of the encoder's fully connected layer: 1,024 in the authors' code,
  # 2,048 in their table.
  model.encoder_units = 1024
  # Statistics of batch normalisation: "synchronised" over all devices, or
  # "per_device".
  model.batch_norm = "synchronised"
  # Precision of the convolutions: float32 or bfloat16. Parameters, batch
  # statistics and losses stay float32.
  model.dtype = "float32"

  loss = config.loss = ml_collections.ConfigDict()
  # gamma: what the reconstruction weighs in the decoder's loss, against the
  # discriminator's. It weighs half the SUM of squared differences over the
  # features (4 width of them at an eighth of the size in both directions), and
  # the MEAN over the batch. The authors' code has 1e-5 where its discriminator
  # sees reconstructions and samples, and 1e-6 where it sees samples alone. With
  # the latter, 450 updates of a narrow network left only a lattice, since the
  # minimax loss alone teaches too little early on; with 1e-3 they drew skies.
  # As a weight of the mean over the 16,384 features of width 64 at size 64 it
  # would be 16,384 times as large.
  loss.reconstruction_weight = 1e-3
  # The authors' equilibrium, off at a margin of 0 (theirs: 0.35). In a step
  # where the discriminator's loss on real or on generated images is below
  # `equilibrium` - `margin` it does not learn; where one is above the sum, the
  # decoder does not. log 2 = 0.69 is that of a coin.
  loss.equilibrium = 0.68
  loss.margin = 0.0

  for name in ("encoder", "decoder", "discriminator"):
    config[name] = common.optimizer()
  return config.lock()
