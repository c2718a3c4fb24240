"""The steps of a training: on from where it was, to its end or a signal."""

import contextlib
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

from astgan import checkpoints, distributed, history, stop, writer
from astgan.systems import interface
from astgan.train import (
  evaluation,
  evaluators,
  failures,
  loader,
  parallel,
  report,
  reporter,
  sources,
  start,
  throughput,
)

logger = logging.getLogger(__name__)


class Run:
  """One run: where it goes on, and its calls of the devices.

  The run folder, with `saved` and `evaluated`, is the first process' alone.
  `frozen` is that of the system, on the devices.
  """

  def __init__(
    self,
    config: ml_collections.ConfigDict,
    workdir: pathlib.Path,
    system: interface.System,
    frozen: PyTree,
    saved: checkpoints.Checkpoints | None,
    found: sources.Sources,
    evaluated: evaluation.Evaluation | None,
    evaluators: Sequence[evaluators.Evaluator],
  ) -> None:
    self._config = config
    self._workdir = workdir
    self._system = system
    self._saved = saved
    self._sources = found
    self._evaluators = evaluators
    self._throughput = throughput.Throughput()
    self._agreement = parallel.Agreement()
    self._frozen = frozen
    self._call = parallel.make_call(system, config.data)
    self._make_reporter = functools.partial(
      reporter.Reporter,
      config,
      workdir,
      system,
      saved,
      frozen=frozen,
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
    key = jax.random.key(self._config.seed)
    template = jax.eval_shape(self._system.init, key)
    with contextlib.ExitStack() as stack:

      def begin():
        state = self._restore(template)
        log = writer.Writer(self._workdir, resume_step=int(state.step))
        stack.enter_context(log)
        scale = history.roll_backs(log.lines).learning_rate_scale
        reports = self._make_reporter(log)
        reports.write_once()
        return state.replace(learning_rate_scale=jnp.float32(scale)), reports

      state, reports = distributed.only_first(begin) or (
        jax.tree.map(lambda x: np.zeros(x.shape, x.dtype), template), None
      )  # fmt: skip
      state = distributed.broadcast(state)
      images, training = self._sources.images, self._sources.training
      batches = stack.enter_context(
        loader.Loader(
          self._config, self._system, images, training, int(state.step)
        )
      )
      return self._to_the_end(state, batches, reports)

  def _restore(self, template: interface.TrainState) -> interface.TrainState:
    """The newest whole state, or the first."""
    if self._saved.latest is None:
      return start.first(self._config, self._workdir, self._system)
    state = self._saved.restore(template)
    logger.info(f"{self._workdir} goes on from step {int(state.step)}")
    return state

  def _to_the_end(
    self,
    state: interface.TrainState,
    batches: loader.Loader,
    reports: reporter.Reporter | None,
  ) -> str:
    """Updates until all steps are done or a signal asks to stop."""
    step, steps = int(state.step), self._config.train.steps
    stopped = False
    state = parallel.replicate(state)
    waiting = self._throughput.waiting(batches)
    with (
      stop.signals() as signals,
      tqdm.tqdm(
        total=steps,
        initial=step,
        unit="step",
        disable=not distributed.is_first(),
      ) as bar,
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
        stopped = self._agreement.asks(bool(signals))
        self._report(reports, step, state, scalars, stopped=stopped)
        bar.set_postfix_str(self._throughput.line(), refresh=False)
        if stopped:
          break
      # A first signal does not interrupt the last checkpoint either.
      distributed.only_first(lambda: self._saved.wait())
    summary = f"step {step}, {self._throughput.summary()}"
    if stopped and step < steps:
      stop.early.set()
      by = signals[0] if signals else "a signal to another process"
      return f"stopped by {by}; the same command goes on from {step}; {summary}"
    return f"finished; {summary}"

  def _report(
    self,
    reports: reporter.Reporter | None,
    step: int,
    state: interface.TrainState,
    scalars: interface.Scalars,
    *,
    stopped: bool,
  ) -> None:
    """The first process reports; all learn how that ended, where it is due.

    Raises:
      Failure: the training cannot go on like this.
    """
    count = len(next(iter(scalars.values())))
    if not distributed.is_alone() and not reporter.is_any_due(
      self._config, self._evaluators, step, count=count, stopped=stopped
    ):
      return

    def report():
      try:
        reports.report(step, state, scalars, stopped=stopped)
      except failures.Failure as failure:
        return (
          *(failure.step, failure.reason),
          {"healthy": failure.healthy, "is_finite": failure.is_finite},
        )
      return None

    failed = distributed.by_first(report)
    if failed:
      number, reason, known = failed
      raise failures.Failure(number, reason, **known)

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
