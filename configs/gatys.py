"""Gatys' algorithm as a 2019 report runs it: averages, 300 iterations.

  python -m astgan.main --config=configs/gatys.py \
    --config.paint.content=photo.jpg --config.paint.style=painting.jpg

The report's total is alpha / 2 sum (F - P)^2 + beta sum_l w_l E_l, with
E_l = sum (G - A)^2 / (4 N^2 M^2), w_l = 1/5 and alpha / beta = 1e-7. In the
means of `astgan.losses.perceptual`,

  E_l is a quarter of `style` on Gram matrices over "hw": layer weights 1/20;
  the content sum is n / 2 times `content`, n = h w c values of conv_5.

A sum over pixels grows with the image while E_l does not, so the report's
ratio means another balance at every size, and it names no size. It is fixed
here at 128 by 128 pixels, where conv_5 has 32 x 32 x 256 values and
1e-7 n / 2 = 0.013; at the ratio's meaning for 512 pixels, 0.21, the painting
hardly leaves the photograph. All weights are then multiplied by 1,000, which
changes nothing but the digits shown.

The report has no total variation loss. Average pooling hides the finest
patterns from all deeper layers, so that conv_1 alone fills the pixels with
dither; a tv_weight of 5,000 removes it, 0 is the report's. The report names no
optimiser; L-BFGS is what Gatys used. Its iterations are evaluations of the
loss here.

The report's grid, ratios from left to right and layers from top to bottom, with
the curves of its total losses. A content weight of 13 is its 1e-7, 1,300 is
1e-5; every layer that is named weighs 1/5:

  python -m astgan.main --config=configs/sweep.py \
    --config.sweep.page=configs/gatys.py --config.sweep.changes="(\
'paint.content=photo.jpg','paint.style=painting.jpg',\
'paint.style_weight=50','paint.style_layer_weights=()')" \
    --config.sweep.fields="('paint.style_layers=(\"conv_1\",)|\
(\"conv_1\",\"conv_2\")|(\"conv_1\",\"conv_2\",\"conv_3\")|\
(\"conv_1\",\"conv_2\",\"conv_3\",\"conv_4\")|\
(\"conv_1\",\"conv_2\",\"conv_3\",\"conv_4\",\"conv_5\")',\
'paint.content_weight=1300|130|13|1.3')"

Hardware: anything; two CPU cores paint 256 by 192 pixels in about a minute,
512 by 384 in four.
Expect: the style loss falls more than 100-fold.

References: Rithesh, Kakaraparthi and Kilari, Style Transfer, 2019, section 2;
  Gatys, Ecker and Bethge, A Neural Algorithm of Artistic Style, 2015.
"""

import ml_collections

from configs import common


def get_config() -> ml_collections.ConfigDict:
  """Painting with the layers and weights of Rithesh et al."""
  config = common.painting()
  config.features.pooling = "average"

  paint = config.paint
  paint.style_layers = ("conv_1", "conv_2", "conv_3", "conv_4", "conv_5")
  paint.style_layer_weights = (0.05,) * 5
  paint.gram = "hw"
  paint.content_layers = ("conv_5",)
  paint.style_weight = 1000.0
  paint.content_weight = 13.0
  paint.tv_weight = 5000.0
  paint.init = "content"
  paint.optimizer = "lbfgs"
  paint.steps = 300
  return config
