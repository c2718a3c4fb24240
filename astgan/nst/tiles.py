"""Exact gradients of paintings that are larger than memory.

The statistics of the terms are sums over pixels. So they are summed over
windows first; then the gradient of the total with respect to the sums is known,
and one vector-Jacobian product per window gives the gradient of its pixels:

  dL/dX = sum over windows of (dS_window/dX)^T dL/dS

A window is wider than the positions that it owns, by what a position of the
deepest layer sees, with the neighbours that a term needs. All windows have one
shape, so that they compile once, and begin where the windows of all poolings
begin. Nothing is approximated: losses and gradients differ from those of the
whole image by rounding alone.
"""

import dataclasses
import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int, PyTree

from astgan.nst import network
from astgan.nst import objective as objectives
from astgan.nst.terms import interface


class Window(NamedTuple):
  """One window: where it begins, and the pixels that it owns."""

  corner: Int[np.ndarray, "2"]
  first: Int[np.ndarray, "2"]
  # The first pixels after those that it owns.
  end: Int[np.ndarray, "2"]


@dataclasses.dataclass(frozen=True)
class Tiled:
  """An objective and its gradient, window by window.

  Args:
    objective: the terms and their network, which has `geometry`.
    side: of the tiles, in pixels. The windows are wider.
  """

  objective: objectives.Objective
  side: int

  # Not to be traced: a program of all windows would hold all of them.
  traceable = False

  def value_and_grad(
    self,
    image: objectives.Image,
    params: Any,
    targets: objectives.Targets,
  ) -> tuple[tuple[Array, objectives.Scalars], objectives.Image]:
    """The total and its parts, and the gradient of the total."""
    sums = self.statistics(image, params, targets)
    (loss, scalars), cotangent = _losses(sums, targets, self.objective)
    gradient = jnp.zeros_like(image)
    shape, windows = self.windows(image.shape[1:3])
    for window in windows:
      gradient = _add_gradient(
        gradient, cotangent, image, params, targets, window,
        objective=self.objective, shape=shape,
      )  # fmt: skip
    return (loss, scalars), gradient

  def statistics(
    self, image: objectives.Image, params: Any, targets: objectives.Targets
  ) -> tuple[PyTree, ...]:
    """The statistics of every item, over the whole image."""
    shape, windows = self.windows(image.shape[1:3])
    total = None
    for window in windows:
      sums = _statistics(
        image, params, targets, window, objective=self.objective, shape=shape
      )
      total = sums if total is None else _add(total, sums)
    return total

  def features(
    self, image: objectives.Image, params: Any, taps: tuple[str, ...]
  ) -> interface.LayerFeatures:
    """Features of the whole image at the taps."""
    shape, windows = self.windows(image.shape[1:3])
    total = None
    for window in windows:
      total = _place_features(
        total, image, params, window,
        network=self.objective.network, taps=taps, shape=shape,
      )  # fmt: skip
    return total

  def windows(
    self, size: tuple[int, int]
  ) -> tuple[tuple[int, int], list[Window]]:
    """The shape of all windows of an image of that size, and the windows."""
    layers = [
      (term.reach, geometry)
      for term in (item.term for item in self.objective.items)
      for geometry in [
        network.Geometry(1, 0),  # The image itself.
        *map(self.objective.network.geometry, term.taps),
      ]
    ]
    stride = max(geometry.stride for _, geometry in layers)
    reach = max(g.reach + positions * g.stride for positions, g in layers)
    sides, axes = zip(
      *(
        split(length, self.side, stride=stride, reach=reach) for length in size
      ),
      strict=True,
    )
    rows, columns = axes
    windows = [
      Window(*np.array([row, column], np.int32).T)
      for row in rows
      for column in columns
    ]
    return sides, windows


