"""CycleGAN at 64 pixels for CPUs: three hours on one core.

  python -m astgan.main --config=configs/cyclegan_small.py \
    --config.data.source=folder:PAINTINGS \
    --config.data.photographs=folder:PHOTOGRAPHS

`--config.data.size=128 --config.train.start_from=runs/cyclegan_small`, in
another --workdir, goes on at four times the work an update: strokes come then.

Hardware: anything; an update takes a quarter of a second on one core of an AMD
EPYC, and hardly less on two.
Expect: blurred translations in the colours of their images after 500 updates;
after 7,000 everything is brushed, and skies, walls and meadows keep their hues
(docs/results). Windows have to show a scene: of a window of one meadow instance
normalisation takes the only colour away, and with data.zoom=4 all was grey
after 4,000 updates.

References: as in configs/cyclegan.py; 6 blocks are the paper's below 256.
"""

import ml_collections

from configs import cyclegan


def get_config() -> ml_collections.ConfigDict:
  """Half the width, 6 blocks, and an average that is steadier when sampled."""
  config = cyclegan.get_config()
  config.data.size = 64
  config.model.width = 32
  config.model.blocks = 6
  # Trainings this short do not unlearn the lattice of transposed convolutions.
  config.model.upsample = "nearest"
  # Skies are flat; they get strokes, and no lattice of the network's own.
  config.model.noise = 0.1
  config.train.steps = 40_000
  config.train.ema_decay = 0.999
  config.train.sample_every = config.train.save_every = 1000
  for section in (config.generator, config.discriminator):
    section.decay_start = 20_000
    section.decay_steps = 20_000
  return config
