"""Task `train`: files in, files out, for any system.

The mathematics is in the system's update; what a call does to the devices is in
parallel.py, which batches it gets in loader.py, what is written and when in
reporter.py, and what becomes of a training that fails in failures.py.
"""

import functools
import logging
import pathlib
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import ml_collections
import numpy as np
import tqdm
from jaxtyping import PyTree

from astgan import checkpoints, history, runs, stop, writer
from astgan.systems import interface, registry
from astgan.train import (
  evaluation,
  evaluators,
  failures,
  loader,
  parallel,
  report,
  reporter,
  settings,
  sources,
  start,
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
  is_finished = bool(steps) and steps[-1] >= config.train.steps
  if is_finished and checkpoints.is_whole(workdir, steps[-1]):
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
  """One run: where it goes on, and its calls of the devices."""

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
    self._workdir = workdir
    self._system = system
    self._saved = saved
    self._sources = found
    self._throughput = throughput.Throughput()
    self._frozen = parallel.replicate(system.load_frozen())
    self._call = parallel.make_call(system, config.data)
    self._make_reporter = functools.partial(
      reporter.Reporter,
      config,
      workdir,
      system,
      saved,
      frozen=self._frozen,
      shown=report.spread(config, found.images, found.training),
      evaluated=evaluated,
      evaluators=evaluators,
      throughput=self._throughput,
    )

  def resume(self) -> str:
    """Trains on from the newest checkpoint; says how that ended.

    Raises:
      Failure: the training cannot go on like this.
    """
    state = self._restore()
    step = int(state.step)
    with writer.Writer(self._workdir, resume_step=step) as log:
      scale = history.roll_backs(log.lines).learning_rate_scale
      state = state.replace(learning_rate_scale=jnp.float32(scale))
      reports = self._make_reporter(log)
      reports.write_once()
      images, training = self._sources.images, self._sources.training
      with loader.Loader(
        self._config, self._system, images, training, step
      ) as batches:
        return self._to_the_end(state, batches, reports)

  def _restore(self) -> interface.TrainState:
    """The newest whole state, or the first."""
    if self._saved.latest is None:
      return start.first(self._config, self._system)
    key = jax.random.key(self._config.seed)
    state = self._saved.restore(jax.eval_shape(self._system.init, key))
    logger.info(f"{self._workdir} goes on from step {int(state.step)}")
    return state

  def _to_the_end(
    self,
    state: interface.TrainState,
    batches: loader.Loader,
    reports: reporter.Reporter,
  ) -> str:
    """Updates until all steps are done or a signal asks to stop."""
    step, steps = int(state.step), self._config.train.steps
    state = parallel.replicate(state)
    waiting = self._throughput.waiting(batches)
    with (
      stop.signals() as signals,
      tqdm.tqdm(total=steps, initial=step, unit="step") as bar,
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
        reports.report(step, state, scalars, stopped=stopped)
        bar.set_postfix_str(self._throughput.line(), refresh=False)
        if stopped:
          break
      # A first signal does not interrupt the last checkpoint either.
      self._saved.wait()
    summary = f"step {step}, {self._throughput.summary()}"
    if signals and step < steps:
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
