"""Kernel distance: the squared maximum mean discrepancy, without bias."""

import numpy as np
from jaxtyping import Float, Float64


def distance(
  real: Float[np.ndarray, "n d"],
  fake: Float[np.ndarray, "m d"],
  *,
  subset_size: int,
  subsets: int,
  seed: int = 0,
) -> tuple[float, float]:
  """Mean and standard deviation of MMD^2 over random subsets.

  MMD^2 = E k(x, x') + E k(y, y') - 2 E k(x, y) with k(x, y) = (x.y / d + 1)^3,
  where x and x' are never the same image. Its mean over samples of one
  distribution is 0 at every n, so that a value may be negative; larger is
  worse. With standardised features, paintings of another school have about 1,
  one painting again and again 5, noise thousands.

  Args:
    real, fake: features of two sets.
    subset_size: images of each set per subset, drawn without replacement; at
      least 2 and no more than either set.
    subsets: how many are drawn.
    seed: of the draws.

  Returns: the mean, and the standard deviation over the subsets (divided by
    their number, not by one less). Subsets of the whole sets are all the same.

  References: Binkowski et al., Demystifying MMD GANs, 2018, section 4; Gretton
    et al., A Kernel Two-Sample Test, 2012, lemma 6.
  """
  smaller = min(len(real), len(fake))
  if not 2 <= subset_size <= smaller:
    raise ValueError(
      f"subset_size is {subset_size}; expected 2 to {smaller}, the smaller set"
    )
  real, fake = real.astype(np.float64), fake.astype(np.float64)
  draws = np.random.default_rng(seed)
  values = [
    mmd2(
      real[draws.choice(len(real), subset_size, replace=False)],
      fake[draws.choice(len(fake), subset_size, replace=False)],
    )
    for _ in range(subsets)
  ]
  return float(np.mean(values)), float(np.std(values))


def mmd2(
  real: Float64[np.ndarray, "n d"], fake: Float64[np.ndarray, "m d"]
) -> float:
  """The unbiased estimate of MMD^2 from all pairs."""
  return float(
    _mean_of_pairs(real)
    + _mean_of_pairs(fake)
    - 2 * _polynomial(real, fake).mean()
  )


def _mean_of_pairs(x: Float64[np.ndarray, "n d"]) -> float:
  """The mean kernel of two different images of a set."""
  kernel = _polynomial(x, x)
  return (kernel.sum() - np.trace(kernel)) / (len(x) * (len(x) - 1))


def _polynomial(x: np.ndarray, y: np.ndarray) -> Float64[np.ndarray, "_n _m"]:
  base = x @ y.T / x.shape[1] + 1
  return base * base * base
