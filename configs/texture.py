"""A texture: the style alone, from noise, of an image or of a group.

  python -m astgan.main --config=configs/texture.py \
    --config.paint.content=any.jpg --config.paint.style=painting.jpg

`paint.content` gives nothing but the shape: the content weight is 0 and the
first image is noise. Everything else is that of best.py: Gaussians of relu1_1
to relu5_1 are matched from coarse to fine, so that large forms come before
strokes. A folder or a generator as `paint.style` gives the texture of a group.

Hardware: anything; the time is that of best.py: two CPU cores paint 256 by 192
pixels in two minutes and a half.
Expect: the style loss falls tenfold in 60 steps, and 30-fold in all.

References: Gatys, Ecker and Bethge, Texture Synthesis Using Convolutional
  Neural Networks, 2015, and those of best.py.
"""

import ml_collections

from configs import best


def get_config() -> ml_collections.ConfigDict:
  """The style of best.py without content, from noise."""
  config = best.get_config()

  paint = config.paint
  paint.content_weight = 0.0
  # Reported and of no weight; it costs little where the style reads it as well.
  paint.content_layers = ("relu1_1",)
  paint.init = "noise"
  # Of a group all images: the photograph says nothing.
  paint.style_nearest = 0
  paint.style_batch = 64
  return config
