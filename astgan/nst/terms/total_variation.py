"""The smoothness of a painting."""

import dataclasses

import jax.numpy as jnp

from astgan.nst.terms import content, interface


@dataclasses.dataclass(frozen=True, kw_only=True)
class TotalVariation:
  """The mean of |difference of neighbours|^p, down plus across.

  Args:
    power: p; 2 as Mahendran and Vedaldi (beta = 2) and Johnson, whose gradient
      is smooth and largest at isolated bright pixels; 1 is anisotropic total
      variation in the sense of Rudin, which keeps edges.

  References: Mahendran and Vedaldi, Understanding Deep Image Representations
    by Inverting Them, 2015, equation 3; Johnson, Alahi and Fei-Fei, Perceptual
    Losses for Real-Time Style Transfer, 2016; Rudin, Osher and Fatemi,
    Nonlinear total variation based noise removal algorithms, 1992.
  """

  power: int = 2
  taps = ()
  sample_size = 0
  reach = 1
  pools = False

  def statistics(self, view: interface.View):
    """Sums and numbers of the differences, down and across."""
    image, weights = view.image, view.weight("image")
    if min(image.shape[1:3]) < 2:
      raise ValueError(f"expected at least 2 by 2 pixels, got {image.shape}")

    # A difference belongs to the upper or the left one of its pixels.
    def sums(ends, starts):
      differences = jnp.abs(image[ends] - image[starts]) ** self.power
      owners = None if weights is None else weights[starts]
      return content.weighted_sum(differences, owners)

    every, upper, lower = slice(None), slice(None, -1), slice(1, None)
    return (
      sums((every, lower), (every, upper)),
      sums((every, every, lower), (every, every, upper)),
    )

  def describe(self, sums):
    """The mean down plus the mean across."""
    (down, rows), (across, columns) = sums
    return down / rows + across / columns

  def target(self, group):
    """Nothing."""
    del group

  def distance(self, description, target):
    """The total variation."""
    del target
    return description
