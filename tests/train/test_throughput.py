"""The throughput of a run, by a clock set by hand."""

import pytest

from astgan.train import throughput


@pytest.fixture
def clock(monkeypatch):
  """What time it is: set its only element."""
  now = [100.0]
  monkeypatch.setattr(throughput.time, "perf_counter", lambda: now[0])
  return now


def run(clock):
  """A first call of a minute, then 40 images in 2 s, half a second waiting."""

  def batches():
    for seconds in (60, 0.5):
      clock[0] += seconds
      yield seconds

  timed = throughput.Throughput()
  for seconds in timed.waiting(batches()):
    if seconds < 60:
      clock[0] += 1.5
    timed.count(40)
  return timed


def test_the_first_call_says_nothing(clock):
  timed = throughput.Throughput()
  timed.count(40)
  assert timed.scalars() == {}
  assert timed.line() == ""
  assert timed.summary() == "too short to time"


def test_throughput_and_waiting_are_those_after_the_first_call(clock):
  assert run(clock).scalars() == {
    "images_per_second": 20.0,
    "share_waiting_for_data": 0.25,
  }


def test_the_summary_has_both(clock):
  words = "20 images/s, 25.00% of the time waiting for data"
  assert run(clock).summary() == words
