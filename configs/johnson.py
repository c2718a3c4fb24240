"""A network that paints one style in one pass: every field of system `fast`.

  python -m astgan.main --config=configs/johnson.py \
    --config.data.source=folder:PHOTOGRAPHS --config.style.source=PAINTINGS

Here `data.source` are the photographs that it learns from, and `style.source`
is an image, a folder of images or the run folder of a generator: all of them
are one style. Afterwards `--config=configs/nst.py
--config.paint.style=runs/johnson` paints photographs of any size. The page
fast.py is another thing: an optimisation of few steps.

Hardware: a GPU; not yet trained at this size here.
Expect: a style loss that falls five-fold in the first 300 updates, before the
photographs come through.

References: Johnson, Alahi and Fei-Fei, Perceptual Losses for Real-Time Style
  Transfer and Super-Resolution, 2016, section 4.1; Ulyanov, Vedaldi and
  Lempitsky, Instance Normalization, 2016.
"""

import ml_collections

from configs import common


def get_config() -> ml_collections.ConfigDict:
  """The shared fields of a training, and the sections of system `fast`."""
  config = common.training("fast")
  # Side in pixels, a multiple of 8 (the paper: 256).
  config.data.size = 256
  config.data.crop = "random"
  config.data.flip = True
  # The paper: 40,000 updates of 4 photographs.
  config.train.batch_size = 4
  config.train.steps = 40_000
  config.train.log_every = 100
  config.train.sample_every = config.train.save_every = 1000
  config.train.num_samples = 16
  # The metrics of a training are of images drawn from latents.
  config.train.evaluate_every = 0

  style = config.style = ml_collections.ConfigDict()
  # An image, a folder of images, or the run folder of a generator.
  style.source = ""
  # Longer side of its images, in pixels: how broad strokes are. Those of a
  # generator of 64 pixels suit 80.
  style.size = 256
  # Images that a generator draws.
  style.batch = 256

  model = config.model = ml_collections.ConfigDict()
  # Channels at full size, and residual blocks (the paper: 32 and 5).
  model.width = 32
  model.blocks = 5
  # Precision of the convolutions: float32 or bfloat16. Parameters, moments of
  # the normalisation and losses stay float32.
  model.dtype = "float32"

  features = config.features = ml_collections.ConfigDict()
  # The frozen network, vgg16 (the paper) or vgg19, and its weights as in
  # configs/nst.py.
  features.net = "vgg16"
  features.weights = "auto"

  loss = config.loss = ml_collections.ConfigDict()
  # What is the same in paintings and in the style: gram (the paper; matrices of
  # each painting), or wasserstein (Gaussians of a batch of paintings together).
  loss.style = "gram"
  # The paper's layers, and the weight of each; () is 1 for all.
  loss.style_layers = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")
  loss.style_layer_weights = ()
  loss.content_layer = "relu2_2"
  # Weights of the losses, in the scales of `astgan.losses.perceptual` with Gram
  # matrices divided by pixels and channels.
  loss.style_weight = 100_000.0
  loss.content_weight = 1.0
  loss.tv_weight = 1.0

  generator = config.generator = common.optimizer()
  # The paper's Adam.
  generator.learning_rate = 1e-3
  generator.beta1 = 0.9
  return config.lock()
