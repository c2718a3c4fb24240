"""Ast-GAN's style transfer: the style of a group, painted onto a photograph.

  python -m astgan.main --config=configs/nst.py \
    --config.paint.content=photo.jpg --config.paint.style=runs/dcgan

`paint.style` is a training run's folder, whose generator then draws the style
batch, or an image, or a folder of images. conv_1..conv_5 carry the style and
conv_4 the content, all before their ReLU.

The style weight of 50,000 is the best of the paper's sweep, and of ours, from
500 to 5,000,000, for a generator's batch at 256 pixels: less hardly recolours
the photograph, more breaks houses into blots. One painting, or a folder of
them, carries 500,000, which brings strokes while outlines still hold.

The paper has no total variation loss. With layers this shallow the pixels then
fill with a fine dither, which matches Gram matrices and is no brush stroke; a
tv_weight of 1,000 removes it, 0 is the paper's. The paper names no optimiser
either; `--config.paint.optimizer=lbfgs` reaches lower losses in as many steps.

Hardware: anything; two CPU cores paint 256 by 192 pixels in about a minute,
512 by 384 in four.
Expect: the style loss of one painting falls 100-fold and more, that of a group
only to the group's own spread.

References: the Ast-GAN report, sections 3.3 and 4.3.
"""

import ml_collections

from configs import common


def get_config() -> ml_collections.ConfigDict:
  """Painting with the paper's layers and weights."""
  config = common.painting()

  paint = config.paint
  paint.style_layers = ("conv_1", "conv_2", "conv_3", "conv_4", "conv_5")
  paint.content_layers = ("conv_4",)
  paint.style_weight = 50_000.0
  paint.content_weight = 1.0
  paint.tv_weight = 1000.0
  paint.init = "content"
  paint.optimizer = "adam"
  return config
