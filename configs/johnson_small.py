"""A network that paints the style of a group in one pass, for CPUs.

  python -m astgan.main --config=configs/johnson_small.py \
    --config.data.source=folder:PHOTOGRAPHS --config.style.source=PAINTINGS

`--config.style.source=runs/dcgan_few --config.style.size=80` learns from what a
generator draws.

johnson.py at 128 pixels and half the width, and with another style: the
paintings of a batch have, together, the Gaussians of the group in the layers of
best.py. No painting needs all of the group's hues then, and none the small dots
that match Gram matrices: these wove a canvas of them into every empty sky.

Hardware: anything; one core makes an update of 4 photographs in two seconds or
three, which is an hour in all.
Expect: the palette after 100 updates, strokes after 250 (docs/results).

References: as in configs/johnson.py; Mroueh, Wasserstein Style Transfer, 2019.
"""

import ml_collections

from configs import best, johnson


def get_config() -> ml_collections.ConfigDict:
  """Smaller windows, a network of a quarter of the work, and Gaussians."""
  config = johnson.get_config()
  config.data.size = 128
  # Windows of half a photograph, in which its details have their shape.
  config.data.zoom = 2.0
  config.model.width = 16
  config.features.net = "vgg19"

  # Without relu5_1, of which windows of 128 pixels have 64 positions.
  paint, loss = best.get_config().paint, config.loss
  loss.style = "wasserstein"
  loss.style_layers = paint.style_layers[:4]
  loss.style_layer_weights = paint.style_layer_weights[:4]
  loss.style_weight = paint.style_weight
  (loss.content_layer,) = paint.content_layers
  loss.tv_weight = 0.0

  config.train.steps = 1500
  config.generator.schedule = "linear"
  config.generator.decay_start = 600
  config.generator.decay_steps = 900
  config.generator.decay_factor = 0.1
  config.train.ema_decay = 0.99
  config.train.log_every = 10
  # A run that diverged showed it within 80 updates.
  config.detectors.patience = 200
  config.train.sample_every = config.train.save_every = 250
  return config
