"""Box-constrained L-BFGS on functions whose minimum is known."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from astgan.nst import lbfgs

HESSIAN = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, 1.0], [0.5, 1.0, 5.0]])


OPTIMIZER = lbfgs.lbfgs(initial_step=0.1)


def minimise(function, start, *, evaluations):
  """The states after each evaluation, as numpy arrays."""

  @jax.jit
  def step(x, state):
    value, gradient = jax.value_and_grad(function)(x)
    updates, state = OPTIMIZER.update(gradient, state, x, value=value)
    return jnp.clip(optax.apply_updates(x, updates), 0, 1), state

  x = jnp.asarray(start, jnp.float32)
  state = OPTIMIZER.init(x)
  states = []
  for _ in range(evaluations):
    x, state = step(x, state)
    states.append(jax.device_get(state))
  return states


def rosenbrock(x):
  """With its minimum moved to (0.5, 0.25)."""
  return (0.5 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


def quadratic(x):
  """Of this Hessian and of minimum 0."""
  return x @ jnp.asarray(HESSIAN, jnp.float32) @ x / 2


def close(actual, expected, **tolerance):
  expected = np.asarray(expected, "float32")
  np.testing.assert_allclose(actual, expected, strict=True, **tolerance)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_rosenbrock_is_minimised_at_any_scale_of_the_loss(scale):
  last = minimise(lambda x: scale * rosenbrock(x), [0.9, 0.1], evaluations=60)
  close(last[-1].image, [0.5, 0.25], atol=1e-3)


def test_accepted_losses_never_increase_and_belong_to_the_accepted_images():
  states = minimise(rosenbrock, [0.9, 0.1], evaluations=60)
  losses = np.array([state.loss for state in states])
  assert np.all(np.diff(losses) <= 0)
  expected = [rosenbrock(state.image.astype("float64")) for state in states]
  close(losses, expected, rtol=1e-3, atol=1e-6)


def test_a_bounded_quadratic_meets_the_optimality_conditions():
  # With x1 = 1 and x = c + d: H_ff d_f = -H_f1 (1 - c1).
  centre = jnp.array([0.4, 1.5, 0.5])
  away = np.linalg.solve(HESSIAN[::2, ::2], -HESSIAN[::2, 1] * (1 - 1.5))
  last = minimise(
    lambda x: quadratic(x - centre), [0.1, 0.1, 0.9], evaluations=25
  )
  close(last[-1].image, [0.4 + away[0], 1.0, 0.5 + away[1]], atol=1e-3)


def test_the_direction_is_that_of_bfgs_with_matrices():
  # Nocedal and Wright, equation 7.16, from the same pairs in float64.
  centre = jnp.array([0.3, 0.6, 0.5])
  states = minimise(
    lambda x: quadratic(x - centre), [0.9, 0.1, 0.1], evaluations=6
  )
  state = jax.tree.map(lambda x: x.astype("float64"), states[-1])
  assert (state.rho > 0).sum() >= 3
  s, y = state.s[-1], state.y[-1]
  inverse = np.eye(3) * (s @ y) / (y @ y)
  for s, y, rho in zip(state.s, state.y, state.rho, strict=True):
    v = np.eye(3) - rho * np.outer(y, s)
    inverse = v.T @ inverse @ v + rho * np.outer(s, s)
  np.testing.assert_allclose(
    state.direction, -inverse @ state.gradient, rtol=1e-3, strict=True
  )


def test_the_first_direction_has_the_mean_size_of_the_initial_step():
  slopes = jnp.array([1.0, 3.0])
  first = minimise(lambda x: slopes @ x, [0.5, 0.5], evaluations=1)
  close(first[0].direction, [-0.05, -0.15], rtol=1e-6)


def test_negative_curvature_is_not_stored():
  hill = minimise(lambda x: -jnp.sum((x - 0.5) ** 2), [0.6, 0.7], evaluations=9)
  close(hill[-1].rho, np.zeros(10))
  close(hill[-1].image, [1, 1])


def test_a_step_that_clipping_turned_uphill_may_not_increase_the_loss():
  image, trial = jnp.array([0.5]), jnp.array([0.9])
  gradient = jnp.array([1.0])
  state = OPTIMIZER.init(image)
  state = state._replace(loss=jnp.float32(1), gradient=gradient)
  # Less than the Armijo bound of an uphill slope, 1 + 0.4 * 1e-4.
  _, state = OPTIMIZER.update(
    gradient, state, trial, value=jnp.float32(1.00002)
  )
  close(state.image, image)
