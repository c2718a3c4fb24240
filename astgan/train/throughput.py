"""How fast a run is, and how much of its time it waits for data."""

import time
from collections.abc import Iterable, Iterator
from typing import Any

# A smaller share of waiting is that of scheduling threads.
_NOTICEABLE = 0.02


class Throughput:
  """Counts images and time, all but those of the first call.

  That call compiles and fills the pipeline: it says nothing.
  """

  def __init__(self) -> None:
    self._started: float | None = None
    self._images = 0
    self._waited = 0.0

  def waiting(self, batches: Iterable[Any]) -> Iterator[Any]:
    """The batches; the time until each comes is time spent waiting."""
    batches = iter(batches)
    while True:
      started = time.perf_counter()
      try:
        batch = next(batches)
      except StopIteration:
        return
      self._waited += time.perf_counter() - started
      yield batch

  def count(self, images: int) -> None:
    """Notes that a call took so many images of each source."""
    if self._started is None:
      self._started = time.perf_counter()
      self._waited = 0.0
    else:
      self._images += images

  def scalars(self) -> dict[str, float]:
    """Images per second and the share of time; empty at first."""
    if not self._images:
      return {}
    seconds = time.perf_counter() - self._started
    return {
      "images_per_second": self._images / seconds,
      "share_waiting_for_data": self._waited / seconds,
    }

  def line(self) -> str:
    """The throughput in words, short enough for a progress bar."""
    rates = self.scalars()
    return f"{rates['images_per_second']:.0f} images/s" if rates else ""

  def summary(self) -> str:
    """Throughput and waiting in words, and what holds the run back.

    Batches are loaded beside the steps, so that a run waits only where loading
    one takes longer than a step.
    """
    rates = self.scalars()
    if not rates:
      return "too short to time"
    share = rates["share_waiting_for_data"]
    slower = "loading" if share > _NOTICEABLE else "computing"
    waiting = f"{share:.2%} of the time waiting for data"
    return f"{self.line()}, {waiting}: {slower} is the slower"
