"""Numbers of painted pictures, against their photographs and a style.

  python -m astgan.main --config=configs/judge.py \
    --config.judge.painted=runs/best --config.judge.style=paintings

`judge.painted` is a painting run, or pictures; then `judge.content` names their
photographs. `judge.style` may be a training run, and so may the style of the
painting run be: its held-out paintings tell how close a painting in the style
of its generator comes to paintings that the generator never saw.

Hardware: anything; on two cores a second or two for each picture and style
image, and several for each shape that is new to the cache of programs.
Expect: a table, and judge.json in runs/judge. A painting is nearer to the style
than its photograph is, which can be judged likewise, and farther from the
photograph the stronger it is painted.
"""

import ml_collections

from configs import common


def get_config() -> ml_collections.ConfigDict:
  """Judging, with the fields of `judge` at their defaults."""
  return common.judging()
