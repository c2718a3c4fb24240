"""Where a photograph is light and where it is dark."""

import dataclasses

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from astgan.nst import colour
from astgan.nst.terms import interface

# Below it a variance of luminance, in [0, 1] squared, is that of a flat image.
_FLAT = 1e-6
# Squares along the longer side whose luminances are compared, and their largest
# width in pixels, which needs no wider tiles than relu5_1 does.
_SQUARES, _WIDEST = 24, 64


@dataclasses.dataclass(frozen=True, kw_only=True)
class Luminance:
  """1 minus the correlation of two blurred luminances.

  Those of the painting and of the photograph. How light a painting is and how
  strong its contrasts are is left to its style; its hues and its strokes are as
  well, but its masses stay where the photograph has them. In [0, 2].

  Args:
    width: of the squares, in pixels, whose mean luminances are compared.
  """

  width: int
  taps = ()
  sample_size = 0
  pools = False

  @property
  def reach(self) -> int:
    """Pixels beyond its own that a square needs."""
    return self.width - 1

  def statistics(self, view: interface.View):
    """The moments of both luminances, and their number, as sums."""
    # A narrow image has narrow squares.
    width = min(self.width, *view.image.shape[1:3])
    # Of numbers around zero the moments lose fewer digits.
    x, y = (
      _squares(image, width) - 0.5
      for image in (view.image, view.content["image"])
    )
    moments = jnp.concatenate([x, y, x * x, y * y, x * y], -1)
    # A square belongs to its upper left pixel.
    rows, columns = (slice(None, length) for length in x.shape[1:3])
    weights = view.weight("image")
    if weights is None:
      weights = jnp.ones_like(x)
    weights = weights[:, rows, columns]
    return jnp.sum(weights * moments, (0, 1, 2)), jnp.sum(weights)

  def describe(self, sums):
    """1 minus the correlation."""
    moments, count = sums
    x, y, xx, yy, xy = moments / count
    variances = jnp.maximum(jnp.stack([xx - x * x, yy - y * y]), 0) + _FLAT
    return 1 - (xy - x * y) / jnp.sqrt(jnp.prod(variances))

  def target(self, group):
    """Nothing."""
    del group

  def distance(self, description, target):
    """What was described."""
    del target
    return description


def at(side: int) -> Luminance:
  """The term for a painting of that longer side, in pixels."""
  return Luminance(width=min(max(1, round(side / _SQUARES)), _WIDEST))


def _squares(
  image: Float[Array, "1 h w 3"], width: int
) -> Float[Array, "1 rows columns 1"]:
  """The mean luminance of the square that begins at each pixel."""
  sums = image @ jnp.asarray(colour.LUMINANCE, image.dtype)[:, None]
  for axis in (1, 2):
    window = [1, 1, 1, 1]
    window[axis] = width
    sums = jax.lax.reduce_window(
      sums, 0.0, jax.lax.add, window, (1, 1, 1, 1), "VALID"
    )
  return sums / width**2
