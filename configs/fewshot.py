"""A light generator for a few hundred paintings: every field of `fewshot`.

  python -m astgan.main --config=configs/fewshot.py \
    --config.data.source=folder:PATH

The best start is the networks of a run on the built-in landscapes, as in

  python -m astgan.main --config=configs/fewshot.py --workdir=runs/landscapes \
    --config.data.count=1024 --config.data.crop=centre --config.train.steps=1200

and then `--config.train.start_from=runs/landscapes`: it halves the kernel
distance to paintings that were never seen (docs/results).

The page that we would choose on a CPU: heads on pixels alone. Those on features
of VGG cost several times as much an update.

Hardware: anything; two free cores of an AMD EPYC make three updates, 103
images, a second, and one core 84 images (docs/scaling.md).
Expect: on 300 Monets, skies over land after 300 updates, shores, trees and
reflections in full contrast after 1,500; sliced Wasserstein distances of 0.028
then and 0.021 after 3,000 (docs/results).

References: Liu et al., Towards Faster and Stabilized GAN Training for
  High-fidelity Few-shot Image Synthesis, 2021; Sauer et al., Projected GANs
  Converge Faster, 2021; Zhao et al., Differentiable Augmentation for
  Data-Efficient GAN Training, 2020; Karras et al., Training Generative
  Adversarial Networks with Limited Data, 2020.
"""

import ml_collections

from configs import common


def get_config() -> ml_collections.ConfigDict:
  """The shared fields of a training, and the sections of system `fewshot`."""
  config = common.training("fewshot")
  # A few hundred images are too few to see each in one way only.
  config.data.crop = "random"
  config.data.flip = True
  config.train.batch_size = 32
  config.train.steps = 6000
  config.train.ema_half_life = 5000

  model = config.model = ml_collections.ConfigDict()
  # Channels of the generator at 128 pixels; 2, 2, 4, 8 and 16 times as many at
  # 64, 32, 16, 8 and 4.
  model.width = 16
  # Dimensions of the latent z, which is drawn on a sphere.
  model.latent_dim = 256
  # Channels of the first layer of the discriminator's heads.
  model.discriminator_width = 32
  # Whether one of the heads sees the pixels themselves.
  model.sees_pixels = True
  # Statistics of batch normalisation: "synchronised" over all devices, or
  # "per_device".
  model.batch_norm = "synchronised"
  # Precision of the convolutions, those of the frozen network too: float32 or
  # bfloat16. Parameters, statistics and losses stay float32.
  model.dtype = "float32"

  features = config.features = ml_collections.ConfigDict()
  # A frozen network, vgg16 or vgg19, through whose features further heads see,
  # pooled by averages, which give the gradients of all pixels; and its weights
  # as in configs/nst.py.
  features.net = "vgg16"
  features.weights = "auto"
  # The last ReLUs of neighbouring blocks, such as ("relu2_2", "relu3_3"), each
  # of 8 pixels a side or more; () sees none. Their channels are standardised on
  # the first 64 training images.
  features.layers = ()
  # Updates of which the last one sees through the network; the others teach by
  # the pixels alone and leave the heads on features as they are. On CPUs, where
  # the network costs several times what the rest does, it makes more updates in
  # the same time.
  features.every = 1

  loss = config.loss = ml_collections.ConfigDict()
  # hinge (both papers), nonsaturating, least_squares or relativistic.
  loss.name = "hinge"

  for name in ("generator", "discriminator"):
    section = config[name] = common.optimizer()
    # Adam's moments as Projected GAN has them.
    section.beta1 = 0.0
    section.beta2 = 0.99

  diff_augment = config.diff_augment = ml_collections.ConfigDict()
  # Augmentations that the discriminator sees all images through (Zhao 2020):
  # any of "colour", "translation" (by up to an eighth) and "cutout". Without
  # "colour" the palette, which is the style, is judged as it is. By the number
  # of paintings: with hundreds all images are augmented, as here; with
  # thousands target=0.6 augments no more of them than the discriminator's
  # overfitting asks for; with tens of thousands () is best: on 70,000 faces the
  # distance was 3.8 without, 4.2 with (Zhao 2020).
  diff_augment.policy = ("translation", "cutout")
  # Side of the square that is cut out, as a share of the image's.
  diff_augment.cutout_size = 0.2
  # The mean sign of the logits of real images at which the share of augmented
  # images stays as it is (Karras 2020: 0.6); above it more are augmented. 0
  # augments all.
  diff_augment.target = 0.0
  # Images after which that share can have moved from 0 to 1.
  diff_augment.images = 50_000
  return config.lock()
