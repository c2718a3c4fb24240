"""Style as Gram matrices (Gatys, Ecker and Bethge 2015)."""

import dataclasses

import jax.numpy as jnp

from astgan import arrays
from astgan.losses import perceptual
from astgan.nst.terms import interface, layers


@dataclasses.dataclass(frozen=True, kw_only=True)
class Gram(layers.Euclidean):
  """sum over layers of w_l mean_i mean (G(X) - G(S_i))^2.

  Args:
    normalize: normalisation of the matrices, see `perceptual.gram`.

  Raises:
    ValueError: there is no such normalisation.

  References: Gatys, Ecker and Bethge, A Neural Algorithm of Artistic Style,
    2015, equations 3 to 5; the Ast-GAN report, section 3.3.
  """

  normalize: str = "hwc"

  def __post_init__(self):
    if self.normalize not in perceptual.NORMALIZATIONS:
      raise ValueError(
        f"normalize: expected one of {perceptual.NORMALIZATIONS}, got"
        f" {self.normalize!r}"
      )

  def statistics(self, view: interface.View):
    """The sum of products of channels, and the number of pixels, by layer."""
    return {
      tap: self.sums(view.features[tap], view.weight(tap)) for tap in self.taps
    }

  def sums(self, features, weights):
    """The sum of products, and the number of pixels, of one layer."""
    return products(features, weights)

  def describe(self, sums):
    """The normalised Gram matrices, by layer."""
    return {tap: self._normalized(*pair) for tap, pair in sums.items()}

  def _normalized(self, total, pixels):
    if self.normalize == "none":
      return total
    channels = total.shape[-1] if self.normalize == "hwc" else 1
    return total / (channels * pixels)


def products(features, weights):
  """sum_p w_p F_pi F_pj, [c c], and sum_p w_p."""
  if weights is None:
    dtype = arrays.accumulation_dtype(features)
    pixels = jnp.asarray(features.shape[1] * features.shape[2], dtype)
  else:
    pixels = jnp.sum(weights)
    # A product of two factors: each takes the root.
    features = features * jnp.sqrt(weights).astype(features.dtype)
  return perceptual.gram(features, normalize="none")[0], pixels
