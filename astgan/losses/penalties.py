"""Gradient penalties: they keep a discriminator smooth in its input.

The score sees images in their own precision; its gradients are squared and
summed in float32 at least, since their squares overflow or vanish in float16.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from astgan.arrays import PerExample, wide

Score = Callable[[Array], Array]


def gradient_penalty(
  score_fn: Score,
  real: Float[Array, "b *image"],
  fake: Float[Array, "b *image"],
  alpha: Float[Array, "b"],
  *,
  target: float = 1.0,
) -> PerExample:
  """Squared distance of the score's slope from `target` between two images.

  (||grad_x score(x)|| - target)^2 at x = alpha real + (1 - alpha) fake.

  Args:
    score_fn: images [b ...] -> one score per image, [b]. It must treat the
      images independently: no batch normalisation.
    real, fake: images, one pair per example, any range.
    alpha: mixing weights in [0, 1], drawn uniformly by the caller.
    target: the wanted slope.

  Returns: one penalty per pair.

  References: Gulrajani et al., Improved Training of Wasserstein GANs, 2017,
    algorithm 1.
  """
  # Drawn in float32, as a rule, whatever the images are.
  alpha = alpha.astype(real.dtype).reshape((-1,) + (1,) * (real.ndim - 1))
  squares = _squared_gradients(score_fn, alpha * real + (1 - alpha) * fake)
  # The root's own slope is infinite at zero, where training does pass.
  return (jnp.sqrt(squares + 1e-12) - target) ** 2


def r1(score_fn: Score, images: Float[Array, "b ..."]) -> PerExample:
  """Squared norm of the score's gradient, ||grad_x score(x)||^2.

  The paper's R1 is gamma / 2 times its mean over real images.

  Args:
    score_fn: images [b ...] -> one score per image, [b]. It must treat the
      images independently: no batch normalisation.
    images: real images, any range.

  Returns: one penalty per example.

  References: Mescheder et al., Which Training Methods for GANs do actually
    Converge?, 2018, equation 9.
  """
  return _squared_gradients(score_fn, images)


def _squared_gradients(
  score_fn: Score, images: Float[Array, "b ..."]
) -> PerExample:
  gradients = jax.grad(lambda x: jnp.sum(score_fn(x)))(images)
  gradients = gradients.astype(wide(gradients))
  return jnp.sum(gradients**2, axis=tuple(range(1, images.ndim)))
