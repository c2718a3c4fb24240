"""The command line: config files, fields, messages and exit statuses."""

import logging
import os
import pathlib
import subprocess
import sys
import unittest.mock

import jax
import pytest
import tqdm

from astgan import main
from configs import smoke

ROOT = pathlib.Path(__file__).parents[1]
MINE = "--config=mine.py"

FILE = '''"""A file of few fields."""
import ml_collections

def get_config():
  model = ml_collections.ConfigDict(
    dict(width=8, rate=0.5, flip=False, taps=("one", "two"), name="dcgan")
  )
  model.half = model.get_ref("width") // 2
  fields = dict(task="train", seed=0, compile_cache="off", model=model)
  return ml_collections.ConfigDict(fields)
'''
PAGE = """from configs import common

def get_config():
  config = common.get_config()
  config.seed = common.SEED
  return config
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
  """The working folder, which holds mine.py."""
  monkeypatch.chdir(tmp_path)
  (tmp_path / "mine.py").write_text(FILE)
  return tmp_path


def test_a_config_file_imports_the_configs_of_its_own_checkout(folder):
  for seed in (1, 2):
    configs = folder / f"checkout_{seed}" / "configs"
    configs.mkdir(parents=True)
    (configs / "common.py").write_text(f"SEED = {seed}\n{FILE}")
    (configs / "page.py").write_text(PAGE)
  path, modules = list(sys.path), dict(sys.modules)
  for seed in (1, 2, 1):
    page = f"checkout_{seed}/configs/page.py"
    config, workdir = main.read_arguments([f"--config={page}"])
    assert (config.seed, workdir) == (seed, pathlib.Path("runs/page"))
  assert sys.path == path
  names = [name for name in modules if name.startswith("configs")]
  assert "configs.smoke" in names
  assert all(sys.modules[name] is modules[name] for name in names)


@pytest.mark.parametrize("name", ["own.py", "configs/own.py"])
def test_a_file_anywhere_imports_the_configs_beside_the_package(folder, name):
  (folder / "configs").mkdir()
  (folder / name).write_text(
    "from configs import smoke\n\nget_config = smoke.get_config"
  )
  config, _ = main.read_arguments([f"--config={folder / name}"])
  assert config.to_dict() == smoke.get_config().to_dict()


def test_the_module_runs_as_a_program_from_any_folder(folder):
  # Only the package is on the path: not the folder that also holds configs/.
  (folder / "path").mkdir()
  (folder / "path" / "astgan").symlink_to(ROOT / "astgan")
  process = subprocess.run(
    [sys.executable, "-m", "astgan.main"]
    + [f"--config={ROOT / 'configs' / 'smoke.py'}", "--config.seed=-1"],
    env=os.environ | {"PYTHONPATH": str(folder / "path")},
    capture_output=True,
    text=True,
  )
  told = "astgan: config.seed is at least 0 and at most 2147483647; got -1\n"
  assert (process.returncode, process.stderr) == (2, told)


@pytest.mark.parametrize(
  ("field", "text", "value"),
  [
    ("width", "16", 16),
    ("half", "3", 3),
    ("rate", "1e-3", 1e-3),
    ("rate", "2", 2.0),
    ("flip", "true", True),
    ("taps", "('one',)", ("one",)),
    ("taps", "[1, 2]", (1, 2)),
    ("taps", "1", (1,)),
    ("name", "a=b c", "a=b c"),
  ],
)
def test_a_field_is_set_in_its_type(field, text, value):
  config, _ = main.read_arguments([MINE, f"--config.model.{field}={text}"])
  assert config.model[field] == value
  assert type(config.model[field]) is type(value)
  assert config.is_locked


def test_a_command_changes_its_own_config_and_what_follows_from_it():
  changed, workdir = main.read_arguments(
    ["--config.model.width=50", "--workdir", "~/run", "--config", "mine.py"]
  )
  config, _ = main.read_arguments([MINE])
  assert (changed.model.half, config.model.half) == (25, 4)
  assert workdir == pathlib.Path.home() / "run"


@pytest.mark.parametrize(
  ("argument", "told"),
  [
    ("--workdir=run", "name a config file: --config=configs/dcgan.py; --help"),
    ("--config=no.py", "--config=no.py is not a file; --help lists"),
    ("--wordkir=x", "--wordkir=x: not a flag; fields are given as"),
    ("--workdir", "--workdir: expected one argument"),
    ("--config.model.slop=1", "model has no field slop; it has flip, half, na"),
    ("--config.modell.width=1", "config has no section modell; it has compile"),
    ("--config.seed.x=1", "config.seed is a field, not a section"),
    ("--config.model=5", "config.model is a section; it has flip, half"),
    ("--config.seed=1.5", "config.seed is an integer; got '1.5'"),
    ("--config.model.rate=x", "config.model.rate is a number; got 'x'"),
    ("--config.model.flip=x", "config.model.flip is true or false; got 'x'"),
    ("--config.model.taps=x", "config.model.taps is a tuple, such as (1, 2)"),
    ("--config.task=dance", "config.task is one of train, paint, sample"),
  ],
)
def test_a_mistake_is_one_line_that_names_it(capsys, argument, told):
  needs_file = not argument.startswith(("--config=", "--workdir="))
  assert main.main([MINE, argument] if needs_file else [argument]) == 2
  (line,) = capsys.readouterr().err.splitlines()
  assert line.startswith("astgan: ")
  assert told in line


@pytest.mark.parametrize(
  ("text", "told"),
  [
    ("def get_config(:", "SyntaxError: invalid syntax (mine.py, line 1)"),
    ("\nimport nowhere", "mine.py, line 2: ModuleNotFoundError: No module"),
    ("from configs import nowhere", "cannot import name 'nowhere'"),
    ("x = 1", "has no attribute 'get_config'"),
    ("get_config = dict", "get_config does not return a ConfigDict"),
    (FILE.replace("seed=0", "sed=0"), "config has no field seed; it has"),
  ],
)
def test_a_config_file_that_does_not_load_is_one_line(
  capsys, folder, text, told
):
  (folder / "mine.py").write_text(text)
  assert main.main([MINE]) == 2
  (line,) = capsys.readouterr().err.splitlines()
  assert told in line


@pytest.mark.parametrize(
  "error", [OSError("no space"), FloatingPointError("nan"), KeyboardInterrupt()]
)
def test_what_is_no_mistake_of_the_user_is_one_line_and_status_1(
  capsys, monkeypatch, error
):
  task = unittest.mock.Mock(side_effect=error)
  monkeypatch.setitem(main.TASKS, "train", task)
  assert main.main([MINE]) == 1
  told = capsys.readouterr().err
  assert told == f"astgan: {str(error) or 'interrupted'}\n"


def test_an_error_of_the_program_keeps_its_traceback(monkeypatch):
  task = unittest.mock.Mock(side_effect=RuntimeError("a bug"))
  monkeypatch.setitem(main.TASKS, "train", task)
  with pytest.raises(RuntimeError, match="a bug"):
    main.main([MINE])


def test_messages_are_plain_lines_that_leave_the_progress_bars_whole(
  capsys, monkeypatch
):
  def tell(config, workdir):
    logging.getLogger("orbax").setLevel(logging.INFO)
    with tqdm.tqdm(total=2):
      for name in ("astgan.train", "orbax"):
        logging.getLogger(name).info("%s tells", name)
        logging.getLogger(name).warning("%s warns", name)

  monkeypatch.setitem(main.TASKS, "train", tell)
  before = logging.root.handlers
  assert main.main([MINE]) == 0
  assert logging.root.handlers is before
  out, err = capsys.readouterr()
  first, *rest = out.splitlines()
  assert first.startswith("train into runs/mine on 2 x ")
  assert first.endswith(f", jax {jax.__version__}")
  assert rest == ["astgan.train tells"]
  lines = [line.strip() for line in err.replace("\r", "\n").splitlines()]
  told = [line for line in lines if line and "| 0/2 [" not in line]
  assert told == ["astgan.train warns", "orbax warns"]


def test_programs_are_kept_where_the_config_says(folder, monkeypatch):
  monkeypatch.setitem(main.TASKS, "train", lambda config, workdir: None)
  before = jax.config.jax_compilation_cache_dir
  try:
    assert main.main([MINE, f"--config.compile_cache={folder}"]) == 0
    assert jax.config.jax_compilation_cache_dir == str(folder)
  finally:
    jax.config.update("jax_compilation_cache_dir", before)


def test_help_lists_the_config_files_with_their_first_lines(folder, capsys):
  (folder / "configs").mkdir()
  for name in ("mine", "common", "longer"):
    (folder / "configs" / f"{name}.py").write_text(FILE)
  (folder / "configs" / "longer.py").write_text("def broken(:")
  assert main.main(["--help"]) == 0
  text = capsys.readouterr().out
  assert text.startswith(main.__doc__)
  assert f"  smoke.py           {smoke.__doc__.splitlines()[0]}\n" in text
  assert text.endswith(
    f"\n{folder}/configs:\n"
    "  longer.py  (SyntaxError)\n  mine.py    A file of few fields.\n"
  )
