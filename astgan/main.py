"""The front door: `python -m astgan.main --config=configs/dcgan.py`.

--config=FILE                  what to do: one of the files below, or your own
--workdir=FOLDER               the run folder; runs/NAME of configs/NAME.py
--config.section.field=VALUE   any field of the file, which explains them

Exit status: 0 done, or stopped by a signal and saved, unless the environment
variable ASTGAN_STOPPED_STATUS names another for that; 2 a mistake, which one
line explains; 1 anything else.
"""

import logging
import os
import pathlib
import re
import sys
import tempfile
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
  stop,
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
  stop.early.clear()
  if {"--help", "-h"} & set(arguments):
    print(f"{__doc__.strip()}\n\n{pages.listing()}")
    return 0
  with messages.shown():
    try:
      stopped_status()
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


def stopped_status() -> int:
  """ASTGAN_STOPPED_STATUS if a signal has stopped the task, otherwise 0.

  By it a scheduler knows a run that is to be started again from one that is
  done.

  Raises:
    UserError: the variable is no exit status.
  """
  text = os.environ.get("ASTGAN_STOPPED_STATUS", "0")
  if not re.fullmatch("[0-9]{1,3}", text) or int(text) > 255:
    raise errors.UserError(
      f"ASTGAN_STOPPED_STATUS={text}: it is an exit status, 0 to 255"
    )
  return int(text) if stop.early.is_set() else 0


def _use_compile_cache(place: str) -> None:
  """Keeps compiled programs in a folder, so that a second start is quick.

  A folder that cannot be written is read.
  """
  if place == "off":
    return
  if place == "auto":
    place = platformdirs.user_cache_dir("astgan/programs")
  place = pathlib.Path(place).expanduser()
  seconds = 0.3
  try:
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=place):
      pass
  except OSError as error:
    logger.warning(
      f"config.compile_cache={place}: cannot be written ({error.strerror});"
      " every start compiles what is not there"
    )
    seconds = 1e9  # JAX would warn of every program.
  jax.config.update("jax_compilation_cache_dir", str(place))
  jax.config.update("jax_persistent_cache_min_compile_time_secs", seconds)


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
  sys.exit(status or stopped_status())
