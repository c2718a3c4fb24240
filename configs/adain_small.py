"""The same on windows of 64 pixels, for CPUs: half an hour.

  python -m astgan.main --config=configs/adain_small.py \
    --config.data.source=folder:PAINTINGS \
    --config.data.photographs=folder:PHOTOGRAPHS

Hardware: anything; two cores of an AMD EPYC make five updates a second.
Expect: blurred masses in the wrong colours at 1,000 updates, those of the
paintings at 3,000, strokes and edges from 5,000 on. Windows of 8 by 8 features
say little: look at a photograph that it paints.

References: as in configs/adain.py.
"""

import ml_collections

from configs import adain


def get_config() -> ml_collections.ConfigDict:
  """Small windows of small paintings, half the width, larger steps."""
  config = adain.get_config()
  config.data.size = 64
  # Windows of 64 out of 256, in which brush strokes have their shape.
  config.data.zoom = 4.0
  config.model.width = 32
  config.train.batch_size = 4
  config.train.steps = 8000
  config.train.num_samples = 9
  # Ten times the paper's, and less at the end.
  config.decoder.learning_rate = 1e-3
  config.decoder.schedule = "linear"
  config.decoder.decay_start = 3000
  config.decoder.decay_steps = 5000
  config.decoder.decay_factor = 0.1
  return config
