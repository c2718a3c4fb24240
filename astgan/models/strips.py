"""A translator on images whose features do not fit into memory.

The steps of the network are taken one after the other on the whole image, each
in strips of rows: its inputs lie on the host, and a device holds one strip.
Instance normalisation waits for the moments of all strips. So the image is that
of the whole network up to rounding, without seams: tiles that are normalised by
themselves differ in colour and contrast, and blending hides only their borders.
"""

import functools
from collections.abc import Iterator, Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike
from jaxtyping import Float, PyTree

from astgan.models import instance, translator, unpadded

Host = Float[np.ndarray, "1 h w c"]

# Sides that come out, for each that goes in.
_SCALES = {"same": 1, "down": 0.5, "transposed": 2, "nearest": 2}

# The rows that come out of a strip without those that met padding in place of
# the next strip's.
_OWN = {
  "down": slice(1, None),
  "transposed": slice(None, -2),
  "nearest": slice(2, -2),
}


def translate(
  params: Mapping[str, PyTree],
  image: Host,
  *,
  steps: Mapping[str, translator.Step],
  dtype: DTypeLike,
  pixels: int,
) -> Float[np.ndarray, "1 h w c"]:
  """What `translator.Translator` makes of an image, in [-1, 1].

  Args:
    params: of the network.
    image: in [-1, 1], [1 h w 3], with sides that are multiples of 4.
    steps: of the network.
    dtype: precision of the convolutions.
    pixels: of a strip, at full size; strips have at least one row of the
      smallest features.
  """
  before = x = image.astype(dtype)
  for name, step in steps.items():
    rows = max(1, pixels // image.shape[2]) * x.shape[1] // image.shape[1]
    y, mean, variance = _convolve(x, params[name]["kernel"], step.kind, rows)
    if step.end == "tanh":
      y = y.astype(np.float32)
    layer = {k: v for k, v in params[name].items() if k != "kernel"}
    _finish(y, before, step, layer, mean, variance, rows)
    before, x = x, y
  return x


def _convolve(x, kernel, kind, rows):
  """The convolution of all rows, and the moments of its channels."""
  rows = max(rows - rows % 2, 2)
  reach = len(kernel) // 2
  height, width = (int(side * _SCALES[kind]) for side in x.shape[1:3])
  channels = kernel.shape[2 if kind == "transposed" else 3]
  y, done, seen = np.empty((1, height, width, channels), x.dtype), 0, (0, 0, 0)
  for top, bottom in _strips(x.shape[1], rows):
    if kind == "same":
      strip = _read(x, top - reach, bottom + reach, beyond="reflect")
    elif kind == "down":
      strip = _read(x, top - 2, bottom, beyond="constant")
    elif kind == "nearest":
      strip = _read(x, top - 1, bottom + 1, beyond="edge")
    else:
      strip = _read(x, top, bottom + 1, beyond="constant")
    part, mean, variance = jax.device_get(
      _convolve_strip(kernel, strip, kind=kind)
    )
    size = part.shape[1] * part.shape[2]
    seen = _merge(seen, (size, np.float64(mean), size * np.float64(variance)))
    y[:, done : done + part.shape[1]] = part
    done += part.shape[1]
  count, mean, total = seen
  return y, np.float32(mean), np.float32(total / count)


def _merge(one, other):
  """Counts, means and sums of squared differences of both together.

  References: Chan, Golub and LeVeque, Algorithms for Computing the Sample
    Variance, 1983, equation 2.1.
  """
  (n, mean, total), (m, other_mean, other_total) = one, other
  difference, both = other_mean - mean, n + m
  mean = mean + difference * m / both
  return both, mean, total + other_total + difference**2 * n * m / both


def _finish(y, before, step, layer, mean, variance, rows):
  """Normalises all rows in place, and what follows."""
  for top, bottom in _strips(y.shape[1], max(rows, 2)):
    part = slice(top, bottom)
    added = before[:, part] if step.end == "add" else None
    y[:, part] = _finish_strip(
      y[:, part], added, layer, mean, variance, step=step
    )


def _strips(height: int, rows: int) -> Iterator[tuple[int, int]]:
  for top in range(0, height, rows):
    yield top, min(top + rows, height)


def _read(
  x: Host, top: int, bottom: int, *, beyond: str
) -> Float[np.ndarray, "1 rows w c"]:
  """Rows from `top` to `bottom`, padded beyond the border as numpy names it."""
  ends = (max(0, -top), max(0, bottom - x.shape[1]))
  inside = x[:, max(0, top) : bottom]
  return np.pad(inside, ((0, 0), ends, (0, 0), (0, 0)), mode=beyond)


@functools.partial(jax.jit, static_argnames="kind")
def _convolve_strip(kernel, strip, *, kind):
  kernel = kernel.astype(strip.dtype)
  if kind == "same":
    strip = translator.reflect(strip, len(kernel) // 2, rows=False)
    y = unpadded.valid_conv(strip, kernel)
  else:
    y = translator.convolve(strip, kernel, kind=kind)
    y = y[:, _OWN[kind]]
  return y, *instance.moments(y)


@functools.partial(jax.jit, static_argnames="step")
def _finish_strip(y, before, layer, mean, variance, *, step):
  if step.end != "tanh":
    y = instance.normalize(y, jnp.asarray(mean), jnp.asarray(variance))
  return translator.finish(step, y, layer, before)
