"""Task `sweep`: runs that differ in named fields, one after the other."""

import json
import logging
import pathlib
import subprocess
import sys
import time

import ml_collections

from astgan import atomic, checks, errors, locks, runs, stop, writer
from astgan.nst import claims
from astgan.sweep import outcome, paintings, plan, report

logger = logging.getLogger(__name__)

# Seconds between two looks at whether a signal came.
_PATIENCE = 0.5


def sweep(config: ml_collections.ConfigDict, workdir: pathlib.Path) -> None:
  """Trains or paints every run of the sweep, and compares what they came to.

  Each is a process of its own, with a run folder in `workdir/runs`. A sweep
  that is started again goes on with the run that it was stopped in, and tries
  once more what failed. After each run `results.json`, `sweep.csv`, `table.md`,
  `curves.png` and `sheet.png` are written anew; of paintings `errors.png`, too,
  and a sheet for each photograph.

  Raises:
    UserError: a field of the sweep or of one of its runs cannot be.
  """
  checks.fields(
    config,
    "sweep",
    *("page", "changes", "fields", "design", "seeds", "scalars", "rank_by"),
  )
  planned = plan.make(config, workdir)
  runs.check_run(workdir, config)
  shown = {name: config.sweep[name] for name in ("scalars", "rank_by")}
  with runs.alone(workdir), stop.signals() as signals:
    runs.open_run(workdir, config)
    outcomes = _read_outcomes(workdir)
    for number, run in enumerate(planned, 1):
      name = run.workdir.name
      if _is_done(run):
        outcomes.setdefault(name, {"seconds": 0.0})["ended"] = "done"
      else:
        logger.info(f"run {number} of {len(planned)}: {name}")
        started = time.monotonic()
        status = _start(run, signals)
        seconds = time.monotonic() - started
        seconds += outcomes.get(name, {}).get("seconds", 0.0)
        # A signal may end a run before it can handle signals.
        ended = "failed" if status and not signals else "stopped"
        if _is_done(run):
          ended = "done"
        outcomes[name] = {"ended": ended, "seconds": round(seconds, 1)}
        if status == 2:
          raise errors.UserError(
            f"{run.workdir} was refused, for the reason in the line above;"
            " change the sweep, or remove that folder"
          )
      results = outcome.collect(planned, outcomes)
      _write_outcomes(workdir, outcomes)
      report.write(workdir, results, **shown)
      if signals:
        stop.early.set()
        logger.info(f"stopped by {signals[0]}; the same command goes on")
        return
  for asked in filter(None, (*shown["scalars"], shown["rank_by"])):
    if not report.columns(results, (asked,)):
      logger.warning(f"config.sweep: no run wrote a scalar {asked}")
  logger.info(report.table(results, **shown))


def _start(run: plan.Run, signals: list[str]) -> int:
  """The exit status of a run, to which signals are passed on."""
  if run.workdir.is_dir():
    # A sweep that was killed may have left the run to itself.
    with locks.held(run.workdir / "lock"):
      pass
    claims.wait(run.workdir / claims.FOLDER)
  # In a session of its own it gets each signal from here only, hence once.
  process = subprocess.Popen(
    [sys.executable, "-m", "astgan.main", *run.arguments],
    start_new_session=True,
  )
  try:
    while True:
      try:
        status = process.wait(_PATIENCE)
        # It leaves alone what another process is still painting.
        claims.wait(run.workdir / claims.FOLDER)
        return status
      except subprocess.TimeoutExpired:
        if signals:
          process.terminate()
          return process.wait()
  finally:
    process.kill()


def _is_done(run: plan.Run) -> bool:
  """Whether all is painted, or the last training step written and saved."""
  if run.config.task == "paint":
    return paintings.are_done(run.workdir, run.config)
  lines = writer.read(run.workdir)
  last = run.config.train.steps
  saved = run.workdir / "checkpoints" / str(last)
  return bool(lines) and lines[-1]["step"] >= last and saved.is_dir()


def _read_outcomes(workdir: pathlib.Path) -> dict[str, dict]:
  path = workdir / "outcomes.json"
  return json.loads(path.read_text()) if path.exists() else {}


def _write_outcomes(workdir: pathlib.Path, outcomes: dict[str, dict]) -> None:
  text = json.dumps(outcomes, indent=2) + "\n"
  atomic.write(workdir / "outcomes.json", text.encode())
