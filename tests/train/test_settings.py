"""Configs that cannot be trained are refused in one line."""

import re

import pytest

from astgan import errors
from astgan.train import settings
from tests.train import tiny


def make_config(**changes):
  return tiny.make_config(**({"data__size": 32} | changes))


def test_the_paper_s_numbers_are_accepted():
  settings.check(make_config(train__real_label=0.85, model__slope=0.3))


@pytest.mark.parametrize(
  ("field", "value"),
  [
    ("data.size", 48),
    ("data.crop", "left"),
    ("data.count", 0),
    ("model.name", "stylegan"),
    ("model.batch_norm", "none"),
    ("model.dtype", "float16"),
    ("model.width", 0),
    ("model.latent", 0),
    ("model.slope", -0.1),
    ("model.slope", 1.5),
    ("train.steps", 0),
    ("train.log_every", 0),
    ("train.sample_every", 0),
    ("train.save_every", -5),
    ("train.keep", 0),
    ("train.samples", 0),
    ("train.learning_rate", 0.0),
    ("train.learning_rate", float("nan")),
    ("train.learning_rate", float("inf")),
    ("train.beta1", 1.0),
    ("train.ema", 1.0),
    ("train.ema", -0.1),
    ("train.late_step", -1),
    ("train.real_label", 0.0),
    ("train.real_label", 1.1),
    ("train.real_label_late", 1.1),
    # Two devices, with two examples each at least.
    ("train.batch_size", 0),
    ("train.batch_size", 2),
    ("train.batch_size", 5),
    ("train.steps_per_call", -1),
    # Both periods are 4.
    ("train.steps_per_call", 3),
    ("train.steps_per_call", 8),
  ],
)
def test_a_field_that_cannot_be_is_named_in_one_line(field, value):
  config = make_config(**{field: value})
  with pytest.raises(errors.UserError, match=re.escape(field)) as caught:
    settings.check(config)
  assert "\n" not in str(caught.value)
  assert str(value) in str(caught.value)


@pytest.mark.parametrize("count", [0, 1, 2, 4])
def test_updates_per_call_may_divide_both_periods(count):
  settings.check(make_config(train__steps_per_call=count))
