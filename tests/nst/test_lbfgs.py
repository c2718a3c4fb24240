"""Box-constrained L-BFGS on functions whose minimum is known."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from astgan.nst import lbfgs

HESSIAN = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, 1.0], [0.5, 1.0, 5.0]])
OPTIMIZER = lbfgs.lbfgs(initial_step=0.1)


def minimise(function, start, evaluations):
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


def quadratic(x):
  return x @ jnp.asarray(HESSIAN, jnp.float32) @ x / 2


def close(actual, expected, **tolerance):
  expected = np.asarray(expected, "float32")
  np.testing.assert_allclose(actual, expected, strict=True, **tolerance)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_rosenbrock_is_minimised_at_any_scale_and_no_loss_increases(scale):
  def function(x):
    # Its minimum is moved to (0.5, 0.25).
    return scale * ((0.5 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2)

  states = minimise(function, [0.9, 0.1], 60)
  close(states[-1].image, [0.5, 0.25], atol=1e-3)
  losses = np.array([state.loss for state in states])
  assert np.all(np.diff(losses) <= 0)
  expected = [function(state.image.astype("float64")) for state in states]
  close(losses, expected, rtol=1e-3, atol=1e-6 * scale)


def test_a_bounded_quadratic_meets_the_optimality_conditions():
  # With x1 = 1 and x = c + d: H_ff d_f = -H_f1 (1 - c1).
  centre = jnp.array([0.4, 1.5, 0.5])
  away = np.linalg.solve(HESSIAN[::2, ::2], -HESSIAN[::2, 1] * (1 - 1.5))
  states = minimise(lambda x: quadratic(x - centre), [0.1, 0.1, 0.9], 25)
  close(states[-1].image, [0.4 + away[0], 1.0, 0.5 + away[1]], atol=1e-3)


def test_the_direction_is_that_of_bfgs_with_matrices():
  # Nocedal and Wright, equation 7.16, from the same pairs in float64.
  centre = jnp.array([0.3, 0.6, 0.5])
  states = minimise(lambda x: quadratic(x - centre), [0.9, 0.1, 0.1], 6)
  state = jax.tree.map(lambda x: x.astype("float64"), states[-1])
  assert (state.rho > 0).sum() >= 3
  s, y = state.s[-1], state.y[-1]
  inverse = np.eye(3) * (s @ y) / (y @ y)
  for s, y, rho in zip(state.s, state.y, state.rho, strict=True):
    v = np.eye(3) - rho * np.outer(y, s)
    inverse = v.T @ inverse @ v + rho * np.outer(s, s)
  close(states[-1].direction, -inverse @ state.gradient, rtol=1e-3)


def test_the_first_direction_has_the_mean_size_of_the_initial_step():
  slopes = jnp.array([1.0, 3.0])
  first = minimise(lambda x: slopes @ x, [0.5, 0.5], 1)
  close(first[0].direction, [-0.05, -0.15], rtol=1e-6)


def test_negative_curvature_is_not_stored():
  hill = minimise(lambda x: -jnp.sum((x - 0.5) ** 2), [0.6, 0.7], 9)
  close(hill[-1].rho, np.zeros(10))
  close(hill[-1].image, [1, 1])


def test_a_step_that_clipping_turned_uphill_may_not_increase_the_loss():
  image, trial, gradient = jnp.array([[0.5], [0.9], [1.0]])
  state = OPTIMIZER.init(image)
  state = state._replace(loss=jnp.float32(1), gradient=gradient)
  # Less than the Armijo bound of an uphill slope, 1 + 0.4 * 1e-4.
  value = jnp.float32(1.00002)
  _, state = OPTIMIZER.update(gradient, state, trial, value=value)
  close(state.image, image)
