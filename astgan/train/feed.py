"""The batches of a run, in the form that `parallel.make_call` takes them."""

import ml_collections
import numpy as np

from astgan.data import pipeline
from astgan.train import parallel


class Feed:
  """Batches from a step on: gathered by the host, or by the devices.

  Pictures that fit lie on the devices, which then need but the indices; else
  threads of the host gather bytes ahead of time. The order is the same.

  Args:
    config: the whole config.
    pictures: all of them, bytes [n s s 3].
    start: the first step.
  """

  def __init__(
    self, config: ml_collections.ConfigDict, pictures: np.ndarray, start: int
  ) -> None:
    self._per_call = parallel.steps_per_call(config)
    self._steps = config.train.steps
    order = pipeline.order(
      len(pictures), batch_size=config.train.batch_size, seed=config.seed
    )
    if parallel.fits(pictures):
      self.pictures = parallel.on_every_device(np.asarray(pictures))
      self._batches = iter(order[start:])
    else:
      self.pictures = None
      self._batches = pipeline.batches(pictures, order, start=start)

  def __enter__(self) -> "Feed":
    return self

  def __exit__(self, *exception: object) -> None:
    self._batches.close()

  def next(self, step: int) -> tuple[int, np.ndarray]:
    """How many updates to make in one call, and their batches.

    The number depends on the step alone, not on where the run started, so
    that a restarted run makes the same calls.
    """
    aligned = step % self._per_call == 0
    count = self._per_call if aligned and step < self._whole else 1
    batches = np.stack([next(self._batches) for _ in range(count)])
    return count, parallel.split(batches)

  @property
  def _whole(self) -> int:
    return self._steps - self._steps % self._per_call
