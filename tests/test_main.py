"""The command line: config files, fields, messages and exit statuses."""

import contextlib
import errno
import logging
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest.mock

import jax
import pytest
import tqdm

from astgan import errors, main, pages, stop
from astgan.data import images
from configs import smoke
from tests import pictures

ROOT = pathlib.Path(__file__).parents[1]
MINE = "--config=mine.py"

FILE = '''"""Few fields."""
from ml_collections import ConfigDict

def get_config():
  net = ConfigDict(dict(width=8, rate=0.5, flip=False, taps=(), name=""))
  net.half = net.get_ref("width") // 2
  return ConfigDict(dict(task="train", seed=0, compile_cache="off", model=net))
'''


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
  """The working folder, which holds mine.py."""
  monkeypatch.chdir(tmp_path)
  (tmp_path / "mine.py").write_text(FILE)
  return tmp_path


def refuse(capsys, *arguments):
  """The one line with which the arguments are refused."""
  assert main.main(list(arguments)) == 2
  (line,) = capsys.readouterr().err.splitlines()
  assert line.startswith("astgan: ")
  return line


def test_a_config_file_imports_the_configs_of_its_own_checkout(folder):
  for seed in (1, 2):
    configs = folder / f"checkout_{seed}" / "configs"
    configs.mkdir(parents=True)
    (configs / "common.py").write_text(FILE.replace("seed=0", f"seed={seed}"))
    (configs / "page.py").write_text("from configs.common import get_config")
  path = list(sys.path)
  for seed in (1, 2, 1):
    page = f"checkout_{seed}/configs/page.py"
    config, workdir = pages.read([f"--config={page}"])
    assert (config.seed, workdir) == (seed, pathlib.Path("runs/page"))
  assert sys.path == path
  assert sys.modules["configs.smoke"] is smoke


@pytest.mark.parametrize("name", ["own.py", "configs/own.py"])
def test_a_file_anywhere_imports_the_configs_beside_the_package(folder, name):
  (folder / "configs").mkdir()
  (folder / name).write_text("from configs.smoke import get_config")
  config, _ = pages.read([f"--config={folder / name}"])
  assert config.to_dict() == smoke.get_config().to_dict()


def test_the_module_runs_as_a_program_from_any_folder(folder):
  # Python finds the package in the working folder, but no configs beside it.
  (folder / "astgan").symlink_to(ROOT / "astgan")
  command = [sys.executable, "-m", "astgan.main", "--config.seed=-1"]
  command += [f"--config={ROOT / 'configs' / 'smoke.py'}"]
  process = subprocess.run(command, capture_output=True, text=True)
  assert process.returncode == 2
  assert re.fullmatch("astgan: config.seed is .*; got -1\n", process.stderr)


@pytest.mark.parametrize(
  ("field", "text", "value"),
  [
    ("width", "16", 16),
    ("rate", "1e-3", 1e-3),
    ("rate", "2", 2.0),
    ("flip", "true", True),
    ("taps", "('one',)", ("one",)),
    ("taps", "[1, 2]", (1, 2)),
    ("name", "a=b c", "a=b c"),
  ],
)
def test_a_field_is_set_in_its_type(field, text, value):
  config, _ = pages.read([MINE, f"--config.model.{field}={text}"])
  read = config.model[field]
  assert (read, type(read)) == (value, type(value))
  assert config.is_locked


def test_a_command_changes_its_own_config_and_what_follows_from_it():
  changed, _ = pages.read([MINE, "--config.model.width=50"])
  config, workdir = pages.read([MINE, "--workdir", "~/run"])
  assert (changed.model.half, config.model.half) == (25, 4)
  assert workdir == pathlib.Path.home() / "run"


