"""CycleGAN at 256 pixels: every field of system `cyclegan`, at the paper's.

  python -m astgan.main --config=configs/cyclegan.py \
    --config.data.source=folder:PAINTINGS \
    --config.data.photographs=folder:PHOTOGRAPHS

Afterwards `--config=configs/nst.py --config.paint.style=runs/cyclegan` paints
photographs of any size in one pass.

Hardware: a GPU; not yet trained here. An update is some 60 times the work of
one of `cyclegan_small`, so that 200,000 are out of reach of a few CPU cores.
Expect: a discriminator loss (of both) below 0.5, that of coins; contact sheets
of an image, its translation, and that back, in which the first and the last
column come to agree. Colours change first, strokes and textures later.

References: Zhu, Park, Isola and Efros, Unpaired Image-to-Image Translation
  using Cycle-Consistent Adversarial Networks, 2017, section 4 and appendix 7.1.
"""

import ml_collections

from configs import common


def get_config() -> ml_collections.ConfigDict:
  """The shared fields of a training, and the sections of system `cyclegan`."""
  config = common.training("cyclegan")
  # The photographs, in the forms of `source`, which are the paintings.
  config.data.photographs = ""
  # Side in pixels, a multiple of 8, with the authors' crops and mirrors: they
  # cut 256 pixels out of 286, here out of 288.
  config.data.size = 256
  config.data.crop = "random"
  config.data.flip = True
  # One image of each source (the paper; Rithesh et al. take 2).
  config.train.batch_size = 1
  # 200 epochs of 1,000 paintings.
  config.train.steps = 200_000
  config.train.log_every = 100
  config.train.sample_every = config.train.save_every = 2000
  config.train.num_samples = 16
  # The metrics of a training are of images drawn from latents.
  config.train.evaluate_every = 0

  model = config.model = ml_collections.ConfigDict()
  # Channels at full size of the generators, and of the discriminators' first
  # layer (the paper: 64).
  model.width = 64
  # Residual blocks of the generators: 9 at 256 pixels, 6 at 128 (the paper).
  model.blocks = 9
  # What doubles the sides in the generators: transposed convolutions (the
  # paper), or nearest resizing and a convolution, which leave no lattice.
  model.upsample = "transposed"
  # Standard deviation of noise on what is painted, in pixel values of [-1, 1].
  # The paper has none: a network then fills what is flat, such as a sky, with a
  # lattice of its own.
  model.noise = 0.0
  # Precision of the convolutions: float32 or bfloat16. Parameters, moments of
  # the normalisation and losses stay float32.
  model.dtype = "float32"

  loss = config.loss = ml_collections.ConfigDict()
  # Weights of the mean absolute difference, in pixel values of [-1, 1], between
  # an image and what comes back: of paintings (lambda A) and of photographs
  # (lambda B). The adversarial losses weigh 1.
  loss.painting_cycle_weight = 10.0
  loss.photograph_cycle_weight = 10.0
  # What the difference weighs, as a share of these, between an image of a
  # domain and what the generator of that domain makes of it (the paper: 0.5
  # for Monet, where it keeps colours). 0 also saves a quarter of the work.
  loss.identity_weight = 0.5
  # Generated images of each domain from which discriminators learn as well as
  # from new ones; 0 keeps none.
  loss.pool_size = 50

  for name in ("generator", "discriminator"):
    section = config[name] = common.optimizer()
    # Constant for half of the updates, then linearly to 0 (the paper).
    section.schedule = "linear"
    section.decay_start = 100_000
    section.decay_steps = 100_000
  return config.lock()
