"""The painting that looks best to us: brush strokes at every scale, no frame.

  python -m astgan.main --config=configs/best.py \
    --config.paint.content=photo.jpg --config.paint.style=runs/dcgan_few

`paint.style` is a training run's folder, a folder of images or an image; one
weight suits all three. The photograph is painted small first, where a layer
sees most of it, and then larger and larger: masses and swirls come first, and
strokes last. The Gaussians of deep and shallow layers are matched (Wasserstein
distance), which leaves the weave out that Gram matrices bring; the shallow ones
weigh most. Deep features hold what the photograph shows, and its luminances,
blurred and up to mean and contrast, where it is light. The painting is the
average of Adam's last iterates. Borders that are replicated bring no frame, and
a margin that is cut off keeps bands away from them. Of a group the 32 images
that look most like the photograph are its style, so that a sky has the hues of
skies; a generator draws 256 to choose from. They are shown at three tenths of
the size of the painting.

Hardware: anything; two CPU cores paint 256 by 192 pixels in two minutes and a
half.
Expect: a loss that falls quickly at each size, and starts higher at the next.

References: as in configs/nst.py; Mroueh, Wasserstein Style Transfer, 2019;
  Gatys et al., Controlling Perceptual Factors in Neural Style Transfer, 2017,
  for coarse to fine.
"""

import ml_collections

from configs import common


def get_config() -> ml_collections.ConfigDict:
  """Painting from coarse to fine, with Gaussians of deep layers."""
  config = common.painting()
  config.features.pooling = "average"
  config.features.padding = "replicate"

  paint = config.paint
  paint.style_terms = ("wasserstein",)
  paint.style_layers = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
  # Powers of four, as crowsonkb's style-transfer-pytorch has them.
  paint.style_layer_weights = (0.75, 0.188, 0.047, 0.0117, 0.0029)
  # Light and dark stay where they are, too: without that a cloud gathers in an
  # empty sky, and houses before a light one pale into it. At 60 there is no
  # cloud; but from 20 on Van Gogh's stars keep to skies that have clouds.
  paint.content_terms = ("features", "luminance")
  paint.content_term_weights = (1.0, 20.0)
  paint.content_layers = ("relu4_2",)
  paint.style_weight = 150.0
  paint.style_batch = 256
  paint.style_nearest = 32
  paint.generated_share = 0.3
  paint.optimizer = "adam"
  paint.ema_decay = 0.95
  paint.coarsest = 96
  paint.coarsest_steps = 120
  paint.steps = 60
  paint.margin = 16
  return config