@pytest.mark.parametrize(
  ("argument", "told"),
  [
    ("--workdir=run", "name a config file: --config=configs/dcgan.py; --help"),
    ("--config=no.py", "--config=no.py is no file; --help lists"),
    (f"--config={'9' * 300}", "is no file; --help lists"),
    ("--config.compile_cache=", "config.compile_cache is empty"),
    ("--wordkir=x", "'wordkir'. Did you mean: workdir"),
    ("stray", "stray: not a flag; fields are given as"),
    ("--workdir", "workdir"),
    ("--config.model.slop=1", "model has no field slop; it has flip, half, na"),
    ("--config.modell.width=1", "config has no field modell; it has compile"),
    ("--config.seed.x=1", "config.seed has no field x; it has no fields"),
    ("--config.model=5", "config.model is a section"),
    ("--config.seed=1.5", "config.seed=1.5"),
    ("--config.model.rate=x", "config.model.rate=x"),
    ("--config.model.flip=x", "config.model.flip=x"),
    ("--config.task=dance", "config.task is one of train, paint, sample"),
  ],
)
def test_a_mistake_is_one_line_that_names_it(capsys, argument, told):
  file = [] if argument == "--workdir=run" else [MINE]
  assert told in refuse(capsys, *file, argument)


@pytest.mark.parametrize(
  ("text", "told"),
  [
    ("def (:", "SyntaxError: invalid syntax (mine.py, line 1)"),
    ("\nimport nowhere", "mine.py: ModuleNotFoundError: No module"),
    ("from configs import nowhere", "cannot import name 'nowhere'"),
    ("get_config = dict", "mine.py"),
    (FILE.replace("seed=0", "sed=0"), "config has no field seed; it has"),
  ],
)
def test_a_mistake_in_a_config_file_is_one_line(capsys, folder, text, told):
  (folder / "mine.py").write_text(text)
  assert told in refuse(capsys, MINE)


@pytest.mark.parametrize(
  "error",
  [
    *(OSError("no space"), FloatingPointError("nan"), KeyboardInterrupt()),
    errors.TrainingFailure("the generator is dead"),
  ],
)
def test_a_failure_is_one_line_and_status_1(capsys, monkeypatch, error):
  fail = unittest.mock.Mock(side_effect=error)
  monkeypatch.setitem(main.TASKS, "train", fail)
  assert main.main([MINE]) == 1
  told = str(error) or "interrupted"
  assert capsys.readouterr().err == f"astgan: {told}\n"


def test_messages_are_lines_above_the_progress_bars(capsys, monkeypatch):
  def tell(config, workdir):
    logging.getLogger("another").setLevel(logging.INFO)
    with tqdm.tqdm(total=2):
      for name in ("astgan.train", "another"):
        logging.getLogger(name).info("%s tells", name)
        logging.getLogger(name).warning("%s warns", name)

  monkeypatch.setitem(main.TASKS, "train", tell)
  assert main.main([MINE]) == 0
  out, err = capsys.readouterr()
  first = f"train into runs/mine on 2 x .*, jax {jax.__version__}\n"
  assert re.fullmatch(f"{first}astgan.train tells\n", out)
  # Each follows the return with which the bar was cleared.
  assert re.findall(r"\r(\S+) warns\n", err) == ["astgan.train", "another"]


# The fake system, whose training gets a signal when a step is scheduled.
STOPPED = """
import os, signal
from astgan.systems import registry
from tests.train import fake

class Hit(fake.Fake):
  def turns(self, step, phase):
    if step == int(os.environ["AT"]):
      signal.raise_signal(signal.SIGTERM)
    return super().turns(step, phase)

registry.SYSTEMS["fake"] = Hit

def get_config():
  return fake.make_config({cache!r})
"""


def test_a_stopped_run_ends_with_the_status_that_says_so(folder):
  (folder / "mine.py").write_text(STOPPED.format(cache=str(folder / "cache")))
  variables = os.environ | {"PYTHONPATH": str(ROOT)}
  variables["ASTGAN_STOPPED_STATUS"] = "75"
  ends = [
    subprocess.run(
      [sys.executable, "-m", "astgan.main", MINE],
      env=variables | {"AT": at},
      capture_output=True,
      text=True,
    )
    for at in ("8", "-1")
  ]
  assert [end.returncode for end in ends] == [75, 0], ends[0].stderr
  assert "stopped by SIGTERM" in ends[0].stdout
  assert "finished" in ends[1].stdout


