"""L-BFGS in a box, on functions whose minimum is known."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from astgan.nst import lbfgs


def minimise(function, start, *, evaluations, first_step=0.1):
  """The states after each evaluation."""
  optimizer = lbfgs.lbfgs(first_step=first_step)

  @jax.jit
  def step(x, state):
    value, gradient = jax.value_and_grad(function)(x)
    updates, state = optimizer.update(gradient, state, x, value=value)
    return jnp.clip(optax.apply_updates(x, updates), 0, 1), state

  x = jnp.asarray(start, jnp.float32)
  state = optimizer.init(x)
  states = []
  for _ in range(evaluations):
    x, state = step(x, state)
    states.append(state)
  return states


def valley(x):
  """Rosenbrock's valley, its minimum moved to (0.5, 0.25)."""
  return (0.5 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


def test_a_bent_valley_is_followed_to_its_end():
  last = minimise(valley, [0.9, 0.1], evaluations=60)[-1]
  np.testing.assert_allclose(last.image, [0.5, 0.25], atol=1e-3)


def test_accepted_losses_only_fall():
  losses = [s.loss for s in minimise(valley, [0.9, 0.1], evaluations=60)]
  assert np.all(np.diff(losses) <= 0)


def test_a_step_that_was_bent_uphill_may_not_raise_the_loss():
  optimizer = lbfgs.lbfgs(first_step=0.1)
  image, trial = jnp.array([0.5, 0.5]), jnp.array([0.9, 0.5])
  gradient = jnp.array([1.0, 0.0])
  accepted = optimizer.init(image)._replace(
    loss=jnp.float32(1), gradient=gradient
  )
  # Less than the slope's 0.4 times the share of 1e-4.
  _, state = optimizer.update(
    gradient, accepted, trial, value=jnp.float32(1.00002)
  )
  np.testing.assert_array_equal(state.image, image)


def test_the_accepted_loss_is_that_of_the_accepted_picture():
  for state in minimise(valley, [0.9, 0.1], evaluations=30):
    np.testing.assert_allclose(state.loss, valley(state.image), rtol=1e-3)


# A quadratic bowl that couples its three coordinates.
HESSIAN = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, 1.0], [0.5, 1.0, 5.0]])


def bowl(centre):
  def function(x):
    away = x - jnp.asarray(centre, jnp.float32)
    return away @ jnp.asarray(HESSIAN, jnp.float32) @ away / 2

  return function


def test_a_bowl_in_three_dimensions_takes_a_dozen_evaluations():
  last = minimise(bowl([0.3, 0.6, 0.5]), [0.9, 0.1, 0.1], evaluations=12)[-1]
  np.testing.assert_allclose(last.image, [0.3, 0.6, 0.5], atol=1e-3)


def test_a_minimum_outside_the_box_is_found_on_its_face():
  # With x1 held at 1: H_ff (x_f - c_f) = -H_f1 (1 - c1), worked out for
  # c = (0.4, 1.5, 0.5).
  free = [0, 2]
  away = np.linalg.solve(
    HESSIAN[np.ix_(free, free)], -HESSIAN[free, 1] * (1 - 1.5)
  )
  expected = [0.4 + away[0], 1.0, 0.5 + away[1]]
  last = minimise(bowl([0.4, 1.5, 0.5]), [0.1, 0.1, 0.9], evaluations=25)[-1]
  np.testing.assert_allclose(last.image, expected, atol=1e-3)


def test_the_first_step_has_the_size_asked_for():
  def slope(x):
    return jnp.sum(x * jnp.array([1.0, 3.0]))

  first = minimise(slope, [0.5, 0.5], evaluations=1, first_step=0.1)[0]
  # In proportion to the gradient, 0.1 on average.
  np.testing.assert_allclose(first.direction, [-0.05, -0.15], rtol=1e-6)


def test_negative_curvature_is_not_remembered():
  def hill(x):
    return -jnp.sum((x - 0.5) ** 2)

  last = minimise(hill, [0.6, 0.7], evaluations=10)[-1]
  np.testing.assert_array_equal(last.curvatures, np.zeros(10, "float32"))
  np.testing.assert_allclose(last.image, [1, 1])


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_the_scale_of_the_loss_does_not_matter(scale):
  last = minimise(lambda x: scale * valley(x), [0.9, 0.1], evaluations=60)[-1]
  np.testing.assert_allclose(last.image, [0.5, 0.25], atol=1e-3)
