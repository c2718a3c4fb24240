"""Task `train`: files in, files out, for any system.

The mathematics is in the system's update; what a call does to the devices is in
parallel.py, which batches it gets in loader.py, and what becomes of a training
that fails in failures.py.
"""

import functools
import logging
import math
import pathlib
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import ml_collections
import numpy as np
import tqdm
from jaxtyping import PyTree

from astgan import checkpoints, history, runs, writer
from astgan.systems import interface, registry
from astgan.train import (
  evaluation,
  evaluators,
  failures,
  loader,
  parallel,
  report,
  settings,
  sources,
  start,
  stop,
  throughput,
)

logger = logging.getLogger(__name__)


def train(
  config: ml_collections.ConfigDict,
  workdir: pathlib.Path,
  *,
  evaluators: Sequence[evaluators.Evaluator] = (),
) -> None:
  """Trains to `train.steps`, on from the newest checkpoint if there is one.

  A run that has come so far is left as it is.

  Args:
    config: a training config, such as the pages of configs/ make.
    workdir: the run folder.
    evaluators: called each period and at the last step, beside those that the
      config asks for.

  Raises:
    UserError: the config does not fit the system, the devices, the data or the
      folder.
    FloatingPointError: a loss or a parameter is no longer finite.
    TrainingFailure: a detector holds, and the config says to stop.
  """
  system = registry.make(config)
  settings.check(config, system)
  runs.check_run(workdir, config)
  steps = checkpoints.steps(workdir)
  if steps and steps[-1] >= config.train.steps:
    logger.info(
      f"{workdir} is at step {steps[-1]}; raise config.train.steps to go on;"
      f" {report.summary(config, workdir, steps)}"
    )
    return
  start.check(config, workdir, system)
  found = sources.load(config, workdir, system)
  evaluated = evaluation.make(config, system, found)
  runs.open_run(workdir, config)
  runs.keep_fingerprint(
    workdir, "images.json", found.fingerprint, field="data.source"
  )
  with checkpoints.Checkpoints(workdir, keep=config.train.max_to_keep) as saved:
    run = _Run(config, workdir, system, saved, found, evaluated, evaluators)
    ended = None
    while ended is None:
      try:
        ended = run.resume()
      except failures.Failure as failure:
        failures.answer(failure, config, workdir, saved)
    told = report.summary(config, workdir, saved.steps)
    logger.info(f"{workdir}: {ended}; {told}")


