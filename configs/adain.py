"""A painter of any style in one pass: every field of system `adain`.

  python -m astgan.main --config=configs/adain.py \
    --config.data.source=folder:PAINTINGS \
    --config.data.photographs=folder:PHOTOGRAPHS

Afterwards `--config=configs/nst.py --config.paint.painter=runs/adain
--config.paint.style=STYLE` paints photographs of any size in the style of an
image, a folder or a generator's run, at `--config.paint.strength`.

Hardware: a GPU; not yet trained at this size here. For CPUs: adain_small.py.
Expect: losses that differ much from batch to batch, by the contrast of its
paintings; the sheets tell more.

References: Huang and Belongie, Arbitrary Style Transfer in Real-time with
  Adaptive Instance Normalization, 2017, section 6.
"""

import ml_collections

from configs import common


def get_config() -> ml_collections.ConfigDict:
  """The shared fields of a training, and the sections of system `adain`."""
  config = common.training("adain")
  # The photographs, in the forms of `source`, which are the paintings.
  config.data.photographs = ""
  # Side in pixels, a multiple of 8: windows of 256 out of 512 (the paper).
  config.data.size = 256
  config.data.crop = "random"
  config.data.zoom = 2.0
  config.data.flip = True
  # Pairs of a photograph and a painting (the paper: 8, and 160,000 updates in
  # its program).
  config.train.batch_size = 8
  config.train.steps = 160_000
  config.train.ema_decay = 0.99
  config.train.log_every = 20
  config.train.sample_every = config.train.save_every = 500
  config.train.num_samples = 16
  # The metrics of a training are of images drawn from latents.
  config.train.evaluate_every = 0

  model = config.model = ml_collections.ConfigDict()
  # Channels of the decoder at full size (the paper: 64, as VGG has).
  model.width = 64
  # Precision of the decoder's convolutions: float32 or bfloat16.
  model.dtype = "float32"

  features = config.features = ml_collections.ConfigDict()
  # Weights of VGG19, as in configs/nst.py.
  features.weights = "auto"

  loss = config.loss = ml_collections.ConfigDict()
  # Weights of the mean squared differences of features, and of their means and
  # deviations in four layers. (The paper's program: 1 and 0.01, and sums over
  # channels of the latter.)
  loss.content_weight = 1.0
  loss.style_weight = 10.0
  # Weight of the mean squared difference of photographs that are decoded
  # without a style, in pixel values of [-1, 1] (the paper: 0).
  loss.pixel_weight = 100.0

  decoder = config.decoder = common.optimizer()
  # The paper's Adam, whose program also divides the rate by 1 + 5e-5 steps.
  decoder.learning_rate = 1e-4
  decoder.beta1 = 0.9
  return config.lock()
