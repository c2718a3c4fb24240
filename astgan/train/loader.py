"""The batches of a run, in the order and the form that the updates take them.

Everything here is a function of the config and the step, so that a run started
again gets the batches, in the calls, of one that never stopped. Where that was
inside a call of several steps, the rest of them are calls of their own.
"""

import collections
import concurrent.futures
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import ml_collections
import numpy as np
from jaxtyping import PyTree

from astgan import distributed
from astgan.data import pipeline
from astgan.systems import interface
from astgan.train import parallel

# Turns whose batches threads gather ahead of time.
_AHEAD = 8

# Turns of one name that are one call, however many of them there are.
_SHORT = 4


class Call(NamedTuple):
  """Consecutive turns of one kind, made by one call of a program.

  Attributes:
    phase: that all of them belong to.
    turn: the name that all of them have.
    turns: of each, the step that it belongs to and its number in that step.
    done: completed steps after the call.
  """

  phase: interface.Phase
  turn: str
  turns: tuple[tuple[int, int], ...]
  done: int


def phase_at(phases: Sequence[interface.Phase], step: int) -> interface.Phase:
  """The phase that a step belongs to."""
  return [phase for phase in phases if phase.start <= step][-1]


def images_before(phases: Sequence[interface.Phase], step: int) -> int:
  """Images of a source that all steps before this one take."""
  ends = [phase.start for phase in phases[1:]] + [step]
  return sum(
    max(0, min(end, step) - phase.start)
    * phase.batches_per_step
    * phase.batch_size
    for phase, end in zip(phases, ends, strict=True)
  )


def schedule(
  system: interface.System, start: int, stop: int, *, steps_per_call: int
) -> Iterator[Call]:
  """The calls that make the steps from `start` to `stop`.

  Turns of one name go together as far as the steps from one multiple of
  `steps_per_call` to the next, unless the run begins or ends between them, in
  numbers of which there are few. With 1 every turn is a call.
  """
  step = start
  while step < stop:
    whole = step % steps_per_call == 0 and step + steps_per_call <= stop
    end = step + (steps_per_call if whole else 1)
    turns = []
    for s in range(step, end):
      phase = phase_at(system.phases, s)
      names = system.turns(s, phase)
      turns += [
        (phase, name, s, number, s + (number == len(names) - 1))
        for number, name in enumerate(names)
      ]
    groups = (
      [[turn] for turn in turns]
      if steps_per_call == 1
      else [list(g) for _, g in itertools.groupby(turns, lambda t: t[:2])]
    )
    for group in groups:
      for part in _parts(group, whole=len(turns)):
        phase, name, _, _, done = part[-1]
        yield Call(phase, name, tuple(turn[2:4] for turn in part), done)
    step = end


def _parts(group: list, *, whole: int) -> Iterator[list]:
  """The group if it is short or all there is, else parts of few lengths.

  Each length is a program, and what interrupts a name now and then, such as a
  lazy penalty, leaves groups of any: parts have 8, 16 and so on turns.
  """
  while _SHORT < len(group) < whole:
    length = 1 << (len(group).bit_length() - 1)
    yield group[:length]
    group = group[length:]
  if group:
    yield group


class Loader:
  """Calls with their batches, from a step on.

  Images that fit lie on the devices, which gather them by index; else threads
  of the host gather bytes ahead of time. The order is the same.

  Attributes:
    images: all images of each source on the devices, or None.

  Args:
    config: a training config.
    system: whose turns are made.
    images: all of each source, bytes [n s s 3].
    training: by source the indices of the images to train on.
    start: the first step.
  """

  def __init__(
    self,
    config: ml_collections.ConfigDict,
    system: interface.System,
    images: Mapping[str, np.ndarray],
    training: Mapping[str, np.ndarray],
    start: int,
  ) -> None:
    self._phases = system.phases
    self._training = {
      name: indices.astype(np.int32) for name, indices in training.items()
    }
    self._orders = {
      name: pipeline.Order(len(training[name]), seed=config.seed, source=number)
      for number, name in enumerate(system.sources)
    }
    fits = distributed.by_first(lambda: parallel.fits(images))
    self._host_images = None if fits else images
    self.images = (
      parallel.replicate(dict(images)) if (self._host_images is None) else None
    )
    count = parallel.steps_per_call(config)
    calls = schedule(system, start, config.train.steps, steps_per_call=count)
    ahead = max(1, _AHEAD // count)
    self._batches = _prefetch(self._load, calls, ahead=ahead)

  def __enter__(self) -> "Loader":
    return self

  def __exit__(self, *exception: object) -> None:
    self._batches.close()

  def __iter__(self) -> Iterator[tuple[Call, PyTree]]:
    """Each call, and by source the shares of this process' devices."""
    return self._batches

  def _load(self, call: Call) -> tuple[Call, PyTree]:
    size = call.phase.batch_size
    starts = [
      images_before(self._phases, step) + number * size
      for step, number in call.turns
    ]
    batches = {}
    for name, order in self._orders.items():
      batch = np.stack([order.batch(start, size) for start in starts])
      batch = parallel.shard(self._training[name][batch])
      if self._host_images is not None:
        batch = self._host_images[name][batch]
      batches[name] = batch
    return call, batches


def _prefetch(
  function: Callable[[Any], Any], items: Iterable[Any], *, ahead: int
) -> Iterator[Any]:
  """The function's values in order, computed by threads ahead of time."""
  with concurrent.futures.ThreadPoolExecutor(2) as pool:
    waiting = collections.deque()
    for item in items:
      waiting.append(pool.submit(function, item))
      if len(waiting) > ahead:
        yield waiting.popleft().result()
    while waiting:
      yield waiting.popleft().result()
