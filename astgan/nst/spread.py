"""Photographs painted at the same time, one on each device."""

import collections
import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent import futures

import jax
import jax.numpy as jnp
from jaxtyping import PyTree

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


class Copies:
  """A tree with arrays, and a copy of it on each other device that paints.

  Args:
    tree: of arrays on the first device, functions with arrays bound by name,
      and anything else.
  """

  def __init__(self, tree: PyTree):
    self._tree = tree
    self._copies: dict[jax.Device, PyTree] = {}

  def here(self) -> PyTree:
    """The tree, or its copy on the device that paints in this thread."""
    (device,) = jnp.zeros(()).devices()
    if device == jax.local_devices()[0]:
      return self._tree
    if device not in self._copies:
      self._copies[device] = _copy(self._tree)
    return self._copies[device]


def _copy(tree: PyTree) -> PyTree:
  """Arrays on the default device, and free to leave it as they were before.

  Arrays that `jax.device_put` binds to a device would compile each program
  again.
  """

  def copy_leaf(leaf):
    if isinstance(leaf, jax.Array):
      return jnp.asarray(jax.device_get(leaf))
    if isinstance(leaf, functools.partial):
      return functools.partial(leaf.func, *leaf.args, **_copy(leaf.keywords))
    return leaf

  return jax.tree.map(copy_leaf, tree)


def _paint_on(device, paint, photograph):
  with jax.default_device(device):
    return paint(photograph)
