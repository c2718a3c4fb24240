"""Photographs painted at the same time, one on each device."""

import threading

import jax
import numpy as np
import pytest

from astgan.nst import photographs, spread


def pending(count):
  return [
    photographs.Photograph(None, str(number), np.zeros((1, 1, 3)), None)
    for number in range(count)
  ]


def here():
  (device,) = jax.numpy.zeros(()).devices()
  return device


def paint_all(paint, count, signals=None):
  found = spread.paint_each(
    paint,
    iter(pending(count)),
    devices=jax.local_devices(),
    signals=[] if signals is None else signals,
  )
  return {photograph.fingerprint: image for photograph, image in found}


def test_two_photographs_are_painted_at_a_time_on_two_devices():
  both, devices = threading.Barrier(2, timeout=60), set()

  def paint(photograph):
    devices.add(here())
    both.wait()
    return photograph.fingerprint

  assert paint_all(paint, 4) == {
    str(number): str(number) for number in range(4)
  }
  assert devices == set(jax.local_devices())


def test_one_after_the_other_is_painted_on_the_first_device():
  devices = set()
  paint_all(lambda photograph: devices.add(here()), 1)
  assert devices == {jax.local_devices()[0]}


def test_a_photograph_that_cannot_be_had_loses_no_painting():
  taken, done = threading.Event(), []

  def photographs_then_failure():
    yield from pending(1)
    assert taken.wait(60)
    raise OSError("no lock")

  def paint(photograph):
    taken.set()
    return photograph.fingerprint

  with pytest.raises(OSError, match="no lock"):
    for _, image in spread.paint_each(
      paint,
      photographs_then_failure(),
      devices=jax.local_devices(),
      signals=[],
    ):
      done.append(image)
  assert done == ["0"]


def test_nothing_begins_after_a_signal():
  signals = []

  def paint(photograph):
    signals.append("SIGTERM")
    return photograph.fingerprint

  finished = paint_all(paint, 9, signals)
  assert 1 <= len(finished) <= 2


def test_what_is_finished_beside_a_failure_is_kept():
  signals, finished = [], []

  def paint(photograph):
    if photograph.fingerprint == "0":
      raise FloatingPointError("not finite")
    while not signals:
      pass
    return photograph.fingerprint

  found = spread.paint_each(
    paint, iter(pending(9)), devices=jax.local_devices(), signals=signals
  )
  with pytest.raises(FloatingPointError, match="not finite"):
    finished.extend(image for _, image in found)
  assert finished == ["1"]


def test_a_failure_stops_the_painting_beside_it():
  signals, other_stopped = [], threading.Event()

  def paint(photograph):
    if photograph.fingerprint == "0":
      raise FloatingPointError("not finite")
    while not signals:
      pass
    other_stopped.set()

  with pytest.raises(FloatingPointError, match="not finite"):
    paint_all(paint, 9, signals)
  assert other_stopped.is_set()
