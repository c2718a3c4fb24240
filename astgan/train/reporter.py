"""What a training writes, and when: lines, sheets, metrics, checkpoints."""

import functools
import math
import pathlib
from collections.abc import Callable, Mapping, Sequence

import jax
import ml_collections
import numpy as np
from jaxtyping import PyTree

from astgan import checkpoints, history, writer
from astgan.arrays import Images
from astgan.systems import interface
from astgan.train import (
  evaluation,
  evaluators,
  failures,
  records,
  report,
  throughput,
)


class Reporter:
  """Writes to the run folder what is due.

  Args:
    config: a training config.
    workdir: the run folder.
    system: that is trained.
    saved: the checkpoints of the run.
    log: of its lines.
    frozen: of the system, on the devices.
    shown: real images for the contact sheets, by source.
    evaluated: the evaluation that the config asks for, or None.
    evaluators: further ones.
    throughput: of the run, a part of every line of scalars.
  """

  def __init__(
    self,
    config: ml_collections.ConfigDict,
    workdir: pathlib.Path,
    system: interface.System,
    saved: checkpoints.Checkpoints,
    log: writer.Writer,
    *,
    frozen: PyTree,
    shown: Mapping[str, Images],
    evaluated: evaluation.Evaluation | None,
    evaluators: Sequence[evaluators.Evaluator],
    throughput: throughput.Throughput,
  ) -> None:
    self._config = config
    self._workdir = workdir
    self._system = system
    self._saved = saved
    self._log = log
    self._frozen = frozen
    self._shown = shown
    self._evaluated = evaluated
    self._evaluators = list(evaluators)
    if evaluated:
      self._evaluators.append(evaluated.evaluator)
    self._throughput = throughput
    self._watch = failures.Watch(
      config,
      log.lines,
      metrics=evaluated.names if evaluated else (),
      margin_scale=getattr(system, "margin_scale", 1.0),
    )

  def write_once(self) -> None:
    """Writes what is written once, and keeps the best checkpoint so far."""
    best = self._best()
    self._saved.preserve(best and best.step)
    report.write_reals(self._workdir, self._shown)
    floor = self._evaluated.floor if self._evaluated else {}
    lines = self._log.lines
    if floor and not any(floor.keys() <= line.keys() for line in lines):
      self._log.write(0, floor)

  def report(
    self,
    step: int,
    state: interface.TrainState,
    scalars: interface.Scalars,
    *,
    stopped: bool,
  ) -> None:
    """Writes all that is due after the steps whose scalars these are.

    Args:
      step: completed steps.
      state: after them.
      scalars: of the last steps, one value a step.
      stopped: whether the run ends before its last step.

    Raises:
      Failure: the training cannot go on like this.
    """
    train = self._config.train
    last = step == train.steps
    count = len(next(iter(scalars.values())))
    due = functools.partial(is_time, step, count=count)
    # On accelerators looking at every call would make the devices wait.
    if due(train.log_every, last=last) or jax.default_backend() == "cpu":
      self._write(step, jax.device_get(scalars), last=last)
    is_drawn = due(train.sample_every, last=last)
    if is_drawn and not stopped:
      self._draw(step, state)
    # A signal adds no line, so that the lines are those of a run that never
    # stopped, and so are the decisions that follow from them.
    is_best = self._evaluate(step, state, functools.partial(due, last=last))
    if due(train.save_every, last=last or stopped or is_best):
      self._save(step, state)
    if is_best:
      self._saved.preserve(step)
    if is_drawn and stopped:  # What is saved does not wait for sheets.
      self._draw(step, state)

  def _write(self, step: int, scalars: PyTree, *, last: bool) -> None:
    """Writes the lines that are due, having looked at every step's scalars."""
    count = len(next(iter(scalars.values())))
    for i in range(count):
      number = step - count + i + 1
      line = {name: float(values[i]) for name, values in scalars.items()}
      finite = all(map(math.isfinite, line.values()))
      ends = not finite or (last and number == step)
      if is_time(number, self._config.train.log_every, last=ends):
        self._record(number, line | self._throughput.scalars())
      if not finite:
        raise failures.not_finite(number, line)

  def _draw(self, step: int, state: interface.TrainState) -> None:
    """Writes the contact sheets and the histograms."""
    sheets = self._system.samples(state, self._frozen, self._shown)
    report.write_samples(self._workdir, self._log, step, sheets)
    if hasattr(self._system, "histograms"):
      drawn = self._system.histograms(state, self._frozen, sheets, self._shown)
      for name, values in drawn.items():
        self._log.histogram(name, step, np.asarray(values))

  def _evaluate(
    self,
    step: int,
    state: interface.TrainState,
    due: Callable[[int], bool],
  ) -> bool:
    """Calls the evaluators that are due; says whether this step is the best."""
    called = [e for e in self._evaluators if due(e.every)]
    for evaluator in called:
      self._record(step, evaluator.evaluate(state))
    if self._evaluated and self._evaluated.evaluator in called:
      writer.draw_metrics(self._workdir, self._evaluated.names)
    best = self._best(step) if called else None
    return best is not None and best.step == step

  def _save(self, step: int, state: interface.TrainState) -> None:
    try:
      files = records.of(self._config, self._workdir)
      self._saved.save(step, state, files)
    except FloatingPointError as error:
      raise failures.not_finite(step, {str(error): math.nan}) from error

  def _record(self, step: int, scalars: dict[str, float]) -> None:
    """Writes a line, and one for each rule that begins to hold with it."""
    self._log.write(step, scalars)
    for alarm in self._watch.see(self._log.lines[-1]):
      self._log.write(**alarm, scalars={})
    self._watch.act(step)

  def _best(self, step: int = 0) -> history.Best | None:
    """The best evaluation that has a checkpoint or is that of this step."""
    steps = {*self._saved.steps, step}
    return history.best(
      self._log.lines, self._config.evaluate.best_metric, steps
    )


def is_any_due(
  config: ml_collections.ConfigDict,
  evaluators: Sequence[evaluators.Evaluator],
  step: int,
  *,
  count: int,
  stopped: bool,
) -> bool:
  """Whether anything is written after a step; an evaluation may ask to save.

  Args:
    config: a training config.
    evaluators: beside that of the config.
    step: completed steps.
    count: steps since the question was last asked.
    stopped: whether the run ends before its last step.
  """
  train = config.train
  periods = [train.log_every, train.sample_every, train.save_every]
  periods += [evaluator.every for evaluator in evaluators]
  periods += [train.evaluate_every] if train.evaluate_every else []
  last = stopped or step == train.steps
  return any(is_time(step, p, last=last, count=count) for p in periods)


def is_time(step: int, every: int, *, last: bool, count: int = 1) -> bool:
  """Whether a multiple of `every` is among the last `count` steps.

  Args:
    step: completed steps.
    every: the period.
    last: whether the run ends here, which is always a time.
    count: steps since the question was last asked.
  """
  return last or step % every < count
