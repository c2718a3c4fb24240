"""Losses of variational autoencoders: one value per example, in nats.

Their sum is a bound of minus the log likelihood of an image, up to a constant:
neither is a mean over dimensions, which would weigh one against the other.

References: Kingma and Welling, Auto-Encoding Variational Bayes, 2014.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from astgan.arrays import PerExample, accumulation_dtype


def gaussian_prior(
  mean: Float[Array, "b z"], log_variance: Float[Array, "b z"]
) -> PerExample:
  """Kullback-Leibler divergence of N(mean, variance) from N(0, I).

  Half the sum of mean^2 + variance - log variance - 1 over the dimensions.

  Args:
    mean, log_variance: of each latent dimension, of which none depends on
      another.

  Returns: one value per example, never below zero.

  References: Kingma and Welling, 2014, appendix B.
  """
  terms = mean**2 + jnp.expm1(log_variance) - log_variance
  return jnp.sum(terms, axis=-1, dtype=accumulation_dtype(terms)) / 2


def gaussian_reconstruction(
  reconstructed: Float[Array, "b *features"],
  original: Float[Array, "b *features"],
) -> PerExample:
  """Minus log N(original; reconstructed, I), without the constant.

  Half the sum of squared differences: of pixels, or of a discriminator's
  features.

  Args:
    reconstructed, original: any range.

  Returns: one value per example, never below zero.

  References: Larsen et al., Autoencoding beyond Pixels Using a Learned
    Similarity Metric, 2016, equations 7 and 8.
  """
  squares = (reconstructed - original) ** 2
  axes = tuple(range(1, squares.ndim))
  return jnp.sum(squares, axis=axes, dtype=accumulation_dtype(squares)) / 2
