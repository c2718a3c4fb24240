"""What a run does about a failure: warn, stop, or roll back.

A roll-back goes back to a checkpoint and on from there with lower learning
rates. Its record is a line of metrics.jsonl at the step gone back to, so that
a run killed at any moment and started again does what one that never stopped
does: killed before the line is written, it is a run that was killed before the
failure, which it meets again; killed after it, it is one that was rolled back.

A rule that begins to hold is a line too, and so is a failure that ends a run.
Both follow from the lines before them, so a resumed run writes them again.
"""

import logging
import math
import pathlib
from collections.abc import Iterable, Sequence

import ml_collections

from astgan import checkpoints, errors, history, writer
from astgan.train import detectors, report

logger = logging.getLogger(__name__)

POLICIES = ("warn", "stop", "roll_back")


class Failure(Exception):
  """A training that cannot go on as it is.

  Attributes:
    step: completed updates.
    reason: in words.
    healthy: the last step that the failure says nothing against.
    is_finite: False where a loss or a parameter is not finite.
  """

  def __init__(
    self,
    step: int,
    reason: str,
    *,
    healthy: int | None = None,
    is_finite: bool = True,
  ) -> None:
    super().__init__(f"{reason} at step {step}")
    self.step = step
    self.reason = reason
    self.healthy = step if healthy is None else healthy
    self.is_finite = is_finite


class Watch:
  """Looks at every line of a run and acts on what the detectors say.

  Args:
    config: a training config.
    lines: that the run has written before.
    metrics: names of all that the run measures.
    margin_scale: of the system, 1 where it has none.
  """

  def __init__(
    self,
    config: ml_collections.ConfigDict,
    lines: Iterable[history.Line],
    *,
    metrics: Sequence[str] = (),
    margin_scale: float = 1.0,
  ) -> None:
    self._policy = config.train.on_failure
    self._metric = config.evaluate.best_metric
    self._limits = config.detectors.copy_and_resolve_references()
    self._limits.logit_margin *= margin_scale
    self._history = history.History(lines)
    for said in detectors.unwatched(config, metrics):
      logger.warning(said)
    self._reasons = self._detect()

  def see(self, line: history.Line) -> list[history.Line]:
    """Takes the next line; returns those of the rules that begin to hold."""
    self._history.append(line)
    known, self._reasons = self._reasons, self._detect()
    new = {x: why for x, why in self._reasons.items() if x not in known}
    for reason in new.values() if self._policy == "warn" else ():
      logger.warning(f"step {line['step']}: {reason}")
    return [
      {"step": line["step"], "alarm/rule": rule, "alarm/reason": reason}
      for rule, reason in new.items()
    ]

  def act(self, step: int) -> None:
    """Ends the training if a rule holds and the policy is not to warn only.

    Raises:
      Failure: that of the first such rule.
    """
    if self._policy == "warn":
      return
    for rule, reason in self._reasons.items():
      healthy = detectors.last_healthy(
        rule, self._history, self._limits, step=step, metric=self._metric
      )
      raise Failure(step, reason, healthy=healthy)

  def _detect(self) -> dict[str, str]:
    return detectors.detect(self._history, self._limits, metric=self._metric)


def not_finite(step: int, values: dict[str, float]) -> Failure:
  """The failure of values of which at least one is not finite."""
  name = next(n for n, value in values.items() if not math.isfinite(value))
  return Failure(step, f"{name} is {values[name]}", is_finite=False)


def answer(
  failure: Failure,
  config: ml_collections.ConfigDict,
  workdir: pathlib.Path,
  saved: checkpoints.Checkpoints,
) -> None:
  """Rolls the run back if the config says so; the caller resumes it.

  Raises:
    FloatingPointError, TrainingFailure: the run stops here.
  """
  saved.wait()
  train = config.train
  made = history.roll_backs(writer.read(workdir))
  if train.on_failure != "roll_back" or made.count >= train.max_roll_backs:
    ended = {"step": failure.step, "stop/reason": failure.reason}
    writer.rewrite(workdir, [*writer.read(workdir), ended])
    raise _ending(failure, config, workdir, saved) from failure
  target = _target(failure, config, workdir, saved)
  while target and not saved.check(target):
    target = _target(failure, config, workdir, saved)
  scale = made.learning_rate_scale * train.roll_back_factor
  logger.warning(
    f"{failure}: back to step {target}, with the learning rates times"
    f" {scale:.4g} (roll-back {made.count + 1} of {train.max_roll_backs})"
  )
  saved.delete_after(target)
  lines = [x for x in writer.read(workdir) if x["step"] <= target]
  record = {
    "step": target,
    "roll_back/reason": failure.reason,
    "roll_back/from": failure.step,
    "roll_back/count": made.count + 1,
    "roll_back/learning_rate_scale": scale,
    # Their lines are dropped where this one goes back further.
    "roll_back/earlier": list(made.reasons),
  }
  writer.rewrite(workdir, [*lines, record])


def _target(
  failure: Failure,
  config: ml_collections.ConfigDict,
  workdir: pathlib.Path,
  saved: checkpoints.Checkpoints,
) -> int:
  """The step to go back to: the best one, or the newest; 0 is the start.

  Of checkpoints from before the failure, or else the oldest. Those that a
  signal caused come last, so that a run that was stopped goes back to where one
  that never stopped does.
  """
  steps = [step for step in saved.steps if step <= failure.healthy]
  metric = config.evaluate.best_metric
  best = history.best(writer.read(workdir), metric, steps)
  if best is not None:
    return best.step
  every = config.train.save_every
  for found, choose in ((steps, max), (saved.steps, min)):
    if found:
      return choose([step for step in found if not step % every] or found)
  return 0


def _ending(
  failure: Failure,
  config: ml_collections.ConfigDict,
  workdir: pathlib.Path,
  saved: checkpoints.Checkpoints,
) -> Exception:
  if failure.is_finite:
    kind, advice = errors.TrainingFailure, ""
    said = f"{workdir}: stopped: {failure}"
  else:
    kind = FloatingPointError
    good = "none" if saved.latest is None else f"step {saved.latest}"
    said = (
      f"{failure}: the training diverged; the last good checkpoint is"
      f" {good} in {workdir}"
    )
    advice = "; lower the learning rates and use another --workdir"
    if config.train.on_failure != "roll_back":
      advice += ", or go on with config.train.on_failure=roll_back"
  told = report.summary(config, workdir, saved.steps)
  return kind(f"{said}{advice}; {told}")
