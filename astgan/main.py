"""The front door: `python -m astgan.main --config=configs/dcgan.py`.

--config=FILE                  what to do: one of the files below, or your own
--workdir=FOLDER               the run folder; runs/NAME of configs/NAME.py
--config.section.field=VALUE   any field of the file, which explains them
"""

import logging
import os
import pathlib
import sys
import traceback

import jax
import platformdirs

from astgan import (
  checks,
  distributed,
  errors,
  evaluate,
  judge,
  memory,
  messages,
  pages,
  sample,
)
from astgan.nst import paint
from astgan.sweep import sweep
from astgan.train import loop

TASKS = {
  "train": loop.train,
  "paint": paint.paint,
  "sample": sample.sample,
  "evaluate": evaluate.evaluate,
  "judge": judge.judge,
  "sweep": sweep.sweep,
}

# Not __name__, which is __main__ when this file is the program.
logger = logging.getLogger("astgan.main")


def main(arguments: list[str]) -> int:
  """Runs the task that the arguments ask for; returns the exit status.

  0: done, or stopped by a signal and saved. 2: the user's mistake, in one
  line. 1: anything else.
  """
  if {"--help", "-h"} & set(arguments):
    print(f"{__doc__.strip()}\n\n{pages.listing()}")
    return 0
  with messages.shown():
    try:
      config, workdir = pages.read(arguments)
      checks.one_of(config, "task", tuple(TASKS))
      checks.within(config, "seed", 0)
      checks.filled(config, "compile_cache")
      _use_compile_cache(config.compile_cache)
      if config.task == "paint":
        distributed.use_own_devices()
      else:
        distributed.start()
      if config.task == "sweep":
        # The accelerators are its trainings', each a process of its own.
        jax.config.update("jax_platforms", "cpu")
      if config.task != "train" and not distributed.is_alone():
        raise errors.UserError(
          f"config.task={config.task} runs in one process; only trainings and"
          " paintings run in several"
        )
      devices = jax.devices()
      kind = f"{len(devices)} x {devices[0].device_kind}, jax {jax.__version__}"
      if not distributed.is_alone():
        kind += f", {jax.process_count()} processes"
      logger.info("%s into %s on %s", config.task, workdir, kind)
      TASKS[config.task](config, workdir)
    except errors.UserError as error:
      return _fail(error, 2)
    except distributed.Elsewhere as error:
      return error.status
    except (OSError, FloatingPointError, errors.TrainingFailure) as error:
      return _fail(error, 1)
    except KeyboardInterrupt:
      return _fail("interrupted", 1)
    except Exception as error:
      if distributed.is_alone():
        raise
      if not distributed.is_loss(error):
        traceback.print_exc()
        return 1
      reason = str(error).partition("\n")[0]
      told = f"another process was lost; start all of them again ({reason})"
      return _fail(told, 1)
  return 0


def _use_compile_cache(place: str) -> None:
  """Keeps compiled programs in a folder, so that a second start is quick."""
  if place == "off":
    return
  if place == "auto":
    place = platformdirs.user_cache_dir("astgan/programs")
  place = pathlib.Path(place).expanduser()
  jax.config.update("jax_compilation_cache_dir", str(place))
  jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.3)


def _use_one_lapack_thread() -> None:
  """Keeps OpenBLAS from splitting matrix roots among threads.

  On CPUs, jax takes LAPACK from SciPy, whose OpenBLAS reads this variable when
  jax first needs it. Its threads wait for each other by spinning, on cores that
  XLA's threads need (docs/scaling.md). A variable that is set stays as it is.
  """
  os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def _fail(error: object, status: int) -> int:
  process = distributed.number()
  logger.error("astgan: %s%s", f"process {process}: " if process else "", error)
  return status


if __name__ == "__main__":
  memory.keep_freed_blocks()
  _use_one_lapack_thread()
  status = main(sys.argv[1:])
  distributed.leave(status)
  sys.exit(status)
