"""The front door: `python -m astgan.main --config=configs/dcgan.py`.

--config=FILE                  what to do: one of the files below, or your own
--workdir=FOLDER               the run folder; runs/NAME of configs/NAME.py
--config.section.field=VALUE   any field of the file, which explains them
"""

import argparse
import ast
import contextlib
import importlib.machinery
import logging
import pathlib
import sys
import traceback
import types
from collections.abc import Callable, Iterator

import jax
import ml_collections
import platformdirs
import tqdm
from absl import logging as absl_logging

from astgan import checks, errors, memory, sample
from astgan.nst import paint
from astgan.train import loop

TASKS = {"train": loop.train, "paint": paint.paint, "sample": sample.sample}

# The checkout's configs, which any config file can import.
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
  with _messages():
    try:
      config, workdir = read_arguments(arguments)
      checks.one_of(config, "task", tuple(TASKS))
      checks.within(config, "seed", 0, 2**31 - 1)
      _use_compile_cache(config.compile_cache)
      devices = jax.local_devices()
      kind = f"{len(devices)} x {devices[0].device_kind}, jax {jax.__version__}"
      logger.info("%s into %s on %s", config.task, workdir, kind)
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
  """The config, locked, and the run folder of a command line.

  Raises:
    UserError: a flag, a config file or a field that does not exist, or a
      value of the wrong type.
  """
  parser = argparse.ArgumentParser(
    add_help=False, allow_abbrev=False, exit_on_error=False
  )
  parser.add_argument("--config")
  parser.add_argument("--workdir")
  try:
    flags, rest = parser.parse_known_args(arguments)
  except argparse.ArgumentError as error:
    raise errors.UserError(str(error)) from error
  if not flags.config:
    raise errors.UserError(
      "name a config file: --config=configs/dcgan.py; --help lists them"
    )
  path = pathlib.Path(flags.config).expanduser()
  config = _load(path)
  for name in ("task", "seed", "compile_cache"):
    _find(config, name)
  for argument in rest:
    name, equals, text = argument.partition("=")
    if not (name.startswith("--config.") and equals):
      raise errors.UserError(
        f"{argument}: not a flag;"
        " fields are given as --config.section.field=value"
      )
    _set(config, name.removeprefix("--config."), text)
  return config, pathlib.Path(flags.workdir or f"runs/{path.stem}").expanduser()


def _load(path: pathlib.Path) -> ml_collections.ConfigDict:
  """What get_config of a file returns, locked."""
  if not path.is_file():
    raise errors.UserError(
      f"--config={path} is not a file; --help lists the config files"
    )
  place = path.resolve()
  module = types.ModuleType(place.stem)
  try:
    with _configs_of(place):
      loader = importlib.machinery.SourceFileLoader(place.stem, str(place))
      loader.exec_module(module)
      config = module.get_config()
      if not isinstance(config, ml_collections.ConfigDict):
        raise TypeError("get_config does not return a ConfigDict")
      return config.lock()
  except Exception as error:
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f.lineno for f in frames if f.filename == str(place)]
    where = f"{path}, line {lines[-1]}" if lines else str(path)
    text = " ".join(f"{type(error).__name__}: {error}".split())
    raise errors.UserError(f"--config={where}: {text}") from error


@contextlib.contextmanager
def _configs_of(path: pathlib.Path) -> Iterator[None]:
  """Makes `configs` the package that a config file means when it imports it.

  Its modules come from the folder of the file, where that is called `configs`,
  and then from the checkout. Afterwards sys.modules is as before: the next
  file, of another checkout, gets none of them.
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


def _find(
  section: object, name: str, *, where: str = "config"
) -> tuple[ml_collections.ConfigDict, str]:
  """The section that holds the field of a dotted name, and its name there."""
  if not isinstance(section, ml_collections.ConfigDict):
    raise errors.UserError(f"{where} is a field, not a section")
  part, _, rest = name.partition(".")
  if part not in section:
    raise errors.UserError(
      f"{where} has no {'section' if rest else 'field'} {part};"
      f" it has {', '.join(section)}"
    )
  if rest:
    return _find(section[part], rest, where=f"{where}.{part}")
  return section, part


def _set(config: ml_collections.ConfigDict, name: str, text: str) -> None:
  """Sets the field of a dotted name to a text, read as the field's type."""
  section, field = _find(config, name)
  kind = section.get_type(field)
  if kind is ml_collections.ConfigDict:
    raise errors.UserError(
      f"config.{name} is a section; it has {', '.join(section[field])}"
    )
  if kind not in _TYPES:
    raise errors.UserError(f"config.{name} can be set in a config file only")
  expected, read = _TYPES[kind]
  try:
    section[field] = read(text)
  except (ValueError, SyntaxError, KeyError) as error:
    raise errors.UserError(
      f"config.{name} is {expected}; got {text!r}"
    ) from error


def _read_boolean(text: str) -> bool:
  return {"true": True, "1": True, "false": False, "0": False}[text.lower()]


def _read_tuple(text: str) -> tuple:
  value = ast.literal_eval(text)
  return tuple(value) if isinstance(value, (tuple, list)) else (value,)


_TYPES: dict[type, tuple[str, Callable[[str], object]]] = {
  bool: ("true or false", _read_boolean),
  int: ("an integer", int),
  float: ("a number", float),
  str: ("a text", str),
  tuple: ("a tuple, such as (1, 2) or ('a', 'b')", _read_tuple),
}


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


class _Lines(logging.Handler):
  """Writes messages as plain lines above the progress bars.

  What astgan tells goes to stdout; warnings and errors, also those of other
  packages, go to stderr.
  """

  def filter(self, record: logging.LogRecord) -> bool:
    ours = record.name.split(".")[0] == "astgan"
    return ours or record.levelno >= logging.WARNING

  def emit(self, record: logging.LogRecord) -> None:
    stream = sys.stdout if record.levelno < logging.WARNING else sys.stderr
    try:
      tqdm.tqdm.write(self.format(record), file=stream)
      stream.flush()
    except Exception:
      self.handleError(record)


@contextlib.contextmanager
def _messages() -> Iterator[None]:
  """Shows messages through one handler, in place of other console handlers."""
  root, package = logging.getLogger(), logging.getLogger("astgan")
  handlers, level = root.handlers, package.level
  consoles = (logging.StreamHandler, absl_logging.ABSLHandler)
  kept = [handler for handler in handlers if type(handler) not in consoles]
  root.handlers = [*kept, _Lines()]
  package.setLevel(logging.INFO)
  try:
    yield
  finally:
    root.handlers = handlers
    package.setLevel(level)


def _fail(error: object, status: int) -> int:
  logger.error("astgan: %s", error)
  return status


if __name__ == "__main__":
  memory.keep_freed_blocks()
  sys.exit(main(sys.argv[1:]))
