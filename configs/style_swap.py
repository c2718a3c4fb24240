"""A painter with patches of any style: every field of system `style_swap`.

  python -m astgan.main --config=configs/style_swap.py \
    --config.data.source=folder:PAINTINGS \
    --config.data.photographs=folder:PHOTOGRAPHS

Afterwards `--config=configs/nst.py --config.paint.painter=runs/style_swap
--config.paint.style=STYLE` paints photographs of any size with patches of an
image, a folder or a generator's run.

For CPUs: `--config.data.size=64 --config.data.zoom=4 --config.model.width=32
--config.train.steps=1400`, eight minutes on two cores.

Hardware: a GPU; not yet trained at this size here.
Expect: a signal-to-noise ratio of reconstructions (`decoder/psnr`) of 21 dB
after the eight minutes, and colours that are quieter than the style's, since
patches overlap and are averaged.

References: Chen and Schmidt, Fast Patch-based Style Transfer of Arbitrary
  Style, 2016, sections 3 and 4.
"""

import ml_collections

from configs import adain


def get_config() -> ml_collections.ConfigDict:
  """As adain.py, with another layer and losses of its own."""
  config = adain.get_config()
  config.unlock()
  config.system = "style_swap"
  # Images of each source per batch.
  config.train.batch_size = 4
  config.train.steps = 40_000
  # The block whose first layer is swapped and decoded: 3 (the paper) or 4,
  # whose patches are larger.
  config.model.block = 3
  # Patches of the style, drawn from all of its images, at most: the time of a
  # painting grows with them.
  config.model.patches = 8192
  # The paper's Adam.
  config.decoder.learning_rate = 1e-3
  del config.loss
  loss = config.loss = ml_collections.ConfigDict()
  # Weights, beside the mean squared difference of features as a share of their
  # mean square, of that of pixels in [-1, 1], and of the total variation.
  loss.pixel_weight = 1.0
  loss.tv_weight = 0.01
  return config.lock()
