"""Gradient penalties: they keep a discriminator smooth in its input.

The score sees images in their own dtype. The accumulation dtype of the squared
gradients is float32 or wider, since squares overflow or vanish in float16.

A penalty that is applied only every n steps (lazy regularisation) is multiplied
by n by the caller, so that its mean effect per step stays the same (Karras et
al., Analyzing and Improving the Image Quality of StyleGAN, 2020, section 3.1).
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from astgan.arrays import PerExample, accumulation_dtype

Score = Callable[[Array], Array]


def gradient_penalty(
  score_fn: Score,
  real: Float[Array, "b *image"],
  fake: Float[Array, "b *image"],
  alpha: Float[Array, "b"],
  *,
  target: float = 1.0,
) -> PerExample:
  """Squared distance of the gradient norm from `target`, between two images.

  (||grad_x score(x)|| - target)^2 at x = alpha real + (1 - alpha) fake.

  Args:
    score_fn: images [b ...] -> one score per image, [b]. It must treat the
      images independently: no batch normalisation.
    real, fake: images, one pair per example, any range.
    alpha: mixing weights in [0, 1], drawn uniformly by the caller.
    target: the gradient norm that costs nothing.

  Returns: one penalty per pair.

  References: Gulrajani et al., Improved Training of Wasserstein GANs, 2017,
    algorithm 1.
  """
  # Callers draw in float32, whatever the dtype of the images.
  alpha = alpha.astype(real.dtype).reshape((-1,) + (1,) * (real.ndim - 1))
  squares = _squared_gradients(score_fn, alpha * real + (1 - alpha) * fake)
  # The derivative of the root is infinite at zero, and training passes there.
  return (jnp.sqrt(squares + 1e-12) - target) ** 2


def r1(score_fn: Score, images: Float[Array, "b ..."]) -> PerExample:
  """Squared norm of the score's gradient, ||grad_x score(x)||^2.

  The paper's R1 is gamma / 2 times the mean of this over real images, R2 is
  gamma / 2 times the mean over generated images: for R2 call `r1` on those.

  Args:
    score_fn: images [b ...] -> one score per image, [b]. It must treat the
      images independently: no batch normalisation.
    images: real images for R1, generated images for R2; any range.

  Returns: one penalty per example.

  References: Mescheder et al., Which Training Methods for GANs do actually
    Converge?, 2018, equations 9 and 10.
  """
  return _squared_gradients(score_fn, images)


def _squared_gradients(
  score_fn: Score, images: Float[Array, "b ..."]
) -> PerExample:
  gradients = jax.grad(lambda x: jnp.sum(score_fn(x)))(images)
  gradients = gradients.astype(accumulation_dtype(gradients))
  return jnp.sum(gradients**2, axis=tuple(range(1, images.ndim)))
