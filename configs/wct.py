"""A painter of any style, from coarse to fine: every field of system `wct`.

  python -m astgan.main --config=configs/wct.py \
    --config.data.source=folder:PAINTINGS \
    --config.data.photographs=folder:PHOTOGRAPHS

Afterwards `--config=configs/nst.py --config.paint.painter=runs/wct
--config.paint.style=STYLE --config.paint.strength=0.6` paints photographs of
any size in the style of an image, a folder or a generator's run.

Hardware: a GPU; not yet trained at this size here. For CPUs: wct_small.py.
Expect: a signal-to-noise ratio (`relu1_1_decoder/psnr` and so on, in dB) of
above 30 from relu1_1, and less the deeper: what relu5_1 forgets does not come
back.

References: Li et al., Universal Style Transfer via Feature Transforms, 2017,
  section 4.
"""

import ml_collections

from configs import adain


def get_config() -> ml_collections.ConfigDict:
  """As adain.py, with decoders from five layers and losses of their own."""
  config = adain.get_config()
  config.unlock()
  config.system = "wct"
  # Images of each source per batch.
  config.train.batch_size = 4
  config.train.steps = 40_000
  # The blocks whose first layers are decoded, from coarse to fine.
  config.model.blocks = (5, 4, 3, 2, 1)
  del config.loss
  loss = config.loss = ml_collections.ConfigDict()
  # Weights of the mean squared differences between an image and what is decoded
  # of it: in pixel values of [-1, 1], and in features, as a share of the mean
  # square of these.
  loss.pixel_weight = 1.0
  loss.feature_weight = 0.1
  return config.lock()
