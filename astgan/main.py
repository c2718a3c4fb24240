"""The front door: `python -m astgan.main --config=configs/dcgan.py`.

--config=FILE                  what to do; configs/ has one file a recipe
--workdir=FOLDER               the run folder; runs/NAME of configs/NAME.py
--config.section.field=VALUE   any field; configs/common.py explains them all
"""

import operator
import pathlib
import sys

import jax
import ml_collections
import platformdirs
from absl import flags
from ml_collections import config_flags

from astgan import checks, errors, memory, sample
from astgan.nst import paint
from astgan.train import loop

TASKS = {"train": loop.train, "paint": paint.paint, "sample": sample.sample}


def main(arguments: list[str]) -> int:
  """Runs the task that the arguments ask for; returns the exit status.

  0: done, or stopped by a signal and saved. 2: the user's mistake, in one
  line. 1: anything else.
  """
  if {"--help", "-h"} & set(arguments):
    print(__doc__)
    return 0
  try:
    config, workdir = read_arguments(arguments)
    checks.one_of(config, "task", tuple(TASKS))
    checks.within(config, "seed", 0, 2**31 - 1)
    _use_compile_cache(config.compile_cache)
    devices = jax.local_devices()
    print(
      f"{config.task} into {workdir} on {len(devices)} x"
      f" {devices[0].device_kind}, jax {jax.__version__}",
      flush=True,
    )
    TASKS[config.task](config, workdir)
  except errors.UserError as error:
    return _fail(error, 2)
  except (OSError, FloatingPointError) as error:
    return _fail(error, 1)
  except KeyboardInterrupt:
    return _fail("interrupted", 1)
  return 0


def read_arguments(
  arguments: list[str],
) -> tuple[ml_collections.ConfigDict, pathlib.Path]:
  """The config and the run folder of a command line.

  Raises:
    UserError: a flag, a config file or a field that does not exist, or a
      value of the wrong type.
  """
  command = ["astgan", *arguments]
  values = _define_flags(command)
  try:
    rest = values(command)[1:]
    config = values.config
    if config is not None:
      operator.attrgetter("task")(config)  # Raises if the file did not load.
  except (flags.Error, TypeError, ValueError) as error:
    raise errors.UserError(" ".join(str(error).split())) from error
  except (AttributeError, KeyError) as error:
    fields = " ".join(a for a in arguments if a.startswith("--config."))
    raise errors.UserError(
      f"no such field: {fields} ({error}); configs/common.py lists all"
      if fields
      else f"--config is no config file ({error}); see configs/common.py"
    ) from error
  except (OSError, SyntaxError, ImportError) as error:
    raise errors.UserError(
      f"--config cannot be read: {' '.join(str(error).split())}"
    ) from error
  if rest:
    raise errors.UserError(
      f"{rest[0]}: not a flag; fields are given as --config.section.field=value"
    )
  if config is None:
    raise errors.UserError("name a config file: --config=configs/dcgan.py")
  name = pathlib.Path(config_flags.get_config_filename(values["config"])).stem
  workdir = pathlib.Path(values.workdir or f"runs/{name}").expanduser()
  return config, workdir


def _define_flags(command: list[str]) -> flags.FlagValues:
  # Their own set and command, so that any number can be read in one process.
  values = flags.FlagValues()
  config_flags.DEFINE_config_file(
    "config",
    None,
    "The config file; its fields are flags.",
    flag_values=values,
    sys_argv=command,
  )
  flags.DEFINE_string(
    "workdir", None, "The run folder; runs/NAME.", flag_values=values
  )
  return values


def _use_compile_cache(place: str) -> None:
  """Keeps compiled programs in a folder, so that a second start is quick."""
  if place == "off":
    return
  if place == "auto":
    place = platformdirs.user_cache_dir("astgan/programs")
  place = pathlib.Path(place).expanduser()
  jax.config.update("jax_compilation_cache_dir", str(place))
  jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.3)


def _fail(error: object, status: int) -> int:
  print(f"astgan: {error}", file=sys.stderr)
  return status


if __name__ == "__main__":
  memory.keep_freed_blocks()
  sys.exit(main(sys.argv[1:]))
