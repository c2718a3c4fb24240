"""Photographs painted at the same time, one on each device."""

import collections
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent import futures

import jax

from astgan.nst import photographs, styles

# Seconds between two looks at signals, which only the main thread handles.
_PATIENCE = 0.5


def paint_each(
  paint: Callable[[photographs.Photograph], styles.Image | None],
  pending: Iterable[photographs.Photograph],
  *,
  devices: Sequence[jax.Device],
  signals: list[str],
) -> Iterator[tuple[photographs.Photograph, styles.Image | None]]:
  """Photographs and their paintings, as they are finished.

  Each device paints in a thread of its own, in which it is the default one. A
  photograph is decoded when a device is free.

  Args:
    paint: gives None where a signal stopped it.
    pending: the photographs.
    devices: at least one; one alone paints in this thread.
    signals: once there is one, no further painting begins. A failure of one
      painting, or to get a photograph, is noted there, so that the others stop,
      too.

  Raises:
    Exception: that of the first that failed, after what the others had
      finished.
  """
  if len(devices) == 1:
    for photograph in pending:
      yield photograph, paint(photograph)
      if signals:
        return
    return
  pending, free, running = iter(pending), collections.deque(devices), {}
  failures = []
  with futures.ThreadPoolExecutor(len(devices)) as pool:
    while True:
      while free and not signals:
        try:
          photograph = next(pending, None)
        except Exception as error:
          signals.append("a failure")
          failures.append(error)
          break
        if photograph is None:
          break
        device = free.popleft()
        future = pool.submit(_paint_on, device, paint, photograph)
        running[future] = photograph, device
      if not running:
        break
      done, _ = futures.wait(
        running, timeout=_PATIENCE, return_when=futures.FIRST_COMPLETED
      )
      for future in done:
        photograph, device = running.pop(future)
        free.appendleft(device)
        if future.exception() is None:
          try:
            yield photograph, future.result()
          except GeneratorExit:  # What becomes of it has failed.
            signals.append("a failure")
            raise
        else:
          signals.append("a failure")
          failures.append(future.exception())
  if failures:
    raise failures[0]


def _paint_on(device, paint, photograph):
  with jax.default_device(device):
    return paint(photograph)
