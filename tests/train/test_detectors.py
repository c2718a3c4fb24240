"""The rules, on curves of trainings that failed and of healthy ones."""

import math

import numpy as np
import pytest

from astgan import history
from astgan.train import detectors
from configs import common

LIMITS = common.detection()
METRIC = "kernel_random"


def simulate(steps=2000, every=10, **curves):
  """The history of a run whose scalars are functions of the step.

  Names have `__` for `/`, and d and g for the networks.
  """
  networks = {"d": "discriminator", "g": "generator"}
  seen = history.History()
  for step in range(every, steps + 1, every):
    line = {"step": step}
    for name, curve in curves.items():
      network, _, rest = name.partition("__")
      name = f"{networks[network]}/{rest}" if rest else name
      line[name] = float(curve(step) if callable(curve) else curve)
    seen.append(line)
  return seen


def found(seen, **changes):
  limits = common.detection()
  limits.update(changes)
  return set(detectors.detect(seen, limits, metric=METRIC))


def evaluate(**values):
  """The history of evaluations each 500 steps."""
  seen = history.History()
  for number, row in enumerate(zip(*values.values(), strict=True)):
    seen.append(
      {"step": 500 * (number + 1)} | dict(zip(values, row, strict=True))
    )
  return seen


PINNED = {"d__real_accuracy": 1, "d__fake_accuracy": 1}


@pytest.mark.parametrize(
  ("curves", "expected"),
  [
    (
      PINNED | {"d__real_logit": 9, "d__fake_logit": -9},
      "pinned_discriminator",
    ),
    (
      {"d__real_logit": lambda s: math.exp(s / 200), "d__fake_logit": 0},
      "diverging_logits",
    ),
    ({"g__gradient_norm": 0}, "dead_generator"),
    ({"g__gradient_norm": 1e-9}, "dead_generator"),
    ({"d__gradient_norm": 0}, "dead_discriminator"),
    (
      {"d__real_accuracy": 1, "d__fake_accuracy": 0},
      "blind_discriminator",
    ),
    (
      {"d__real_accuracy": 0, "d__fake_accuracy": 1},
      "blind_discriminator",
    ),
  ],
)
def test_a_failure_is_found_after_its_patience_and_not_before(curves, expected):
  assert found(simulate(**curves)) == {expected}
  if expected != "diverging_logits":
    assert found(simulate(steps=LIMITS.patience - 10, **curves)) == set()
    assert found(simulate(steps=LIMITS.patience, **curves)) == {expected}


noise = np.random.default_rng(0).standard_normal(100_000)


@pytest.mark.parametrize(
  "curves",
  [
    # Undecided, as the theory has it.
    {"d__real_accuracy": 0.5, "d__fake_accuracy": 0.5},
    # Right but for one image in a thousand lines of 64.
    {
      "d__real_accuracy": lambda s: 1 - (s % 500 == 0) / 64,
      "d__fake_accuracy": 1,
      "d__real_logit": 12,
      "d__fake_logit": -12,
    },
    # Always right, and not sure of it.
    PINNED | {"d__real_logit": 3, "d__fake_logit": -3},
    # A critic: any offset, a gap that rises to the distance and falls again.
    {
      "d__real_logit": lambda s: 5000 + 200 * (s / 300) * math.exp(-s / 300),
      "d__fake_logit": 5000,
      "d__gradient_norm": 1e-3,
    },
    # A critic at the start: the gap doubles all the time, from next to nothing.
    {
      "d__real_logit": lambda s: min(150, 2 ** (s / 150 - 9)),
      "d__fake_logit": 0,
    },
    # Large logits that do not grow.
    {"d__real_logit": lambda s: 3000 + noise[s], "d__fake_logit": 0},
    # Gradients that come back.
    {"g__gradient_norm": lambda s: 1.0 * (s % 400 == 0)},
    {"g__gradient_norm": 1e-5, "d__gradient_norm": 1e-5},
    # No scalar of a GAN at all.
    {"loss": 1.0},
  ],
)
def test_a_healthy_curve_is_left_alone(curves):
  for steps in range(500, 4001, 500):
    assert found(simulate(steps=steps, **curves)) == set()


@pytest.mark.parametrize(
  ("name", "values", "expected"),
  [
    # Collapsed late, and constant from the start.
    ("diversity_random_9", [0.5, 0.9, 0.1, 0.1, 0.05], {"low_diversity"}),
    ("diversity_random_9", [0.0, 0.0, 0.0], {"low_diversity"}),
    # The start of a healthy training rises.
    ("diversity_random_9", [0.01, 0.05, 0.15], set()),
    ("diversity_random_9", [0.9, 0.1, 0.1], set()),
    ("authenticity_random_9", [0.6, 0.05, 0.04, 0.03], {"memorisation"}),
    ("authenticity_random_9", [1.0, 0.6, 0.45, 0.4], set()),
    # StudioGAN's: 49 at 42,000 steps, 137 at 200,000.
    ("kernel_random_9", [250.0, 49, 110, 125, 137], {"past_best"}),
    # Noise around a plateau, at any scale and around 0.
    ("kernel_random_9", [250.0, 49, 60, 55, 70, 62, 66], set()),
    ("kernel_random_9", [0.4, 0.001, 0.01, -0.002, 0.02, 0.01, 0.03], set()),
    ("kernel_random_9", [0.4, -0.001, 0.2, 0.3, 0.2], {"past_best"}),
    # Worse twice, and better again.
    ("kernel_random_9", [250.0, 49, 137, 137, 60], set()),
  ],
)
def test_metrics_tell_collapse_copies_and_a_best_long_past(
  name, values, expected
):
  assert found(evaluate(**{name: values})) == expected


def test_a_metric_of_which_more_is_better_is_past_its_best_when_it_falls():
  seen = evaluate(coverage_random_9=[0.1, 0.8, 0.3, 0.2, 0.2])
  reason = detectors.past_best(seen, LIMITS, "coverage_random")
  assert "0.2 after 0.8" in reason
  seen = evaluate(coverage_random_9=[0.1, 0.8, 0.6, 0.5, 0.7])
  assert detectors.past_best(seen, LIMITS, "coverage_random") is None


def test_evaluations_before_a_roll_back_count_as_the_best_only():
  seen = evaluate(kernel_random_9=[9.0, 1.0, 5.0, 5.0])
  seen.append({"step": 2000, "roll_back/from": 2400})
  for step in (2500, 3000, 3500):
    assert found(seen) == set()
    seen.append({"step": step, "kernel_random_9": 5.0})
  assert found(seen) == {"past_best"}


@pytest.mark.parametrize(
  ("field", "curves"),
  [
    (
      "logit_margin",
      PINNED | {"d__real_logit": 9, "d__fake_logit": -9},
    ),
    ("gradient_norm", {"g__gradient_norm": 0, "d__gradient_norm": 0}),
    (
      "logit_gap",
      {"d__real_logit": lambda s: math.exp(s / 200), "d__fake_logit": 0},
    ),
    ("patience", {"d__real_accuracy": 1, "d__fake_accuracy": 0}),
  ],
)
def test_a_threshold_of_zero_switches_a_rule_off(field, curves):
  seen = simulate(**curves)
  assert found(seen) and found(seen, **{field: 0}) == set()


def test_lines_far_apart_do_not_make_a_window():
  seen = simulate(steps=3000, every=500, g__gradient_norm=0)
  assert found(seen) == set()
  assert found(seen, patience=3000) == {"dead_generator"}
