"""DCGAN for a few hundred images: no checkerboard, nothing memorised.

  python -m astgan.main --config=configs/dcgan_few.py \
    --config.data.source=folder:PATH

The generator resizes and convolves, which leaves no checkerboard; the
discriminator sees everything through DiffAugment; a moving average of the
generator is what is sampled. The palette is the style, so colours are left
alone.

The best start is the networks of a run on the built-in landscapes, which cost
nothing, as in

  python -m astgan.main --config=configs/dcgan_few.py --workdir=runs/start \
    --config.data.count=1024 --config.data.crop=centre --config.train.steps=1500

and then `--config.train.start_from=runs/start`: after 500 updates it is where
others are after 2,000 (docs/results).

Hardware: anything; 220 images a second on two cores of an AMD EPYC, 12 minutes
in all.
Expect: on 300 Monets, discriminator losses of 0.8 to 1.4 and generator losses
of 0.5 to 2; skies over shores after 500 updates, trees, water and reflections
after 2,000; a sliced Wasserstein distance of 0.03 (docs/results).

References: Odena, Dumoulin and Olah, Deconvolution and Checkerboard Artifacts,
  2016; Zhao et al., Differentiable Augmentation for Data-Efficient GAN
  Training, 2020.
"""

import ml_collections

from configs import gan


def get_config() -> ml_collections.ConfigDict:
  """The weakened discriminator's rival for small sets."""
  config = gan.get_config()
  config.data.crop = "random"
  config.data.flip = True
  config.model.width = 32
  config.model.upsample = "nearest"
  config.diff_augment.policy = ("translation", "cutout")
  # A smaller box than the authors' half: it shows in samples otherwise.
  config.diff_augment.cutout_size = 0.2
  # Small batches make many updates, and those are what it learns by.
  config.train.batch_size = 32
  config.train.steps = 5000
  config.train.ema_decay = 0.99
  return config
