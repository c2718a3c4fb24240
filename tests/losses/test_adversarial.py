"""Adversarial losses against numbers worked out by hand.

The discriminator's probability is D = sigmoid(logit): a logit of 0 means 1/2,
a logit of log 3 means 3/4.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import TypeCheckError

from astgan.losses import adversarial

LOG_2, LOG_3, LOG_4 = np.log([2, 3, 4])

GENERATOR_LOSSES = (
  adversarial.minimax_generator,
  adversarial.nonsaturating_generator,
  adversarial.least_squares_generator,
  adversarial.wasserstein_generator,
  adversarial.hinge_generator,
)
DISCRIMINATOR_LOSSES = (
  adversarial.logistic_discriminator,
  adversarial.least_squares_discriminator,
  adversarial.wasserstein_discriminator,
  adversarial.hinge_discriminator,
)
LOGISTIC_LOSSES = (
  adversarial.minimax_generator,
  adversarial.nonsaturating_generator,
  adversarial.logistic_discriminator,
)


def logits(*values):
  return jnp.array(values, jnp.float32)


def close(actual, expected, rtol=1e-6):
  expected = np.asarray(expected, np.float32)
  np.testing.assert_allclose(actual, expected, rtol=rtol, strict=True)


def count_logits(loss):
  """How many arrays of logits the loss takes."""
  return 1 if loss in GENERATOR_LOSSES else 2


def test_minimax_generator_is_the_log_of_one_minus_the_probability():
  close(adversarial.minimax_generator(logits(0, LOG_3)), [-LOG_2, -LOG_4])


def test_nonsaturating_generator_is_minus_the_log_of_the_probability():
  close(adversarial.nonsaturating_generator(logits(0, -LOG_3)), [LOG_2, LOG_4])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_logistic_discriminator_is_exact_where_it_is_sure(dtype):
  sure = jnp.array([9.0], dtype)
  losses = adversarial.logistic_discriminator(sure, -sure)
  assert losses.dtype == dtype
  # Of a sum that cancels, not one digit would be left in either half type.
  expected = np.float32([2 * np.log1p(np.exp(-9))])
  rtol = 4 * float(jnp.finfo(dtype).eps)
  close(losses.astype("float32"), expected, rtol=rtol)


def test_label_of_another_precision_takes_the_logits_own():
  losses = adversarial.logistic_discriminator(
    jnp.zeros(1, "bfloat16"),
    jnp.zeros(1, "bfloat16"),
    real_label=jnp.float32(0.85),
  )
  close(losses.astype("float32"), [2 * LOG_2], rtol=1e-2)


def test_logistic_discriminator_pays_log_2_for_each_image_it_cannot_tell():
  losses = adversarial.logistic_discriminator(logits(0), logits(0))
  close(losses, [2 * LOG_2])


def test_logistic_discriminator_pays_for_the_probability_of_the_wrong_answer():
  # Real: D = 3/4, so -log 3/4. Generated: D = 1/4, so -log(1 - 1/4).
  losses = adversarial.logistic_discriminator(logits(LOG_3), logits(-LOG_3))
  close(losses, [2 * np.log(4 / 3)])


def test_logistic_discriminator_weighs_both_answers_by_a_smoothed_label():
  # -0.85 log(3/4) - 0.15 log(1/4) for the real image, log 2 for the other.
  losses = adversarial.logistic_discriminator(
    logits(LOG_3), logits(0), real_label=0.85
  )
  close(losses, [0.85 * np.log(4 / 3) + 0.15 * LOG_4 + LOG_2])


def test_logistic_discriminator_smooths_the_label_of_generated_images_alone():
  # log 2 for the real image, -0.1 log(3/4) - 0.9 log(1/4) for the other.
  losses = adversarial.logistic_discriminator(
    logits(0), logits(LOG_3), fake_label=0.1
  )
  close(losses, [LOG_2 + 0.1 * np.log(4 / 3) + 0.9 * LOG_4])


def test_logistic_discriminator_is_content_with_a_real_image_at_its_label():
  # The cross-entropy with a label of 3/4 is least at D = 3/4.
  def loss(real):
    return adversarial.logistic_discriminator(
      real, logits(0), real_label=0.75
    ).sum()

  slope = jax.grad(loss)(logits(LOG_3))
  np.testing.assert_allclose(slope, np.float32([0]), atol=1e-7, strict=True)


def test_logistic_discriminator_takes_a_label_computed_on_the_device():
  @jax.jit
  def loss(label):
    return adversarial.logistic_discriminator(
      logits(LOG_3), logits(0), real_label=label
    )

  expected = [0.85 * np.log(4 / 3) + 0.15 * LOG_4 + LOG_2]
  close(loss(jnp.float32(0.85)), expected)


def test_least_squares_generator_is_half_the_square_to_the_real_label():
  close(adversarial.least_squares_generator(logits(3, 1)), [2, 0])


def test_least_squares_generator_may_aim_at_another_label():
  close(adversarial.least_squares_generator(logits(3), real_label=0.0), [4.5])


def test_least_squares_discriminator_halves_the_squares_to_both_labels():
  # (3 - 1)^2 / 2 + (2 - 0)^2 / 2
  losses = adversarial.least_squares_discriminator(logits(3), logits(2))
  close(losses, [4])


def test_least_squares_discriminator_may_aim_at_other_labels():
  # (3 - 2)^2 / 2 + (2 + 1)^2 / 2
  losses = adversarial.least_squares_discriminator(
    logits(3), logits(2), real_label=2.0, fake_label=-1.0
  )
  close(losses, [5])


def test_wasserstein_generator_is_minus_the_score():
  close(adversarial.wasserstein_generator(logits(3, -2)), [-3, 2])


def test_wasserstein_discriminator_is_the_generated_minus_the_real_score():
  losses = adversarial.wasserstein_discriminator(logits(3), logits(-2))
  close(losses, [-5])


def test_hinge_generator_is_minus_the_score():
  close(adversarial.hinge_generator(logits(3, -2)), [-3, 2])


def test_hinge_discriminator_pays_within_the_margins_only():
  real, fake = logits(0.25, 1, 3), logits(-3, -1, 0.5)
  # 0.75 + 0, 0 + 0, 0 + 1.5
  close(adversarial.hinge_discriminator(real, fake), [0.75, 0, 1.5])


def test_hinge_discriminator_may_have_another_margin():
  # max(0, 3 - 1) + max(0, 3 - 4)
  losses = adversarial.hinge_discriminator(logits(1), logits(-4), margin=3.0)
  close(losses, [2])


@pytest.mark.parametrize("loss", LOGISTIC_LOSSES)
@pytest.mark.parametrize("sign", [-1, 1])
def test_huge_logits_neither_overflow_nor_lose_their_slope(loss, sign):
  arguments = [logits(1e4 * sign)] * count_logits(loss)
  value, slope = jax.value_and_grad(lambda *x: loss(*x).sum())(*arguments)
  assert np.isfinite(value) and np.isfinite(slope)


def test_a_certain_discriminator_leaves_the_minimax_generator_no_gradient():
  # d log(1 - sigmoid(x)) / dx = -sigmoid(x)
  slope = jax.grad(lambda x: adversarial.minimax_generator(x).sum())
  close(slope(logits(-LOG_3)), [-0.25])
  assert abs(slope(logits(-50))) < 1e-20


def test_a_certain_discriminator_leaves_the_nonsaturating_generator_its_all():
  # -d log sigmoid(x) / dx = sigmoid(x) - 1
  slope = jax.grad(lambda x: adversarial.nonsaturating_generator(x).sum())
  close(slope(logits(-LOG_3, -50)), [-0.75, -1])


@pytest.mark.parametrize("loss", GENERATOR_LOSSES + DISCRIMINATOR_LOSSES)
def test_permuting_the_batch_permutes_the_losses(loss):
  arguments = np.float32([[0.3, -1.2, 2.0], [0.9, 0.1, -0.4]])
  arguments = jnp.asarray(arguments[: count_logits(loss)])
  order = np.array([2, 0, 1])
  losses = np.asarray(loss(*arguments))
  assert len(set(losses.tolist())) == 3
  close(loss(*arguments[:, order]), losses[order])


@pytest.mark.parametrize("loss", GENERATOR_LOSSES + DISCRIMINATOR_LOSSES)
def test_traced_once_under_jit(loss):
  traces = []

  @jax.jit
  def counted(*arguments):
    traces.append(loss)
    return loss(*arguments)

  for value in (0.0, 1.0):
    counted(*[logits(value, 2)] * count_logits(loss))
  assert len(traces) == 1


@pytest.mark.parametrize("loss", GENERATOR_LOSSES + DISCRIMINATOR_LOSSES)
def test_a_column_of_logits_is_refused(loss):
  with pytest.raises(TypeCheckError):
    loss(*[jnp.zeros((3, 1))] * count_logits(loss))


@pytest.mark.parametrize("loss", DISCRIMINATOR_LOSSES)
def test_unequal_numbers_of_real_and_generated_logits_are_refused(loss):
  with pytest.raises(TypeCheckError):
    loss(jnp.zeros(3), jnp.zeros(1))
