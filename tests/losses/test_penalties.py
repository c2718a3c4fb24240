"""Gradient penalties of scores whose gradients are known in closed form."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import TypeCheckError

from astgan.losses import penalties


def close(actual, expected, rtol=1e-6):
  expected = np.asarray(expected, np.float32)
  np.testing.assert_allclose(actual, expected, rtol=rtol, strict=True)


def draw(*shape, seed=0):
  return jnp.asarray(np.random.default_rng(seed).normal(size=shape), "float32")


def half_squared_norm(x):
  """A score whose gradient is the image itself."""
  return jnp.sum(x**2, axis=tuple(range(1, x.ndim))) / 2


def linear(weights):
  """A score whose gradient is the weights everywhere."""
  return lambda x: x @ weights


def test_r1_of_half_the_squared_norm_is_the_squared_norm():
  points = jnp.array([[3.0, 4.0], [0.0, 1.0]])
  close(penalties.r1(half_squared_norm, points), [25, 1])


def test_r1_sums_over_every_axis_of_an_image():
  images = jnp.full((2, 4, 5, 3), 2.0)
  close(penalties.r1(half_squared_norm, images), [240, 240])


@pytest.mark.parametrize("value", [2.0**-13, 2.0**9])
def test_r1_of_float16_neither_vanishes_nor_overflows(value):
  # The squares, 2^-26 and 2^18, are none of float16.
  images = jnp.full((1, 2, 2, 3), value, jnp.float16)
  close(penalties.r1(half_squared_norm, images), [12 * value**2])


def test_r1_of_a_constant_score_is_zero():
  close(penalties.r1(lambda x: jnp.ones(x.shape[0]), draw(3, 4)), [0, 0, 0])


def test_gradient_of_r1_is_twice_the_image():
  # grad |x|^2 = 2 x: the penalty itself can be trained on.
  points = draw(3, 4)
  gradient = jax.grad(lambda x: jnp.sum(penalties.r1(half_squared_norm, x)))(
    points
  )
  close(gradient, 2 * points)


def test_gradient_penalty_of_a_linear_score_is_its_squared_distance():
  # |w| = 5, (5 - 1)^2, wherever the images lie.
  penalty = penalties.gradient_penalty(
    linear(jnp.array([3.0, 4.0])), draw(3, 2), draw(3, 2, seed=1), draw(3)
  )
  close(penalty, [16, 16, 16])


@pytest.mark.parametrize(
  ("target", "expected"), [(0.0, 25), (5.0, 0), (7.0, 4)]
)
def test_gradient_penalty_may_want_another_slope(target, expected):
  penalty = penalties.gradient_penalty(
    linear(jnp.array([3.0, 4.0])),
    draw(1, 2),
    draw(1, 2, seed=1),
    draw(1),
    target=target,
  )
  np.testing.assert_allclose(
    penalty, np.float32([expected]), atol=1e-6, strict=True
  )


def test_gradient_penalty_measures_between_the_two_images():
  # The slope of |x|^2 / 2 is |x|; 1/4 of (8, 0) and 3/4 of (0, 8) are (2, 6).
  penalty = penalties.gradient_penalty(
    half_squared_norm,
    jnp.array([[8.0, 0.0]]),
    jnp.array([[0.0, 8.0]]),
    jnp.array([0.25]),
    target=0.0,
  )
  close(penalty, [40])


def test_gradient_penalty_mixes_each_pair_by_its_own_share():
  real, fake = jnp.full((2, 2, 2, 1), 3.0), jnp.full((2, 2, 2, 1), 1.0)
  penalty = penalties.gradient_penalty(
    half_squared_norm, real, fake, jnp.array([0.0, 1.0])
  )
  # Slopes are the root of 4 squares of 1, then of 3: 2 and 6.
  close(penalty, [1, 25])


def test_gradient_penalty_can_be_trained_on_where_the_slope_is_zero():
  def penalty(weights):
    return jnp.sum(
      penalties.gradient_penalty(
        linear(weights), draw(2, 3), draw(2, 3, seed=1), draw(2)
      )
    )

  assert np.all(np.isfinite(jax.grad(penalty)(jnp.zeros(3))))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_gradient_penalty_of_half_types_can_be_trained_on(dtype):
  images = jnp.zeros((1, 2), dtype)

  def penalty(slope):
    score = linear(jnp.stack([slope, slope]))
    alpha = jnp.full(1, 0.5, jnp.float32)
    return penalties.gradient_penalty(score, images, images, alpha)[0]

  value, slope = jax.value_and_grad(penalty)(jnp.zeros((), dtype))
  close(value, 1, rtol=1e-5)
  assert slope == 0


def test_gradient_of_the_gradient_penalty_is_the_closed_form():
  # d (|w| - 1)^2 / dw = 2 (|w| - 1) w / |w| = 2 * 4 * (0.6, 0.8)
  def penalty(weights):
    return penalties.gradient_penalty(
      linear(weights), draw(1, 2), draw(1, 2, seed=1), draw(1)
    )[0]

  close(jax.grad(penalty)(jnp.array([3.0, 4.0])), [4.8, 6.4])


def test_permuting_the_batch_permutes_the_penalties():
  real, fake, alpha = draw(3, 4), draw(3, 4, seed=1), draw(3, seed=2)
  order = np.array([2, 0, 1])
  penalty = penalties.gradient_penalty(half_squared_norm, real, fake, alpha)
  permuted = penalties.gradient_penalty(
    half_squared_norm, real[order], fake[order], alpha[order]
  )
  close(permuted, np.asarray(penalty)[order])


def test_traced_once_under_jit():
  traces = []

  @jax.jit
  def counted(real, fake, alpha):
    traces.append(1)
    penalty = penalties.gradient_penalty(half_squared_norm, real, fake, alpha)
    return penalty + penalties.r1(half_squared_norm, real)

  for seed in (0, 1):
    counted(draw(3, 4, seed=seed), draw(3, 4, seed=2), draw(3, seed=3))
  assert len(traces) == 1


def test_images_of_unequal_shapes_are_refused():
  with pytest.raises(TypeCheckError):
    penalties.gradient_penalty(
      half_squared_norm, draw(3, 4), draw(3, 1), draw(3)
    )
