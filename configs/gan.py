"""Every field of system `gan`, at the paper's baseline.

  python -m astgan.main --config=configs/gan.py --config.loss.name=hinge

The pages beside it change a few lines each: `dcgan`, `dcgan_baseline`,
`dcgan_few`, `goodfellow`, `lsgan`, `hinge`, `wgan`, `wgan_gp`.

Hardware and time: those of the page that is nearest.
Expect: what `dcgan_baseline` says, where nothing is changed.
"""

import ml_collections

from configs import common


def get_config() -> ml_collections.ConfigDict:
  """The shared fields of a training, and the sections of system `gan`."""
  config = common.training("gan")

  model = config.model = ml_collections.ConfigDict()
  # The two networks: dcgan (Radford 2015, as the paper has it) or resnet
  # (Gulrajani 2017). Both exist at data.size 32, 64, 128 and 256.
  model.name = "dcgan"
  # Channels. dcgan: at half the images' size (the paper: 64), twice as many at
  # each half below; resnet: at full size, at most 8 times as many below.
  model.width = 64
  # Dimensions of the latent z ~ N(0, I).
  model.latent_dim = 100
  # How dcgan's generator doubles its size: "transposed" convolutions (the
  # paper), or "nearest" or "bilinear" resizing before a 3x3 convolution, which
  # leave no checkerboard (Odena 2016). resnet: nearest.
  model.upsample = "transposed"
  # Slope of dcgan's LeakyReLU in the discriminator, below zero; resnet has
  # none.
  model.leaky_relu_slope = 0.2
  # The discriminator's normalisation: "batch", "layer" or "none". A gradient
  # penalty needs one that treats images independently.
  model.discriminator_norm = "batch"
  # Networks whose kernels are divided by their spectral norm (Miyato 2018):
  # "none", "generator", "discriminator" or "both".
  model.spectral_norm = "none"
  # Statistics of batch normalisation: "synchronised" over all devices, or
  # "per_device".
  model.batch_norm = "synchronised"
  # Precision of the convolutions: float32 or bfloat16. Parameters, batch
  # statistics and losses stay float32.
  model.dtype = "float32"

  loss = config.loss = ml_collections.ConfigDict()
  # nonsaturating (Goodfellow 2014, section 3), minimax (its algorithm 1),
  # least_squares (Mao 2017), hinge (Lim and Ye 2017), wasserstein (Arjovsky
  # 2017) or relativistic (Jolicoeur-Martineau 2019).
  loss.name = "nonsaturating"
  # The discriminator's label of a real image, early and late in the training:
  # below 1 is one-sided smoothing. Of the first three losses.
  loss.real_label = 1.0
  loss.real_label_late = 1.0
  # The update from which `real_label_late` counts: half of 11,700 (the paper).
  loss.late_step = 5850
  # Probability that an image is shown to the discriminator with the other
  # label; 0 is off.
  loss.label_noise = 0.0
  # Penalty on the discriminator's gradient in the images: none, gradient (its
  # norm towards 1; Gulrajani 2017), r1 (on real images; Mescheder 2018) or
  # r1_r2 (on generated ones too).
  loss.penalty = "none"
  # lambda of `gradient` (10), gamma of the others, of which half counts.
  loss.penalty_weight = 10.0
  # Discriminator updates between two penalties, each of which then counts as
  # many times (Karras 2020). Nothing changes by it or by `penalty_weight` where
  # `penalty` is none.
  loss.penalty_every = 1
  # Bound to which the discriminator's parameters are clipped (Arjovsky 2017:
  # 0.01); 0 clips nothing.
  loss.weight_clip = 0.0

  for name in ("generator", "discriminator"):
    config[name] = common.optimizer()
  # Discriminator updates per generator update (k), each on images of its own.
  config.discriminator.updates = 1
  # Another k for the first `start_steps` generator updates: a head start
  # (Arjovsky's code: 100 for 25); there is none where those are 0.
  config.discriminator.start_updates = 1
  config.discriminator.start_steps = 0

  diff_augment = config.diff_augment = ml_collections.ConfigDict()
  # Augmentations that the discriminator sees all images through (Zhao 2020):
  # any of "colour", "translation" (by up to an eighth) and "cutout".
  diff_augment.policy = ()
  # Side of the square that is cut out, as a share of the image's (the authors'
  # value; Projected GAN takes 0.2).
  diff_augment.cutout_size = 0.5
  return config.lock()
