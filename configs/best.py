"""The painting that looks best to us: broad strokes, no dither, no frame.

  python -m astgan.main --config=configs/best.py \
    --config.paint.content=photo.jpg --config.paint.style=runs/dcgan

`paint.style` is a training run's folder, a folder of images or an image. The
paper's layers (configs/nst.py) end at conv3_1, see 24 pixels at most, and fill
a painting with dither and weave; relu4_1 sees 68, strokes and what they paint.
Averages instead of largest values give a smoother gradient, borders that are
replicated no frame, and a generator's 64 pixels, shown two and a half times as
large, strokes instead of specks.

Hardware: anything; two CPU cores paint 320 by 240 pixels in 75 seconds, and
describe a batch of 64 images in 15 before.
Expect: a loss that falls quickly for 50 steps and slowly for 100 more.

References: as in configs/nst.py; Gatys, Ecker and Bethge, A Neural Algorithm of
  Artistic Style, 2015, for the layers and the averages.
"""

import ml_collections

from configs import common


def get_config() -> ml_collections.ConfigDict:
  """Painting with deep layers, averages, and replicated borders."""
  config = common.painting()
  config.features.pooling = "average"
  config.features.padding = "replicate"

  paint = config.paint
  paint.style_layers = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
  paint.content_layers = ("relu4_2",)
  paint.style_weight = 500_000.0
  paint.generated_scale = 2.5
  paint.optimizer = "lbfgs"
  paint.steps = 150
  return config
