"""Box-constrained L-BFGS with one evaluation of the loss per update.

The usual line search is a loop around the loss, and loops around convolutions
are slow on CPUs. Here the backtracking line search is spread over updates. Each
update gets the loss and the gradient of one trial image. It either accepts the
trial and computes a new direction, or it backtracks. The optimiser is therefore
an ordinary optax transformation, runs on the device alone, and costs what Adam
costs per step. The accepted losses never increase.

References: Nocedal and Wright, Numerical Optimization, 2006, algorithms 3.1
and 7.4; Bertsekas, Projected Newton Methods for Optimization Problems with
Simple Constraints, 1982.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

# c1 of the Armijo condition.
_ARMIJO = 1e-4
# A pair is stored where the cosine between s and y is above this. Below it the
# pair is noise or negative curvature.
_CURVATURE = 1e-6


class State(NamedTuple):
  """The accepted image, the search direction and the history."""

  image: Float[Array, "*s"]
  loss: Float[Array, ""]
  gradient: Float[Array, "*s"]
  direction: Float[Array, "*s"]
  step_size: Float[Array, ""]
  # The last m pairs of s (difference of images) and y (difference of
  # gradients), the newest last, and rho = 1 / (s . y). Zero where there is no
  # pair yet.
  s: Float[Array, "m *s"]
  y: Float[Array, "m *s"]
  rho: Float[Array, "m"]


def lbfgs(
  *,
  initial_step: float,
  history_size: int = 10,
  lower: float = 0.0,
  upper: float = 1.0,
) -> optax.GradientTransformationExtraArgs:
  """An optax transformation; `update` takes the loss as `value`.

  The caller clips the updated image to [lower, upper]. A pixel in the active
  set lies on a bound while its gradient points outwards. It does not move
  (Bertsekas' two-metric projection), since the direction could be uphill
  otherwise.

  Args:
    initial_step: mean absolute change of the first step, before any curvature
      is known, in pixel values.
    history_size: pairs (s, y) stored.
    lower, upper: bounds of every value.
  """

  def init(image: Float[Array, "*s"]) -> State:
    history = jnp.zeros((history_size, *image.shape), image.dtype)
    return State(
      image=jnp.copy(image),
      loss=jnp.full((), jnp.inf, image.dtype),
      gradient=jnp.zeros_like(image),
      direction=jnp.zeros_like(image),
      step_size=jnp.ones((), image.dtype),
      s=history,
      y=jnp.copy(history),
      rho=jnp.zeros(history_size, image.dtype),
    )

  def update(gradient, state, params, *, value, **_):
    trial = params
    # Clipping can turn the step uphill. The loss may not increase even then.
    slope = jnp.minimum(0, _dot(state.gradient, trial - state.image))
    state = jax.lax.cond(
      value <= state.loss + _ARMIJO * slope, accept, backtrack,
      gradient, state, trial, value, slope,
    )  # fmt: skip
    return state.image + state.step_size * state.direction - trial, state

  def accept(gradient, state, trial, value, slope):
    del slope
    state = _store(state, trial - state.image, gradient - state.gradient)
    active = ((trial <= lower) & (gradient > 0)) | (
      (trial >= upper) & (gradient < 0)
    )
    free_gradient = jnp.where(active, 0, gradient)
    mean_size = jnp.mean(jnp.abs(free_gradient))
    direction = -_two_loop_recursion(
      free_gradient, state, initial_step / jnp.maximum(mean_size, 1e-30)
    )
    return state._replace(
      image=trial,
      loss=value,
      gradient=gradient,
      direction=jnp.where(active, 0, direction),
      step_size=jnp.ones_like(state.step_size),
    )

  def backtrack(gradient, state, trial, value, slope):
    del gradient, trial
    # Quadratic interpolation, safeguarded to [0.1, 0.5].
    increase = value - state.loss
    factor = jnp.clip(-slope / (2 * (increase - slope)), 0.1, 0.5)
    return state._replace(step_size=factor * state.step_size)

  return optax.GradientTransformationExtraArgs(init, update)


def _store(state, s, y):
  """Appends a pair to the history unless its curvature is not positive."""
  curvature = _dot(s, y)
  norms = jnp.sqrt(_dot(s, s) * _dot(y, y))

  def append(history, value):
    return jnp.concatenate([history[1:], value[None]])

  def stored():
    return state._replace(
      s=append(state.s, s),
      y=append(state.y, y),
      rho=append(state.rho, 1 / curvature),
    )

  return jax.lax.cond(curvature > _CURVATURE * norms, stored, lambda: state)


def _two_loop_recursion(gradient, state, initial_scale):
  """The estimate of the inverse Hessian, times the gradient."""
  s, y, rho = state.s, state.y, state.rho
  alphas = [None] * len(rho)
  for i in reversed(range(len(rho))):
    alphas[i] = rho[i] * _dot(s[i], gradient)
    gradient = gradient - alphas[i] * y[i]
  scale = jnp.where(
    rho[-1] > 0, 1 / (rho[-1] * _dot(y[-1], y[-1])), initial_scale
  )
  gradient = scale * gradient
  for i in range(len(rho)):
    beta = rho[i] * _dot(y[i], gradient)
    gradient = gradient + (alphas[i] - beta) * s[i]
  return gradient


def _dot(left, right):
  return jnp.sum(left * right)
