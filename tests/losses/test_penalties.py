"""Gradient penalties of scores whose gradients are known in closed form."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan.losses import penalties

# The gradient norm of `linear` with these weights is 5.
WEIGHTS = jnp.array([3.0, 4.0])


def close(actual, expected, **options):
  expected = np.asarray(expected, np.float32)
  options = {"rtol": 1e-6, **options}
  np.testing.assert_allclose(actual, expected, strict=True, **options)


def draw(*shape, seed=0):
  return jnp.asarray(np.random.default_rng(seed).normal(size=shape), "float32")


def half_squared_norm(x):
  """A score whose gradient is the image itself."""
  return jnp.sum(x**2, axis=tuple(range(1, x.ndim))) / 2


def linear(weights):
  """A score whose gradient is the weights everywhere."""
  return lambda x: x @ weights


def linear_penalty(weights, **options):
  """The gradient penalty of `linear`, wherever the images lie."""
  return penalties.gradient_penalty(
    linear(weights), draw(1, 2), draw(1, 2, seed=1), draw(1), **options
  )[0]


@pytest.mark.parametrize(
  ("images", "expected"),
  [
    (jnp.array([[3.0, 4.0], [0.0, 1.0]]), [25, 1]),
    (jnp.full((2, 4, 5, 3), 2.0), [240, 240]),
    # The squares, 2^-26 and 2^18, are none of float16.
    (jnp.full((1, 2, 2, 3), 2.0**-13, "float16"), [12 * 2.0**-26]),
    (jnp.full((1, 2, 2, 3), 2.0**9, "float16"), [12 * 2.0**18]),
  ],
)
def test_r1_of_half_the_squared_norm_is_the_squared_norm(images, expected):
  close(jax.jit(lambda x: penalties.r1(half_squared_norm, x))(images), expected)


def test_the_gradients_of_the_penalties_are_the_closed_forms():
  # grad |x|^2 = 2 x
  penalty = jax.grad(lambda x: jnp.sum(penalties.r1(half_squared_norm, x)))
  close(penalty(draw(3, 4)), 2 * draw(3, 4))
  # d (|w| - 1)^2 / dw = 2 (|w| - 1) w / |w| = 2 * 4 * (0.6, 0.8)
  close(jax.grad(linear_penalty)(WEIGHTS), [4.8, 6.4])


@pytest.mark.parametrize(
  ("options", "expected"),
  [({}, 16), ({"target": 0.0}, 25), ({"target": 5.0}, 0), ({"target": 7.0}, 4)],
)
def test_gradient_penalty_is_the_squared_distance_of_the_gradient_norm(
  options, expected
):
  close(linear_penalty(WEIGHTS, **options), expected, atol=1e-6)


def test_gradient_penalty_mixes_each_pair_by_its_own_share():
  real, fake = jnp.full((3, 2, 2, 1), 3.0), jnp.full((3, 2, 2, 1), 1.0)
  penalty = penalties.gradient_penalty(
    half_squared_norm, real, fake, jnp.array([0.0, 0.5, 1.0])
  )
  # Norms are the root of 4 squares of 1, of 2 and of 3: 2, 4 and 6.
  close(penalty, [1, 9, 25])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_gradient_penalty_can_be_trained_on_where_the_gradient_is_zero(dtype):
  images, alpha = jnp.zeros((1, 2), dtype), jnp.full(1, 0.5, jnp.float32)

  def penalty(weights):
    return penalties.gradient_penalty(linear(weights), images, images, alpha)[0]

  value, slope = jax.value_and_grad(penalty)(jnp.zeros(2, dtype))
  close(value, 1, rtol=1e-5)
  close(slope.astype("float32"), [0, 0])
