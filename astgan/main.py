"""The front door: `python -m astgan.main --config=configs/dcgan.py`.

--config=FILE                  what to do: one of the files below, or your own
--workdir=FOLDER               the run folder; runs/NAME of configs/NAME.py
--config.section.field=VALUE   any field of the file, which explains them
"""

import ast
import contextlib
import logging
import os
import pathlib
import sys
import types
from collections.abc import Iterator

import jax
import ml_collections
import platformdirs
from absl import flags
from ml_collections import config_flags

from astgan import checks, errors, evaluate, memory, messages, sample
from astgan.nst import paint
from astgan.train import loop

TASKS = {
  "train": loop.train,
  "paint": paint.paint,
  "sample": sample.sample,
  "evaluate": evaluate.evaluate,
}

# The configs of the checkout, which any config file can import.
_CONFIGS = pathlib.Path(__file__).resolve().parents[1] / "configs"
# Not __name__, which is __main__ when this file is the program.
logger = logging.getLogger("astgan.main")


def main(arguments: list[str]) -> int:
  """Runs the task that the arguments ask for; returns the exit status.

  0: done, or stopped by a signal and saved. 2: the user's mistake, in one
  line. 1: anything else.
  """
  if {"--help", "-h"} & set(arguments):
    print(_help())
    return 0
  with messages.shown():
    try:
      config, workdir = read_arguments(arguments)
      checks.one_of(config, "task", tuple(TASKS))
      checks.within(config, "seed", 0)
      checks.filled(config, "compile_cache")
      _use_compile_cache(config.compile_cache)
      devices = jax.local_devices()
      kind = f"{len(devices)} x {devices[0].device_kind}, jax {jax.__version__}"
      logger.info("%s into %s on %s", config.task, workdir, kind)
      TASKS[config.task](config, workdir)
    except errors.UserError as error:
      return _fail(error, 2)
    except (OSError, FloatingPointError, errors.TrainingFailure) as error:
      return _fail(error, 1)
    except KeyboardInterrupt:
      return _fail("interrupted", 1)
  return 0


def read_arguments(
  arguments: list[str],
) -> tuple[ml_collections.ConfigDict, pathlib.Path]:
  """The config, locked, and the run folder of a command line.

  Raises:
    UserError: a flag, a config file or a field that does not exist, or a
      value of the wrong type.
  """
  chosen = [a for a in arguments if a.startswith("--config=")]
  path = pathlib.Path(chosen[-1].partition("=")[2] if chosen else "")
  path = path.expanduser()
  if not path.name:
    raise errors.UserError(
      "name a config file: --config=configs/dcgan.py; --help lists them"
    )
  # Unlike `path.is_file`, False for a name that is too long.
  if not os.path.isfile(path):
    raise errors.UserError(f"--config={path} is no file; --help lists them")
  # The file comes first: its fields are the flags that may follow.
  first = [f"--config={path}"]
  config, _, _ = _parse(first, path)
  _check_fields(config, arguments)
  others = [argument for argument in arguments if argument not in chosen]
  config, workdir, rest = _parse(first + others, path)
  if rest:
    raise errors.UserError(
      f"{rest[0]}: not a flag; fields are given as --config.section.field=value"
    )
  return config, pathlib.Path(workdir or f"runs/{path.stem}").expanduser()


def _parse(
  arguments: list[str], path: pathlib.Path
) -> tuple[ml_collections.ConfigDict, str | None, list[str]]:
  """Config, run folder and what is left of a command line."""
  command = ["astgan", *arguments]
  # Flags of their own, so that any number can be read in one process.
  values = flags.FlagValues()
  config_flags.DEFINE_config_file(
    "config", None, "", flag_values=values, sys_argv=command
  )
  flags.DEFINE_string("workdir", None, "", flag_values=values)
  try:
    with _configs_of(path.resolve()):
      rest = values(command)[1:]
      config = values.config.lock()
    for name in ("task", "seed", "compile_cache"):
      checks.field(config, name)
  except flags.Error as error:
    raise errors.UserError(" ".join(str(error).split())) from error
  except errors.UserError:
    raise
  except Exception as error:  # A config file is any program.
    text = " ".join(f"{type(error).__name__}: {error}".split())
    raise errors.UserError(f"--config={path}: {text}") from error
  return config, values.workdir, rest


def _check_fields(
  config: ml_collections.ConfigDict, arguments: list[str]
) -> None:
  """Raises UserError naming the first field that the config does not have."""
  for argument in arguments:
    if argument.startswith("--config."):
      name = argument.partition("=")[0].removeprefix("--config.")
      if isinstance(checks.field(config, name), ml_collections.ConfigDict):
        raise errors.UserError(
          f"config.{name} is a section; set its fields one by one"
        )


@contextlib.contextmanager
def _configs_of(path: pathlib.Path) -> Iterator[None]:
  """Makes `configs` the package that a config file means when it imports it.

  Its modules come from the folder of the file, where that is called `configs`,
  and then from the checkout. Afterwards sys.modules is as before: a file of
  another checkout gets none of them.
  """
  own = [path.parent] if path.parent.name == "configs" else []
  package = types.ModuleType("configs")
  package.__path__ = [str(folder) for folder in (*own, _CONFIGS)]
  before = _pop_configs()
  sys.modules["configs"] = package
  try:
    yield
  finally:
    _pop_configs()
    sys.modules.update(before)


def _pop_configs() -> dict[str, types.ModuleType]:
  names = [name for name in sys.modules if name.split(".")[0] == "configs"]
  return {name: sys.modules.pop(name) for name in names}


def _help() -> str:
  """The flags, and the config files of the checkout and the working folder."""
  blocks = [__doc__.strip()]
  for folder in dict.fromkeys((_CONFIGS, pathlib.Path("configs").resolve())):
    paths = sorted(set(folder.glob("*.py")) - {folder / "common.py"})
    width = max((len(path.name) for path in paths), default=0)
    lines = [f"  {path.name:{width}}  {_summary(path)}" for path in paths]
    if lines:
      blocks.append("\n".join([f"{folder}:", *lines]))
  return "\n\n".join(blocks)


def _summary(path: pathlib.Path) -> str:
  """The first line of a file's docstring."""
  try:
    text = ast.get_docstring(ast.parse(path.read_bytes()))
  except (OSError, SyntaxError, ValueError) as error:
    return f"({type(error).__name__})"
  return (text or "").partition("\n")[0]


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
  logger.error("astgan: %s", error)
  return status


if __name__ == "__main__":
  memory.keep_freed_blocks()
  sys.exit(main(sys.argv[1:]))
