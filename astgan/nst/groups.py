"""The style of a group: descriptions of its images, averaged."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from astgan.nst import collect, objective, regions, tiles

# Pixels that go through the feature network in one call, at most.
_BATCH_PIXELS = 2**18


class Group:
  """Collects images, and gives the targets of their style.

  Each image goes through the feature network once, together with others of
  its shape: 1, 2, 4 or another power of two, so that few numbers are compiled.

  Args:
    params: parameters of the feature network.
    measure: an objective of style terms alone, `Whole` or `Tiled`.
  """

  def __init__(self, params: Any, measure: objective.Whole | tiles.Tiled):
    self._params = params
    self._measure = measure
    # Images by shape that wait for others.
    self._waiting: dict[tuple[int, ...], list[np.ndarray]] = {}
    self._count = 0
    self._collectors = [
      collect.of(item.term) for item in measure.objective.items
    ]

  def add(
    self,
    image: Float[np.ndarray, "h w 3"],
    *,
    mask: Float[np.ndarray, "h w"] | None = None,
  ) -> None:
    """Adds an image.

    Args:
      image: in [0, 1], of any shape.
      mask: which pixels count, in [0, 1]; None is all of them.
    """
    if mask is not None or not self._measure.traceable:
      self._describe([image], mask)
      return
    waiting = self._waiting.setdefault(image.shape, [])
    waiting.append(image)
    room = max(1, _BATCH_PIXELS // (image.shape[0] * image.shape[1]))
    if len(waiting) == _power_of_two(room):
      self._describe(self._waiting.pop(image.shape), None)

  def merge(self, other: "Group", share: float) -> None:
    """Gives another group a share of this one, however many images both have.

    Args:
      other: of the same measure.
      share: in [0, 1], of the images of the other group together.
    """
    for group in (self, other):
      group._describe_waiting()
    for own, others in zip(self._collectors, other._collectors, strict=True):
      own.merge(others, share)

  def targets(self) -> tuple[Any, ...]:
    """The target of each item of the objective.

    Raises:
      ValueError: no image was added.
    """
    self._describe_waiting()
    return tuple(
      _target(collector.group(), term=item.term)
      for item, collector in zip(
        self._measure.objective.items, self._collectors, strict=True
      )
    )

  def _describe_waiting(self):
    while self._waiting:
      _, waiting = self._waiting.popitem()
      while waiting:
        count = _power_of_two(len(waiting))
        self._describe(waiting[:count], None)
        waiting = waiting[count:]
    if not self._count:
      raise ValueError("a style needs at least one image")

  def _describe(self, waiting, mask):
    """Accumulates the descriptions of images of one shape."""
    measure, params = self._measure, self._params
    images = jnp.asarray(np.stack(waiting))
    region = regions.make(measure.objective, params, images.shape[1:], mask)
    targets = objective.Targets(content={}, items=(), everywhere=region)
    if measure.traceable:
      batch = _describe(images, params, targets, objective=measure.objective)
      batch = jax.device_get(batch)
    else:
      sums = measure.statistics(images, params, targets)
      one = jax.device_get(_of_sums(sums, objective=measure.objective))
      batch = jax.tree.map(lambda x: x[None], one)
    for number in range(len(waiting)):
      self._count += 1
      for collector, descriptions in zip(self._collectors, batch, strict=True):
        one = jax.tree.map(lambda x, i=number: x[i], descriptions)
        collector.add(one, 1 / self._count)


def _power_of_two(number: int) -> int:
  """The largest one up to a number."""
  return 1 << (number.bit_length() - 1)


@functools.partial(jax.jit, static_argnames="term")
def _target(group, *, term):
  return term.target(group)


@functools.partial(jax.jit, static_argnames="objective")
def _describe(images, params, targets, *, objective):
  features = objective.features(params, images)

  def of_one(image, features):
    features = jax.tree.map(lambda x: x[None], features)
    sums = objective.statistics_of(image[None], features, targets)
    return _of_sums(sums, objective=objective)

  return jax.vmap(of_one)(images, features)


@functools.partial(jax.jit, static_argnames="objective")
def _of_sums(sums, *, objective):
  return tuple(
    item.term.describe(item_sums)
    for item, item_sums in zip(objective.items, sums, strict=True)
  )
