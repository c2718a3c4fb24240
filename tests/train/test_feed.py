"""Batches by step, from the host and for the devices."""

import numpy as np
import pytest

from astgan.data import pipeline
from astgan.train import feed, parallel
from tests.train import tiny

PICTURES = tiny.draw_pictures(20)


def make_config(**changes):
  return tiny.make_config(train__steps=10, train__batch_size=4, **changes)


def read(config, start=0):
  """(step, count, batches as [k b ...]) of each call to the end."""
  calls, step = [], start
  with feed.Feed(config, PICTURES, start) as batches:
    while step < config.train.steps:
      count, shares = batches.next(step)
      # [devices, k, b / devices, ...]
      joined = np.concatenate(list(shares), axis=1)
      calls.append((step, count, joined))
      step += count
  return calls


@pytest.fixture
def on_devices(monkeypatch):
  monkeypatch.setattr(parallel, "fits", lambda pictures: True)


def test_batches_are_the_pictures_in_the_pipeline_s_order():
  order = pipeline.order(20, batch_size=4, seed=0)
  for step, _, batch in read(make_config()):
    np.testing.assert_array_equal(batch[0], PICTURES[order[step]], strict=True)


def test_batches_of_a_restarted_run_are_those_of_the_whole():
  whole = read(make_config())
  restarted = read(make_config(), start=7)
  assert [step for step, _, _ in restarted] == [7, 8, 9]
  tiny.assert_equal(
    [batch for _, _, batch in restarted], [batch for _, _, batch in whole[7:]]
  )


def test_each_device_gets_a_share():
  with feed.Feed(make_config(), PICTURES, 0) as batches:
    _, shares = batches.next(0)
  assert shares.shape == (2, 1, 2, 16, 16, 3)


def test_pictures_that_fit_go_to_the_devices_and_batches_are_indices(
  on_devices,
):
  order = pipeline.order(20, batch_size=4, seed=0)
  with feed.Feed(make_config(), PICTURES, 3) as batches:
    np.testing.assert_array_equal(batches.pictures, PICTURES)
    _, shares = batches.next(3)
  np.testing.assert_array_equal(shares.reshape(4), order[3])


def test_pictures_that_do_not_fit_stay_on_the_host():
  with feed.Feed(make_config(), PICTURES, 0) as batches:
    assert batches.pictures is None


@pytest.mark.parametrize(
  ("start", "expected"),
  [
    (0, [(0, 4), (4, 4), (8, 1), (9, 1)]),
    # The calls of a restarted run are those of the whole, once they meet.
    (4, [(4, 4), (8, 1), (9, 1)]),
    (2, [(2, 1), (3, 1), (4, 4), (8, 1), (9, 1)]),
  ],
)
def test_calls_depend_on_the_step_alone(start, expected):
  config = make_config(train__steps_per_call=4)
  assert [(step, count) for step, count, _ in read(config, start)] == expected


def test_calls_of_several_updates_have_the_same_batches():
  one_by_one = [batch[0] for _, _, batch in read(make_config())]
  together = [
    batch
    for _, _, batches in read(make_config(train__steps_per_call=4))
    for batch in batches
  ]
  tiny.assert_equal(together, one_by_one)