class _Run:
  """One run's files and what it has yet to write to them."""

  def __init__(
    self,
    config: ml_collections.ConfigDict,
    workdir: pathlib.Path,
    system: interface.System,
    saved: checkpoints.Checkpoints,
    found: sources.Sources,
    evaluated: evaluation.Evaluation | None,
    evaluators: Sequence[evaluators.Evaluator],
  ) -> None:
    self._config = config
    self._train = config.train
    self._workdir = workdir
    self._system = system
    self._saved = saved
    self._sources = found
    self._shown = report.spread(config, found.images, found.training)
    self._evaluated = evaluated
    self._evaluators = list(evaluators)
    if evaluated:
      self._evaluators.append(evaluated.evaluator)
    self._throughput = throughput.Throughput()
    self._frozen = parallel.replicate(system.load_frozen())
    self._call = parallel.make_call(system, config.data)

  def resume(self) -> str:
    """Trains on from the newest checkpoint; says how that ended.

    Raises:
      Failure: the training cannot go on like this.
    """
    step = self._saved.latest or 0
    with writer.Writer(self._workdir, resume_step=step) as log:
      self._log = log
      self._watch = failures.Watch(self._config, log.lines)
      state = self._restore(step)
      self._write_once()
      images, training = self._sources.images, self._sources.training
      with loader.Loader(
        self._config, self._system, images, training, step
      ) as batches:
        return self._to_the_end(state, batches)

  def _restore(self, step: int) -> interface.TrainState:
    if step:
      logger.info(f"{self._workdir} goes on from step {step}")
      key = jax.random.key(self._config.seed)
      state = self._saved.restore(jax.eval_shape(self._system.init, key))
    else:
      state = start.first(self._config, self._system)
    best = self._best()
    self._saved.preserve(best and best.step)
    scale = history.roll_backs(self._log.lines).learning_rate_scale
    return state.replace(learning_rate_scale=jnp.float32(scale))

  def _write_once(self) -> None:
    report.write_reals(self._workdir, self._shown)
    floor = self._evaluated.floor if self._evaluated else {}
    lines = self._log.lines
    if floor and not any(floor.keys() <= line.keys() for line in lines):
      self._log.write(0, floor)

  def _to_the_end(
    self, state: interface.TrainState, batches: loader.Loader
  ) -> str:
    """Updates until all steps are done or a signal asks to stop."""
    step = int(state.step)
    state = parallel.replicate(state)
    waiting = self._throughput.waiting(batches)
    with (
      stop.signals() as signals,
      tqdm.tqdm(total=self._train.steps, initial=step, unit="step") as bar,
    ):
      for call, batch in waiting:
        state, scalars = self._make(call, batch, state, batches.images)
        completed = call.done - step
        if not completed:
          continue
        step = call.done
        bar.update(completed)
        # A signal that comes while files are written waits for the next step,
        # with which the run is saved.
        stopped = bool(signals)
        scalars = jax.tree.map(lambda x, n=completed: x[-n:], scalars)
        self._report(step, state, scalars, stopped=stopped)
        bar.set_postfix_str(self._throughput.line(), refresh=False)
        if stopped:
          break
      # A first signal does not interrupt the last checkpoint either.
      self._saved.wait()
    summary = f"step {step}, {self._throughput.summary()}"
    if signals and step < self._train.steps:
      return (
        f"stopped by {signals[0]}; the same command goes on from {step};"
        f" {summary}"
      )
    return f"finished; {summary}"

  def _make(
    self,
    call: loader.Call,
    batch: PyTree,
    state: interface.TrainState,
    stored: PyTree,
  ) -> tuple[interface.TrainState, interface.Scalars]:
    numbers = np.array([number for _, number in call.turns], np.int32)
    state, scalars = self._call(
      state, self._frozen, stored, batch, numbers, call.phase, call.turn
    )
    if jax.default_backend() == "cpu":
      # Nothing runs beside a CPU's own work, and devices faked on a few cores
      # hang in their collectives when calls pile up.
      jax.block_until_ready(state)
    self._throughput.count(len(numbers) * call.phase.batch_size)
    return state, scalars

  def _report(
    self,
    step: int,
    state: interface.TrainState,
    scalars: interface.Scalars,
    *,
    stopped: bool,
  ) -> None:
    """Writes all that is due after the steps whose scalars these are."""
    train = self._train
    last = step == train.steps
    count = len(next(iter(scalars.values())))
    due = functools.partial(is_time, step, count=count)
    # On accelerators looking at every call would make the devices wait.
    if due(train.log_every, last=last) or jax.default_backend() == "cpu":
      self._write(step, jax.device_get(scalars), last=last)
    if due(train.sample_every, last=last or stopped):
      sheets = self._system.samples(state, self._frozen, self._shown)
      report.write_samples(self._workdir, self._log, step, sheets)
      if hasattr(self._system, "histograms"):
        drawn = self._system.histograms(state, self._frozen, self._shown)
        for name, values in drawn.items():
          self._log.histogram(name, step, np.asarray(values))
    # A signal adds no line, so that the lines are those of a run that never
    # stopped, and so are the decisions that follow from them.
    is_best = self._evaluate(step, state, functools.partial(due, last=last))
    if due(train.save_every, last=last or stopped or is_best):
      self._save(step, state)
    if is_best:
      self._saved.preserve(step)

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

  def _write(self, step: int, scalars: PyTree, *, last: bool) -> None:
    """Writes the lines that are due, having looked at every step's scalars."""
    count = len(next(iter(scalars.values())))
    for i in range(count):
      number = step - count + i + 1
      line = {name: float(values[i]) for name, values in scalars.items()}
      finite = all(map(math.isfinite, line.values()))
      ends = not finite or (last and number == step)
      if is_time(number, self._train.log_every, last=ends):
        self._record(number, line | self._throughput.scalars())
      if not finite:
        raise failures.not_finite(number, line)

  def _record(self, step: int, scalars: dict[str, float]) -> None:
    self._log.write(step, scalars)
    self._watch.see(self._log.lines[-1])

  def _best(self, step: int = 0) -> history.Best | None:
    """The best evaluation that has a checkpoint or is that of this step."""
    steps = {*self._saved.steps, step}
    return history.best(
      self._log.lines, self._config.evaluate.best_metric, steps
    )

  def _save(self, step: int, state: interface.TrainState) -> None:
    try:
      self._saved.save(step, state)
    except FloatingPointError as error:
      raise failures.not_finite(step, {str(error): math.nan}) from error


def is_time(step: int, every: int, *, last: bool, count: int = 1) -> bool:
  """Whether a multiple of `every` is among the last `count` steps.

  Args:
    step: completed steps.
    every: the period.
    last: whether the run ends here, which is always a time.
    count: steps since the question was last asked.
  """
  return last or step % every < count
