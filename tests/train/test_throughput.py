"""The throughput of a run, by a clock set by hand."""

import pytest

from astgan.train import throughput


@pytest.fixture
def clock(monkeypatch):
  """What time it is: set its only element."""
  now = [100.0]
  monkeypatch.setattr(throughput.time, "perf_counter", lambda: now[0])
  return now


def run(clock, waiting=0.5):
  """A first call of a minute, then 40 images in 2 s, partly spent waiting."""

  def batches():
    for seconds in (60, waiting):
      clock[0] += seconds
      yield seconds

  timed = throughput.Throughput()
  for seconds in timed.waiting(batches()):
    if seconds < 60:
      clock[0] += 2 - seconds
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


@pytest.mark.parametrize(
  ("waiting", "told"),
  [
    (0.5, "25.00% of the time waiting for data: loading is the slower"),
    (0.03125, "1.56% of the time waiting for data: computing is the slower"),
  ],
)
def test_the_summary_has_both_and_names_the_slower(clock, waiting, told):
  assert run(clock, waiting).summary() == f"20 images/s, {told}"
