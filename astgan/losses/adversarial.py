"""Adversarial losses: what the generator and the discriminator minimise.

Each returns one loss per example from logits, the discriminator's outputs
before any sigmoid; take the mean for the batch. With probabilities
D = sigmoid(logit), log D = -softplus(-logit) and log(1 - D) =
-softplus(logit), which never overflow. Losses have the dtype of the logits.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from astgan.arrays import Logits, PerExample

Label = float | Float[Array, ""] | Float[Array, "b"]


def minimax_generator(fake_logits: Logits) -> PerExample:
  """Loss log(1 - D(G(z))) of the minimax game; flat where D is sure.

  Args:
    fake_logits: discriminator outputs for generated images, any range.

  Returns: one loss per example, never above zero.

  References: Goodfellow et al., Generative Adversarial Nets, 2014, algorithm 1.
  """
  return -jax.nn.softplus(fake_logits)


def nonsaturating_generator(fake_logits: Logits) -> PerExample:
  """Loss -log D(G(z)): strong gradients where the discriminator is sure.

  Args:
    fake_logits: discriminator outputs for generated images, any range.

  Returns: one loss per example, never below zero.

  References: Goodfellow et al., Generative Adversarial Nets, 2014, section 3.
  """
  return jax.nn.softplus(-fake_logits)


def logistic_discriminator(
  real_logits: Logits,
  fake_logits: Logits,
  *,
  real_label: Label = 1.0,
  fake_label: Label = 0.0,
) -> PerExample:
  """Cross-entropy per pair of a real and a generated image.

  -[t log D(x) + (1 - t) log(1 - D(x))] for the real image with t =
  `real_label`, plus the same for the generated one with t = `fake_label`.
  A real label below 1 is one-sided label smoothing: the discriminator then
  pays for being surer than that. Labels [b] that the caller draws are noisy
  labels.

  Args:
    real_logits, fake_logits: discriminator outputs, any range.
    real_label, fake_label: target probabilities in [0, 1], one for all examples
      or one per example. They are cast to the dtype of the logits.

  Returns: one loss per pair.

  References: Goodfellow et al., Generative Adversarial Nets, 2014, equation 1;
    Salimans et al., Improved Techniques for Training GANs, 2016, section 3.4;
    Chintala et al., How to Train a GAN? Tips and Tricks, 2016 (noisy labels).
  """
  return _cross_entropy(real_logits, real_label) + _cross_entropy(
    fake_logits, fake_label
  )


def least_squares_generator(
  fake_logits: Logits, *, real_label: float = 1.0
) -> PerExample:
  """Loss (D(G(z)) - real_label)^2 / 2.

  Args:
    fake_logits: discriminator outputs for generated images, any range.
    real_label: the value that the discriminator gives real images.

  Returns: one loss per example.

  References: Mao et al., Least Squares Generative Adversarial Networks, 2017,
    equation 2.
  """
  return (fake_logits - real_label) ** 2 / 2


def least_squares_discriminator(
  real_logits: Logits,
  fake_logits: Logits,
  *,
  real_label: Label = 1.0,
  fake_label: Label = 0.0,
) -> PerExample:
  """Loss (D(x) - real_label)^2 / 2 + (D(G(z)) - fake_label)^2 / 2.

  Args:
    real_logits, fake_logits: discriminator outputs, any range.
    real_label, fake_label: the values to give real and generated images, for
      the batch or per example.

  Returns: one loss per pair.

  References: Mao et al., Least Squares Generative Adversarial Networks, 2017,
    equation 2.
  """
  real = real_logits - jnp.asarray(real_label, real_logits.dtype)
  fake = fake_logits - jnp.asarray(fake_label, fake_logits.dtype)
  return real**2 / 2 + fake**2 / 2


def wasserstein_generator(fake_logits: Logits) -> PerExample:
  """Loss -f(G(z)) for a critic f.

  Args:
    fake_logits: critic outputs for generated images, any range.

  Returns: one loss per example.

  References: Arjovsky et al., Wasserstein GAN, 2017, algorithm 1.
  """
  return -fake_logits


def wasserstein_discriminator(
  real_logits: Logits, fake_logits: Logits
) -> PerExample:
  """Loss f(G(z)) - f(x) of a critic f, which must be kept Lipschitz.

  The mean over a batch is minus the estimated Wasserstein distance.

  Args:
    real_logits, fake_logits: critic outputs, any range.

  Returns: one loss per pair.

  References: Arjovsky et al., Wasserstein GAN, 2017, algorithm 1.
  """
  return fake_logits - real_logits


def hinge_generator(fake_logits: Logits) -> PerExample:
  """Loss -D(G(z)).

  Args:
    fake_logits: discriminator outputs for generated images, any range.

  Returns: one loss per example.

  References: Lim and Ye, Geometric GAN, 2017.
  """
  return -fake_logits


def hinge_discriminator(
  real_logits: Logits, fake_logits: Logits, *, margin: float = 1.0
) -> PerExample:
  """Loss max(0, margin - D(x)) + max(0, margin + D(G(z))).

  Args:
    real_logits, fake_logits: discriminator outputs, any range.
    margin: distance beyond which a logit stops mattering.

  Returns: one loss per pair.

  References: Lim and Ye, Geometric GAN, 2017.
  """
  return jax.nn.relu(margin - real_logits) + jax.nn.relu(margin + fake_logits)


def relativistic_generator(
  real_logits: Logits, fake_logits: Logits
) -> PerExample:
  """Loss softplus(-(D(G(z)) - D(x))) of a pair (RpGAN).

  The generator learns to make its image score above the real image of the
  pair, so the real logits matter to it too. No gradient flows to the generator
  once its image is far above.

  Args:
    real_logits, fake_logits: discriminator outputs, any range. Entry i of both
      makes pair i; which images meet is arbitrary.

  Returns: one loss per pair, never below zero.

  References: Jolicoeur-Martineau, The Relativistic Discriminator: a Key Element
    Missing from Standard GAN, 2018 (there RSGAN); Huang et al., The GAN is
    Dead; Long Live the GAN! A Modern GAN Baseline (R3GAN), 2024.
  """
  return jax.nn.softplus(real_logits - fake_logits)


def relativistic_discriminator(
  real_logits: Logits, fake_logits: Logits
) -> PerExample:
  """Loss softplus(-(D(x) - D(G(z)))) of a pair (RpGAN).

  Only differences of logits count. R3GAN adds gamma / 2 times the penalties R1
  and R2, see `penalties.r1`.

  Args:
    real_logits, fake_logits: discriminator outputs, any range, paired as in
      `relativistic_generator`.

  Returns: one loss per pair, never below zero.

  References: those of `relativistic_generator`.
  """
  return jax.nn.softplus(fake_logits - real_logits)


def _cross_entropy(logits: Logits, label: Label) -> PerExample:
  # softplus(logit) - t logit is the same, but cancels where D is sure.
  label = jnp.asarray(label, logits.dtype)
  return label * jax.nn.softplus(-logits) + (1 - label) * jax.nn.softplus(
    logits
  )
