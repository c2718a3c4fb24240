"""Ast-GAN's style transfer: the style of a group, painted onto a photograph.

  python -m astgan.main --config=configs/nst.py \
    --config.paint.content=photo.jpg --config.paint.style=runs/dcgan

`paint.style` is a training run's folder, whose generator then draws the style
batch, or a picture, or a folder of pictures. conv_1..conv_5 carry the style and
conv_4 the content, all before their ReLU; the style weight of 50,000 is the
best of the paper's sweep. More weight brings larger strokes: try 500,000 for
paintings with bold ones.

Hardware: anything; one CPU is enough. TIME
Expect: NUMBERS

References: the Ast-GAN report, sections 3.3 and 4.3.
"""

import ml_collections

from configs import common


def get_config() -> ml_collections.ConfigDict:
  """Painting with the paper's layers and weights."""
  config = common.get_config()
  config.task = "paint"

  paint = config.paint
  paint.style_layers = ("conv_1", "conv_2", "conv_3", "conv_4", "conv_5")
  paint.content_layers = ("conv_4",)
  paint.style_weight = 50_000.0
  paint.content_weight = 1.0
  paint.init = "content"
  paint.optimizer = "adam"
  return config
