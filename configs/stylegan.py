"""StyleGAN at 256 pixels: every field of system `stylegan`.

  python -m astgan.main --config=configs/stylegan.py \
    --config.data.source=folder:PATH

Both networks grow from 4x4 to `data.size`: each doubling fades in, then trains
on. Beside the samples, sheets show styles mixed (coarse ones of the left image,
fine ones of the upper), w truncated, and noise alone. Before the last doubling
images are small; sheets, metrics and paintings get them enlarged.

Hardware: a GPU; `stylegan_small` suits CPUs. Not trained to its end yet.
Expect: a generator of 26,086,229 parameters; discriminator losses of 0.5 to 1.5
at every size, which jump where a new one begins.

References: Karras, Laine and Aila, A Style-Based Generator Architecture for
  Generative Adversarial Networks, 2019; Karras, Aila, Laine and Lehtinen,
  Progressive Growing of GANs for Improved Quality, Stability, and Variation,
  2018; Karras et al., Analyzing and Improving the Image Quality of StyleGAN,
  2020, section 3.1 (the lazy penalty).
"""

import ml_collections

from configs import common, gan


def get_config() -> ml_collections.ConfigDict:
  """The shared fields of a training, and the sections of system `stylegan`."""
  config = common.training("stylegan")
  config.data.size = 256
  config.data.flip = True
  # 6 million images at the last size (the paper: 25 in all).
  config.train.steps = 300_000
  # At `data.size`, where memory ends first; the smaller ones have their own.
  config.train.batch_size = 32
  # In images (the authors' program).
  config.train.ema_half_life = 10_000
  config.train.sample_every = 2000
  config.train.save_every = 2000
  config.train.evaluate_every = 2000

  model = config.model = ml_collections.ConfigDict()
  # The generator: stylegan, or progan, which has neither mapping network nor
  # styles, noise and blurs. Both exist at data.size 8 to 1024.
  model.name = "stylegan"
  # Channels at sides up to 32 pixels; half as many at 64, and so on.
  model.width = 512
  # Dimensions of the latents z and w.
  model.latent_dim = 512
  # Probability that a training image has the styles of two latents, from a
  # random layer on; only of stylegan.
  model.style_mixing = 0.9
  # psi: distance of w from its average in sampled images, as a share; below 1
  # images are less varied and less often broken. Only of stylegan.
  model.truncation = 1.0
  # Precision of the convolutions: float32 or bfloat16. Parameters and losses
  # stay float32.
  model.dtype = "float32"

  # A number for each doubling, from 4 to 8 pixels on. The images of a batch
  # before it; updates before it, of what is there; updates in which it fades
  # in. 600,000 images in both (the programs of 2018 and 2019). A run that
  # starts from another grows anew as well: with zeros for all updates, it
  # begins at `data.size`.
  growth = config.growth = ml_collections.ConfigDict()
  growth.batch_sizes = (128, 128, 128, 64, 64, 32)
  growth.stable_steps = (4700, 4700, 4700, 9400, 9400, 18_800)
  growth.fade_steps = (4700, 4700, 9400, 9400, 18_800, 18_800)

  # As in configs/gan.py.
  shared = gan.get_config()
  config.loss, config.diff_augment = shared.loss, shared.diff_augment
  config.loss.penalty = "r1"
  config.loss.penalty_every = 16
  for name in ("generator", "discriminator"):
    config[name] = common.optimizer()
    # Of layers whose kernels are scaled at run time; the mapping network
    # learns at 0.01 of it. The moments start anew at each size.
    config[name].learning_rate = 1e-3
    config[name].beta1 = 0.0
    config[name].beta2 = 0.99
  return config.lock()