def test_a_painting_that_was_stopped_is_known(folder, monkeypatch):
  images.write(folder / "a.png", pictures.noise(48, 48))
  fields = {f"paint.{x}": folder / "a.png" for x in ("content", "style")}
  fields |= {"paint.size": 48, "paint.steps": 1, "compile_cache": "off"}
  fields |= {"features.weights": "random"}
  monkeypatch.setattr(
    stop, "signals", lambda: contextlib.nullcontext(["SIGTERM"])
  )
  monkeypatch.setenv("ASTGAN_STOPPED_STATUS", "75")
  page = f"--config={ROOT / 'configs' / 'fast.py'}"
  flags = [f"--config.{name}={value}" for name, value in fields.items()]
  assert (main.main([page, *flags]), main.stopped_status()) == (0, 75)


def test_a_run_that_nothing_stopped_ends_with_status_0(monkeypatch):
  monkeypatch.setenv("ASTGAN_STOPPED_STATUS", "75")
  stop_it = unittest.mock.Mock(side_effect=lambda *_: stop.early.set())
  for task, status in ((stop_it, 75), (unittest.mock.Mock(), 0)):
    monkeypatch.setitem(main.TASKS, "train", task)
    assert (main.main([MINE]), main.stopped_status()) == (0, status)


@pytest.mark.parametrize("text", ["", "stop", "-1", "256", "1" * 5000])
def test_a_status_that_is_none_is_refused(capsys, monkeypatch, text):
  monkeypatch.setenv("ASTGAN_STOPPED_STATUS", text)
  assert "ASTGAN_STOPPED_STATUS=" in refuse(capsys, MINE)


@pytest.mark.parametrize("is_there", [True, False])
def test_programs_that_cannot_be_kept_are_said_so_once(
  folder, monkeypatch, capsys, is_there
):
  place = folder / "programs"
  if is_there:
    refused = OSError(errno.EROFS, "Read-only file system")
    monkeypatch.setattr(
      tempfile, "TemporaryFile", unittest.mock.Mock(side_effect=refused)
    )
  else:
    place.touch()

  def compile_some(config, workdir):
    for number in range(2):
      jax.jit(lambda x, number=number: x + number)(jax.numpy.ones(3))

  monkeypatch.setitem(main.TASKS, "train", compile_some)
  names = ("jax_compilation_cache_dir",)
  names += ("jax_persistent_cache_min_compile_time_secs",)
  before = {name: getattr(jax.config, name) for name in names}
  try:
    assert main.main([MINE, f"--config.compile_cache={place}"]) == 0
  finally:
    for name, value in before.items():
      jax.config.update(name, value)
  reason = "Read-only file system" if is_there else "File exists"
  (line,) = capsys.readouterr().err.splitlines()
  told = f"config.compile_cache={place}: cannot be written ({reason});"
  assert line.startswith(told)
  assert not is_there or not list(place.iterdir())


def test_programs_are_kept_where_the_config_says(folder, monkeypatch):
  monkeypatch.setitem(main.TASKS, "train", lambda config, workdir: None)
  before = jax.config.jax_compilation_cache_dir
  try:
    assert main.main([MINE, f"--config.compile_cache={folder}"]) == 0
    assert jax.config.jax_compilation_cache_dir == str(folder)
  finally:
    jax.config.update("jax_compilation_cache_dir", before)


@pytest.mark.parametrize(
  ("flag", "name"),
  [
    ("--config=~no_user/mine.py", "--config=~no_user/mine.py"),
    ("--workdir=~no_user/run", "--workdir=~no_user/run"),
    (
      "--config.model.name=folder:~no_user",
      "config.model.name=folder:~no_user",
    ),
    ("--config.model.taps=('a','~no_user')", "config.model.taps=~no_user"),
  ],
)
def test_a_path_in_a_home_of_nobody_is_refused(capsys, flag, name):
  line = refuse(capsys, MINE, flag)
  assert f"{name}: there is no such home folder" in line


def test_help_lists_the_config_files_with_their_first_lines(folder, capsys):
  (folder / "configs").mkdir()
  for name, text in {"own": FILE, "common": FILE, "longer": "def (:"}.items():
    (folder / "configs" / f"{name}.py").write_text(text)
  assert main.main(["--help"]) == 0
  flags, checkout, here = capsys.readouterr().out.split("\n\n/")
  assert flags == main.__doc__.strip()
  assert re.search(rf"\n  smoke.py +{smoke.__doc__.splitlines()[0]}", checkout)
  lines = ["  longer.py  (SyntaxError)", "  own.py     Few fields."]
  assert here.splitlines()[1:] == lines
