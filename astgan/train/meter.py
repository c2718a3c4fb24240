"""How fast a run is, and how much of its time it waits for data."""

import contextlib
import time
from collections.abc import Iterator


class Meter:
  """Counts updates and time, all but those of the first call.

  That call compiles and fills the pipeline: it says nothing.

  Args:
    batch_size: pictures per update, over all devices together.
  """

  def __init__(self, batch_size: int) -> None:
    self._batch_size = batch_size
    self._started: float | None = None
    self._steps = 0
    self._waited = 0.0

  @contextlib.contextmanager
  def waiting(self) -> Iterator[None]:
    """The time in the body is time spent waiting for data."""
    started = time.perf_counter()
    yield
    self._waited += time.perf_counter() - started

  def count(self, steps: int) -> None:
    """Notes that a call of so many updates was made."""
    if self._started is None:
      self._started = time.perf_counter()
      self._waited = 0.0
    else:
      self._steps += steps

  def scalars(self) -> dict[str, float]:
    """Images per second and the share of time; empty at first."""
    if not self._steps:
      return {}
    seconds = time.perf_counter() - self._started
    return {
      "images_per_second": self._steps * self._batch_size / seconds,
      "share_waiting_for_data": self._waited / seconds,
    }

  def line(self) -> str:
    """The speed in words, short enough for a progress bar."""
    rates = self.scalars()
    return f"{rates['images_per_second']:.0f} images/s" if rates else ""

  def summary(self) -> str:
    """Speed and waiting in words."""
    rates = self.scalars()
    if not rates:
      return "too short to time"
    share = rates["share_waiting_for_data"]
    return f"{self.line()}, {share:.2%} of the time waiting for data"
