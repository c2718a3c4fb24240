"""Style as Gram matrices (Gatys, Ecker and Bethge 2015)."""

import dataclasses

import jax.numpy as jnp

from astgan import arrays
from astgan.losses import perceptual
from astgan.nst.terms import euclidean, interface


@dataclasses.dataclass(frozen=True, kw_only=True)
class Gram:
  """sum over layers of w_l mean_i mean (G(X) - G(S_i))^2.

  Args:
    taps: the layers.
    layer_weights: w_l, one per layer.
    normalize: normalisation of the matrices, see `perceptual.gram`.

  References: Gatys, Ecker and Bethge, A Neural Algorithm of Artistic Style,
    2015, equations 3 to 5; the Ast-GAN report, section 3.3.
  """

  taps: tuple[str, ...]
  layer_weights: tuple[float, ...]
  normalize: str = "hwc"
  sample_size = 0
  reach = 0
  pools = False

  def statistics(self, view: interface.View):
    """The sum of products of channels, and the number of pixels, by layer."""
    return {
      tap: products(view.features[tap], view.weight(tap)) for tap in self.taps
    }

  def describe(self, sums):
    """The normalised Gram matrices, by layer."""
    return {tap: self._normalized(*pair) for tap, pair in sums.items()}

  def _normalized(self, total, pixels):
    if self.normalize == "none":
      return total
    channels = total.shape[-1] if self.normalize == "hwc" else 1
    return total / (channels * pixels)

  def target(self, group):
    """Mean and variance of the matrices of the group."""
    return group

  def distance(self, description, target):
    """The weighted sum over the layers."""
    return euclidean.distance(
      description, target, layers=self.taps, weights=self.layer_weights
    )


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
