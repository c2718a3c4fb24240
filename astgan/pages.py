"""Pages: the config files, and their fields on the command line."""

import ast
import contextlib
import os
import pathlib
import sys
import types
from collections.abc import Iterator, Sequence

import ml_collections
from absl import flags
from ml_collections import config_flags

from astgan import checks, errors

# The configs of the checkout, which any config file can import.
_CONFIGS = pathlib.Path(__file__).resolve().parents[1] / "configs"


def read(
  arguments: Sequence[str],
) -> tuple[ml_collections.ConfigDict, pathlib.Path]:
  """The config, locked, and the run folder of a command line.

  Raises:
    UserError: a flag, a config file or a field that does not exist, a value of
      the wrong type, or a path in the home of nobody.
  """
  chosen = [a for a in arguments if a.startswith("--config=")]
  path = pathlib.Path(chosen[-1].partition("=")[2] if chosen else "")
  _check_homes("--config", str(path))
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
  config, workdir, rest = _parse(first + _last(others), path)
  if rest:
    raise errors.UserError(
      f"{rest[0]}: not a flag; fields are given as --config.section.field=value"
    )
  workdir = workdir or f"runs/{path.stem}"
  _check_homes("--workdir", workdir)
  _check_homes("config", config.to_dict())
  return config, pathlib.Path(workdir).expanduser()


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


def _last(arguments: list[str]) -> list[str]:
  """The arguments, of each flag the last alone: absl would join two tuples."""
  chosen = {}
  for number, argument in enumerate(arguments):
    name, equals, _ = argument.partition("=")
    chosen[name if equals else number] = argument
  return list(chosen.values())


def _check_fields(
  config: ml_collections.ConfigDict, arguments: Sequence[str]
) -> None:
  """Raises UserError naming the first field that the config does not have."""
  for argument in arguments:
    if argument.startswith("--config."):
      name = argument.partition("=")[0].removeprefix("--config.")
      if isinstance(checks.field(config, name), ml_collections.ConfigDict):
        raise errors.UserError(
          f"config.{name} is a section; set its fields one by one"
        )


def _check_homes(name: str, value: object) -> None:
  """Raises UserError naming the first path in a home folder of nobody.

  Args:
    name: of the flag, the field or the section.
    value: what it holds.
  """
  if isinstance(value, dict):
    for part, inside in value.items():
      _check_homes(f"{name}.{part}", inside)
  elif isinstance(value, tuple):
    for inside in value:
      _check_homes(name, inside)
  elif isinstance(value, str):
    try:
      pathlib.Path(value.removeprefix("folder:")).expanduser()
    except RuntimeError as error:
      raise errors.UserError(
        f"{name}={value}: there is no such home folder; write it out"
      ) from error


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


def listing() -> str:
  """The config files of the checkout and of the working folder."""
  blocks = []
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
