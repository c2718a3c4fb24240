"""Task `train`: files in, files out, for any system.

The mathematics is in the system's update; the steps are made in run.py, what a
call does to the devices is in parallel.py, which batches it gets in loader.py,
what is written and when in reporter.py, and what becomes of a training that
fails in failures.py.
"""

import contextlib
import functools
import json
import logging
import pathlib
from collections.abc import Sequence

import ml_collections

from astgan import (
  checkpoints,
  distributed,
  errors,
  runs,
)
from astgan.systems import registry
from astgan.train import (
  evaluation,
  evaluators,
  failures,
  parallel,
  records,
  report,
  run,
  settings,
  sources,
  start,
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
  if distributed.by_first(lambda: _is_finished(config, workdir)):
    return
  with contextlib.ExitStack() as stack:

    def open_folder():
      start.check(config, workdir, system)
      stack.enter_context(runs.alone(workdir))
      records.mend(workdir)

    distributed.only_first(open_folder)
    # A mistake that this finds leaves no config.json, and no image is decoded.
    frozen = parallel.replicate(system.load_frozen())
    report_to = workdir if distributed.is_first() else None
    found = sources.load(config, report_to, system)
    _check_same(found, workdir)

    def open_run():
      evaluated = evaluation.make(config, system, found)
      # Before config.json says where they are.
      keep = functools.partial(runs.keep_fingerprint, workdir)
      keep("images.json", found.fingerprint, field="data.source")
      if hasattr(system, "style_fingerprint"):
        keep("style.json", system.style_fingerprint(), field="style.source")
      runs.open_run(workdir, config)
      saved = checkpoints.Checkpoints(
        workdir, keep=config.train.max_to_keep, every=config.train.save_every
      )
      return stack.enter_context(saved), evaluated

    saved, evaluated = distributed.only_first(open_run) or (None, None)
    training = run.Run(
      config, workdir, system, frozen, saved, found, evaluated, evaluators
    )
    ended = None
    while ended is None:
      try:
        ended = training.resume()
      except failures.Failure as failure:
        distributed.only_first(
          functools.partial(failures.answer, failure, config, workdir, saved)
        )
    if distributed.is_first():
      told = report.summary(config, workdir, saved.steps)
      logger.info(f"{workdir}: {ended}; {told}")
  # The others leave when all is on disk.
  distributed.only_first(lambda: None)


def _is_finished(
  config: ml_collections.ConfigDict, workdir: pathlib.Path
) -> bool:
  """Whether the run has made its steps; then that is said."""
  if records.damaged(workdir):
    return False
  runs.check_run(workdir, config)
  steps = checkpoints.steps(workdir)
  if not steps or steps[-1] < config.train.steps:
    return False
  if not checkpoints.is_whole(workdir, steps[-1]):
    return False
  logger.info(
    f"{workdir} is at step {steps[-1]}; raise config.train.steps to go on;"
    f" {report.summary(config, workdir, steps)}"
  )
  return True


def _check_same(found: sources.Sources, workdir: pathlib.Path) -> None:
  """Raises UserError where this process reads other images than the first."""
  expected = distributed.by_first(lambda: found.fingerprint)
  if found.fingerprint != expected:
    raise errors.UserError(
      "config.data.source: the images here are not those of process 0 (here"
      f" {json.dumps(found.fingerprint)}, there {json.dumps(expected)}); give"
      " all processes the same"
    )
