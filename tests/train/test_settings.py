"""Trainings that cannot be are refused in one line."""

import re

import pytest

from astgan import errors
from astgan.systems import gan, registry
from astgan.train import settings
from configs import fewshot
from tests.systems import painters
from tests.train import tiny


def check(**changes):
  config = tiny.make_config(**changes)
  settings.check(config, gan.GAN(config))


@pytest.mark.parametrize(
  ("field", "value"),
  [
    ("data.crop", "left"),
    ("data.count", 0),
    ("data.count", 10**20),
    ("data.cache", ""),
    ("data.hold_out", 1.0),
    ("train.steps", 0),
    ("train.log_every", 0),
    ("train.sample_every", 0),
    ("train.save_every", -5),
    ("train.max_to_keep", 0),
    ("train.num_samples", 0),
    ("train.num_samples", 10**20),
    ("train.ema_decay", 1.0),
    ("train.ema_decay", -0.1),
    ("train.ema_half_life", -1),
    # Two devices, with two examples each at least.
    ("train.batch_size", 0),
    ("train.batch_size", 2),
    ("train.batch_size", 5),
    ("train.steps_per_call", -1),
    ("train.evaluate_every", -1),
    ("train.on_failure", "panic"),
    ("train.roll_back_factor", 0.0),
    ("train.roll_back_factor", 1.5),
    ("train.max_roll_backs", -1),
    ("detectors.patience", -1),
    ("detectors.evaluations", 0),
    ("detectors.diversity", 1.5),
    ("detectors.logit_gap", -1.0),
    ("evaluate.subsets", 0),
    # Both periods are 4.
    ("train.steps_per_call", 3),
    ("train.steps_per_call", 8),
  ],
)
def test_a_field_that_cannot_be_is_named_in_one_line(field, value):
  with pytest.raises(errors.UserError, match=re.escape(field)) as caught:
    check(**{field: value})
  assert "\n" not in str(caught.value)
  assert str(value) in str(caught.value)


@pytest.mark.parametrize("count", [0, 1, 2, 4])
def test_steps_per_call_may_divide_both_periods(count):
  check(train__steps_per_call=count)


def test_a_field_that_no_training_has_is_refused_with_those_it_has():
  config = tiny.make_config().unlock()
  config.data.photographs = "folder:photos"
  with pytest.raises(errors.UserError, match="photographs; config"):
    settings.check(config, gan.GAN(config))


def test_a_target_of_an_augmentation_without_a_policy_is_refused():
  config = tiny.make_config(
    fewshot, diff_augment__target=0.6, diff_augment__policy=()
  )
  system = registry.make(config)  # As that of a finished run.
  with pytest.raises(errors.UserError, match=r"diff_augment\.target=0\.6"):
    settings.check(config, system)


def test_layers_of_several_networks_may_be_frozen(tmp_path):
  config = painters.make_config("wct", tmp_path, decoder__frozen=("conv2_1",))
  settings.check(config, registry.make(config))
  with config.unlocked():
    config.decoder.frozen = ("conv9_1",)
  with pytest.raises(errors.UserError, match="no layer 'conv9_1'; it has conv"):
    settings.check(config, registry.make(config))


def test_a_section_freezes_layers_of_networks_of_other_names(tmp_path):
  config = painters.make_config("stvae", tmp_path, decoder__frozen=("hidden",))
  settings.check(config, registry.make(config))


def test_a_number_among_frozen_layers_is_refused():
  with pytest.raises(errors.UserError, match="no layer 9; it has norm_0"):
    check(generator__frozen=("up_9", 9))
