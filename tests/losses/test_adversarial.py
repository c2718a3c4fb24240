"""Adversarial losses against numbers worked out by hand.

The discriminator's probability is D = sigmoid(logit): a logit of 0 means 1/2,
a logit of log 3 means 3/4.
"""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import TypeCheckError

from astgan.losses import adversarial

LOG_2, LOG_3, LOG_4 = np.log([2, 3, 4])
LOG_4_3 = LOG_4 - LOG_3
SMOOTH = 0.85 * LOG_4_3 + 0.15 * LOG_4 + LOG_2
OTHER_LABELS = {"real_label": 2.0, "fake_label": -1.0}
# The real logit exceeds the other by 0, log 3 and -log 3.
PAIRS = [[5, 2 + LOG_3, 0], [5, 2, LOG_3]]

# Logits and losses.
CASES = [
  # log(1 - D)
  ("minimax_generator", [[0, LOG_3]], {}, [-LOG_2, -LOG_4]),
  # -log D
  ("nonsaturating_generator", [[0, -LOG_3]], {}, [LOG_2, LOG_4]),
  # 2 log 2, then -log(3/4) - log(1 - 1/4)
  ("logistic_discriminator", [[0], [0]], {}, [2 * LOG_2]),
  ("logistic_discriminator", [[LOG_3], [-LOG_3]], {}, [2 * LOG_4_3]),
  # -t log(3/4) - (1 - t) log(1/4) for the label t, log 2 for the other image
  ("logistic_discriminator", [[LOG_3], [0]], {"real_label": 0.85}, [SMOOTH]),
  ("logistic_discriminator", [[0], [LOG_3]], {"fake_label": 0.85}, [SMOOTH]),
  # (x - 1)^2 / 2, then x^2 / 2
  ("least_squares_generator", [[3, 1]], {}, [2, 0]),
  ("least_squares_generator", [[3]], {"real_label": 0.0}, [4.5]),
  # (3 - 1)^2 / 2 + (2 - 0)^2 / 2, then (3 - 2)^2 / 2 + (2 + 1)^2 / 2
  ("least_squares_discriminator", [[3], [2]], {}, [4]),
  ("least_squares_discriminator", [[3], [2]], OTHER_LABELS, [5]),
  ("wasserstein_generator", [[3, -2]], {}, [-3, 2]),
  ("wasserstein_discriminator", [[3], [-2]], {}, [-5]),
  ("hinge_generator", [[3, -2]], {}, [-3, 2]),
  # 0.75 + 0, 0 + 0, 0 + 1.5; then max(0, 3 - 1) + max(0, 3 - 4)
  ("hinge_discriminator", [[0.25, 1, 3], [-3, -1, 0.5]], {}, [0.75, 0, 1.5]),
  ("hinge_discriminator", [[1], [-4]], {"margin": 3.0}, [2]),
  # log(1 + exp(real - fake)), then log(1 + exp(fake - real))
  ("relativistic_generator", PAIRS, {}, [LOG_2, LOG_4, LOG_4_3]),
  ("relativistic_discriminator", PAIRS, {}, [LOG_2, LOG_4_3, LOG_4]),
]
# Each loss and the number of its arguments.
LOSSES = {name: len(values) for name, values, *_ in CASES}


def logits(values):
  return jnp.asarray(values, jnp.float32)


def close(actual, expected, rtol=1e-6):
  expected = np.asarray(expected, np.float32)
  np.testing.assert_allclose(actual, expected, rtol=rtol, strict=True)


@pytest.mark.parametrize(("name", "values", "options", "expected"), CASES)
def test_the_loss_is_the_number_worked_out_by_hand(
  name, values, options, expected
):
  loss = getattr(adversarial, name)
  close(jax.jit(lambda *x: loss(*x, **options))(*map(logits, values)), expected)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_logistic_discriminator_takes_a_noisy_label_per_example(dtype):
  real, labels = jnp.full(3, LOG_3, dtype), logits([1, 0.5, 0])
  losses = adversarial.logistic_discriminator(
    real, -real, real_label=labels, fake_label=labels[::-1]
  )
  assert losses.dtype == dtype
  # -log(3/4), the mean of both logarithms and -log(1/4), twice each.
  expected = [2 * LOG_4_3, LOG_4_3 + LOG_4, 2 * LOG_4]
  rtol = 4 * float(jnp.finfo(dtype).eps)
  close(losses.astype("float32"), expected, rtol=rtol)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_logistic_discriminator_is_exact_where_it_is_sure(dtype):
  sure = jnp.array([9.0], dtype)
  losses = adversarial.logistic_discriminator(sure, -sure)
  assert losses.dtype == dtype
  # Of a sum that cancels, not one digit would be left in either half type.
  rtol = 4 * float(jnp.finfo(dtype).eps)
  close(losses.astype("float32"), [2 * np.log1p(np.exp(-9))], rtol=rtol)


@pytest.mark.parametrize(
  "name", [n for n in LOSSES if re.match("minimax|nonsat|logistic|relativ", n)]
)
@pytest.mark.parametrize("sign", [-1, 1])
def test_huge_logits_neither_overflow_nor_lose_their_slope(name, sign):
  loss = getattr(adversarial, name)
  arguments = [logits([1e4 * sign]), logits([-1e4 * sign])][: LOSSES[name]]
  value, slope = jax.value_and_grad(lambda *x: loss(*x).sum())(*arguments)
  assert np.isfinite(value) and np.isfinite(slope)


def test_a_certain_discriminator_stops_the_minimax_generator_alone():
  # d log(1 - sigmoid(x)) / dx = -sigmoid(x), -d log sigmoid(x) / dx is 1 less.
  points = logits([-LOG_3, -50])
  slope = jax.grad(lambda x: adversarial.minimax_generator(x).sum())(points)
  np.testing.assert_allclose(
    slope, np.float32([-0.25, 0]), atol=1e-7, strict=True
  )
  slope = jax.grad(lambda x: adversarial.nonsaturating_generator(x).sum())
  close(slope(points), [-0.75, -1])


@pytest.mark.parametrize(("name", "count"), LOSSES.items())
def test_a_column_of_logits_is_refused(name, count):
  with pytest.raises(TypeCheckError):
    getattr(adversarial, name)(*[jnp.zeros((3, 1))] * count)
