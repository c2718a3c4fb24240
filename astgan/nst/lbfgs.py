"""L-BFGS in a box, one evaluation of the loss per update.

The usual line search is a loop around the loss, and loops around convolutions
are slow on CPUs. Here the search is spread over updates instead: each looks at
the loss of one trial picture, and either accepts it and turns to a new
direction, or goes half-way back. So the optimiser is an ordinary optax
transformation, costs what Adam costs per step, never needs the host, and its
accepted losses only fall.

References: Nocedal and Wright, Numerical Optimization, 2006, algorithms 3.1
and 7.4; Bertsekas, Projected Newton Methods for Optimization Problems with
Simple Constraints, 1982.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

# Share of the decrease promised by the slope that a trial must bring (Armijo).
_SUFFICIENT = 1e-4
# Cosine between a step and its change of gradient under which the pair is
# noise, or negative curvature, and is not remembered.
_CURVED = 1e-6


class State(NamedTuple):
  """The accepted picture, where it is going, and what it remembers."""

  image: Float[Array, "*s"]
  loss: Float[Array, ""]
  gradient: Float[Array, "*s"]
  direction: Float[Array, "*s"]
  length: Float[Array, ""]
  # The last pairs of steps and changes of gradient, the newest last, and one
  # over their inner product: 0 where there is none yet.
  steps: Float[Array, "m *s"]
  changes: Float[Array, "m *s"]
  curvatures: Float[Array, "m"]


def lbfgs(
  *,
  first_step: float,
  memory: int = 10,
  low: float = 0.0,
  high: float = 1.0,
) -> optax.GradientTransformationExtraArgs:
  """An optax transformation; `update` takes the loss as `value`.

  Whoever applies the updates clips to [low, high]. A pixel that lies on a bound
  and wants beyond it is held there (Bertsekas' two-metric projection), without
  which the direction could lead uphill.

  Args:
    first_step: mean size of the first step, before curvature is known, in
      pixel values.
    memory: pairs remembered.
    low, high: bounds of every value.
  """

  def init(image: Float[Array, "*s"]) -> State:
    pairs = jnp.zeros((memory, *image.shape), image.dtype)
    return State(
      image=jnp.copy(image),
      loss=jnp.full((), jnp.inf, image.dtype),
      gradient=jnp.zeros_like(image),
      direction=jnp.zeros_like(image),
      length=jnp.ones((), image.dtype),
      steps=pairs,
      changes=jnp.copy(pairs),
      curvatures=jnp.zeros(memory, image.dtype),
    )

  def update(gradient, state, params, *, value, **_):
    trial = params
    # Clipping can bend a step uphill, which earns it no higher loss.
    slope = jnp.minimum(0, _inner(state.gradient, trial - state.image))
    state = jax.lax.cond(
      value <= state.loss + _SUFFICIENT * slope, accept, shorten,
      gradient, state, trial, value, slope,
    )  # fmt: skip
    return state.image + state.length * state.direction - trial, state

  def accept(gradient, state, trial, value, slope):
    del slope
    state = _remember(state, trial - state.image, gradient - state.gradient)
    outward = ((trial <= low) & (gradient > 0)) | (
      (trial >= high) & (gradient < 0)
    )
    free_gradient = jnp.where(outward, 0, gradient)
    size = jnp.mean(jnp.abs(free_gradient))
    direction = -_precondition(
      free_gradient, state, first_step / jnp.maximum(size, 1e-30)
    )
    return state._replace(
      image=trial,
      loss=value,
      gradient=gradient,
      direction=jnp.where(outward, 0, direction),
      length=jnp.ones_like(state.length),
    )

  def shorten(gradient, state, trial, value, slope):
    del gradient, trial
    # The minimum of the parabola through what is known, held to a fair share.
    rise = value - state.loss
    share = jnp.clip(-slope / (2 * (rise - slope)), 0.1, 0.5)
    return state._replace(length=share * state.length)

  return optax.GradientTransformationExtraArgs(init, update)


def _remember(state, step, change):
  product = _inner(step, change)
  sizes = jnp.sqrt(_inner(step, step) * _inner(change, change))

  def push(memories, value):
    return jnp.concatenate([memories[1:], value[None]])

  def remembered():
    return state._replace(
      steps=push(state.steps, step),
      changes=push(state.changes, change),
      curvatures=push(state.curvatures, 1 / product),
    )

  return jax.lax.cond(product > _CURVED * sizes, remembered, lambda: state)


def _precondition(gradient, state, first_scale):
  """The inverse Hessian's estimate, times the gradient: the two loops."""
  memory = len(state.curvatures)
  shares = [None] * memory
  for i in reversed(range(memory)):
    shares[i] = state.curvatures[i] * _inner(state.steps[i], gradient)
    gradient = gradient - shares[i] * state.changes[i]
  newest = state.changes[-1]
  scale = jnp.where(
    state.curvatures[-1] > 0,
    1 / (state.curvatures[-1] * _inner(newest, newest)),
    first_scale,
  )
  gradient = scale * gradient
  for i in range(memory):
    back = state.curvatures[i] * _inner(state.changes[i], gradient)
    gradient = gradient + (shares[i] - back) * state.steps[i]
  return gradient


def _inner(left, right):
  return jnp.sum(left * right)
