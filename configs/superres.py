"""An upscaler of small images: every field of system `superres`.

  python -m astgan.main --config=configs/superres.py \
    --config.data.source=folder:PAINTINGS

Afterwards `--config.sample.upscale=runs/superres` enlarges what a generator
draws, and `--config.paint.upscale=runs/superres` does so before its style is
described.

Hardware: a GPU; not yet trained at this size here. For CPUs
`--config.data.size=64 --config.data.zoom=4 --config.model.width=32
--config.train.steps=3000`.
Expect: `generator/psnr` above `generator/psnr_of_cubic` within minutes, and
then slowly more. The squared error alone draws edges, and leaves canvas and
brush strokes soft; `--config.loss.feature_weight` and
`--config.loss.adversarial_weight` are for likely ones; 0.05 and 0.003 for a
quarter of an hour on a core were too little to tell.

References: Kumar and Goel, Image Super Resolution using Autoencoders, 2020;
  Ledig et al., Photo-Realistic Single Image Super-Resolution Using a Generative
  Adversarial Network, 2017.
"""

import ml_collections

from configs import common


def get_config() -> ml_collections.ConfigDict:
  """The shared fields of a training, and the sections of system `superres`."""
  config = common.training("superres")
  # Side in pixels, a multiple of 8: windows of 128 out of 256, so that by a
  # factor of 4 it learns from paintings of 64 pixels, as generators draw them.
  config.data.size = 128
  config.data.crop = "random"
  config.data.zoom = 2.0
  config.data.flip = True
  config.train.batch_size = 16
  config.train.steps = 20_000
  config.train.ema_decay = 0.999
  config.train.log_every = 20
  config.train.sample_every = config.train.save_every = 500
  config.train.num_samples = 9
  # The metrics of a training are of images drawn from latents.
  config.train.evaluate_every = 0

  model = config.model = ml_collections.ConfigDict()
  # Channels at full size (the paper: 64).
  model.width = 64
  # By which height and width grow: 2 or 4.
  model.factor = 4
  # Precision of the convolutions: float32 or bfloat16.
  model.dtype = "float32"

  features = config.features = ml_collections.ConfigDict()
  # The frozen network of the feature loss, vgg19 (Ledig 2017) or vgg16, and its
  # weights as in configs/nst.py; not loaded where the loss has no weight.
  features.net = "vgg19"
  features.weights = "auto"

  loss = config.loss = ml_collections.ConfigDict()
  # Weights of the mean squared differences of pixels in [-1, 1] (all that the
  # paper has) and of features in a layer, and of -log D, where D judges
  # patches.
  loss.pixel_weight = 1.0
  loss.feature_weight = 0.0
  loss.feature_layer = "relu3_3"
  loss.adversarial_weight = 0.0

  generator = config.generator = common.optimizer()
  # Adam at its usual step (the paper).
  generator.learning_rate = 1e-3
  generator.beta1 = 0.9

  # Unused where D has no weight.
  discriminator = config.discriminator = common.optimizer()
  discriminator.learning_rate = 1e-4
  discriminator.beta1 = 0.9
  return config.lock()