def split(
  length: int, side: int, *, stride: int, reach: int
) -> tuple[int, list[tuple[int, int, int]]]:
  """One axis of an image in windows.

  Args:
    length: of the axis, in pixels.
    side: pixels that an inner window owns, at least.
    stride: all windows begin at its multiples.
    reach: pixels around its own that a window needs.

  Returns: the length of the windows; and of each its beginning, the first pixel
    that it owns and the first one after those.
  """
  side, halo = (-(-value // stride) * stride for value in (side, reach))
  window = side + 2 * halo
  # The last window ends with the image, and begins at a multiple.
  window += (length - window) % stride
  if window >= length:
    return length, [(0, 0, length)]
  starts = [*range(0, length - window, side), length - window]
  bounds = [0, *(start + halo for start in starts[1:]), length]
  return window, list(zip(starts, bounds[:-1], bounds[1:], strict=True))


_STATIC = ("objective", "shape")


@functools.partial(jax.jit, static_argnames=_STATIC)
def _statistics(image, params, targets, window, *, objective, shape):
  pixels = _crop(image, window.corner, shape)
  return _window_sums(pixels, params, targets, window, objective)


@functools.partial(jax.jit, static_argnames=_STATIC, donate_argnums=0)
def _add_gradient(
  gradient, cotangent, image, params, targets, window, *, objective, shape
):
  pixels = _crop(image, window.corner, shape)
  _, pull_back = jax.vjp(
    lambda x: _window_sums(x, params, targets, window, objective), pixels
  )
  (change,) = pull_back(cotangent)
  return _place(gradient, change, window.corner)


@functools.partial(jax.jit, static_argnames="objective")
def _losses(sums, targets, objective):
  return jax.value_and_grad(objective.losses, has_aux=True)(sums, targets)


@functools.partial(jax.jit, donate_argnums=0)
def _add(total, sums):
  return jax.tree.map(jnp.add, total, sums)


@functools.partial(
  jax.jit, static_argnames=("network", "taps", "shape"), donate_argnums=0
)
def _place_features(total, image, params, window, *, network, taps, shape):
  features = network(params, _crop(image, window.corner, shape), taps)
  placed = {}
  for tap, values in features.items():
    stride = network.geometry(tap).stride
    owned = _owned(window, values.shape[1:3], stride).astype(values.dtype)
    if total is None:
      sides = (length // stride for length in image.shape[1:3])
      whole = jnp.zeros((1, *sides, values.shape[-1]), values.dtype)
    else:
      whole = total[tap]
    placed[tap] = _place(whole, owned * values, window.corner // stride)
  return placed


def _window_sums(pixels, params, targets, window, objective):
  """The statistics of every item, over what the window owns."""
  features = objective.features(params, pixels)
  shapes = {"image": pixels.shape[1:3]}
  shapes |= {tap: values.shape[1:3] for tap, values in features.items()}
  strides = {tap: objective.network.geometry(tap).stride for tap in features}
  strides["image"] = 1
  owned = {
    tap: _owned(window, shape, strides[tap]) for tap, shape in shapes.items()
  }

  def crop(layers):
    return {
      tap: _crop(values, window.corner // strides[tap], shapes[tap])
      for tap, values in layers.items()
    }

  content = crop(targets.content)

  def statistics(item):
    region = targets.region(item)
    weights = owned
    if region.weights is not None:
      parts = crop(region.weights)
      weights = {tap: parts[tap] * owned[tap] for tap in parts}
    samples = {
      tap: positions - (window.corner // strides[tap])[None]
      for tap, positions in region.samples.items()
    }
    view = interface.View(pixels, features, content, weights, samples)
    return item.term.statistics(view)

  return tuple(statistics(item) for item in objective.items)


def _owned(
  window: Window, shape: tuple[int, int], stride: int
) -> Float[Array, "1 _ _ 1"]:
  """1 where the window owns a position of a layer, 0 elsewhere."""
  rows, columns = (
    (position >= window.first[axis]) & (position < window.end[axis])
    for axis in (0, 1)
    for position in [window.corner[axis] + stride * jnp.arange(shape[axis])]
  )
  return (rows[:, None] & columns[None]).astype(jnp.float32)[None, :, :, None]


def _crop(array, corner, shape):
  start = (0, corner[0], corner[1], 0)
  return lax.dynamic_slice(array, start, (1, *shape, array.shape[-1]))


def _place(whole, part, corner):
  """The whole with the part added at the corner."""
  start = (0, corner[0], corner[1], 0)
  return lax.dynamic_update_slice(
    whole, _crop(whole, corner, part.shape[1:3]) + part, start
  )
