"""Signals are noted once, and handled as before afterwards."""

import signal
import threading

import pytest

from astgan import stop

NUMBERS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@pytest.fixture(autouse=True)
def _not_under_nohup():
  before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
  yield
  signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", NUMBERS)
def test_the_first_signal_is_noted_by_name(number):
  with stop.signals() as names:
    signal.raise_signal(number)
  assert names == [number.name]


def test_a_second_signal_does_what_it_does_elsewhere():
  with stop.signals() as names, pytest.raises(KeyboardInterrupt):
    signal.raise_signal(signal.SIGTERM)
    signal.raise_signal(signal.SIGINT)
  assert names == ["SIGTERM"]


def test_the_handlers_come_back_after_an_exception():
  before = [signal.getsignal(number) for number in NUMBERS]
  with pytest.raises(ZeroDivisionError), stop.signals():
    raise ZeroDivisionError
  assert [signal.getsignal(number) for number in NUMBERS] == before


def test_what_is_ignored_stays_so():
  before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
  try:
    with stop.signals() as names:
      signal.raise_signal(signal.SIGHUP)
    assert names == []
  finally:
    signal.signal(signal.SIGHUP, before)


def test_other_threads_note_nothing():
  noted = []

  def body():
    with stop.signals() as names:
      noted.append(names)

  thread = threading.Thread(target=body)
  thread.start()
  thread.join()
  assert noted == [[]]
