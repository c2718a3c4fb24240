"""The same at 128 pixels and half the width, for CPUs: under an hour.

  python -m astgan.main --config=configs/johnson_small.py \
    --config.data.source=folder:PHOTOGRAPHS --config.style.source=PAINTINGS

Hardware: anything; two cores made an update of 2 photographs in 0.4 s.
Expect: texture in the colours of the style first, outlines and masses later. At
a constant rate, and with 2 photographs, a run wove small dots into empty skies
and diverged after 2,900 updates: hence the schedule, which has not been run to
its end.

References: as in configs/johnson.py.
"""

import ml_collections

from configs import johnson


def get_config() -> ml_collections.ConfigDict:
  """Smaller windows, and a network of a quarter of the work."""
  config = johnson.get_config()
  config.data.size = 128
  # Windows of half a photograph, in which its details have their shape.
  config.data.zoom = 2.0
  config.model.width = 16
  config.train.steps = 3000
  config.generator.schedule = "linear"
  config.generator.decay_start = 1000
  config.generator.decay_steps = 2000
  config.generator.decay_factor = 0.1
  config.train.ema_decay = 0.99
  config.train.log_every = 20
  # The run that diverged showed it within 80 updates.
  config.detectors.patience = 200
  config.train.sample_every = config.train.save_every = 250
  return config
