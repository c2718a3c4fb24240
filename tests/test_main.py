"""The command line: exit statuses, and one line for each mistake."""

import pathlib
import subprocess
import sys

import jax
import pytest
from PIL import Image

from astgan import checkpoints, errors, main
from tests.train import tiny

SMOKE = "--config=configs/smoke.py"


@pytest.fixture(autouse=True)
def _process(monkeypatch):
  """Commands are given where the project lies, each as if it were the first."""
  monkeypatch.chdir(pathlib.Path(__file__).parents[1])
  monkeypatch.delitem(sys.modules, "config_config", raising=False)


@pytest.fixture
def tiny_run(decoded):
  """The arguments of the run of the fixture `trained`."""
  fields = {
    "compile_cache": "off",
    "data.cache": decoded,
    "data.count": 16,
    "model.width": 4,
    "model.latent": 5,
    "train.steps": 12,
    "train.batch_size": 4,
    "train.log_every": 2,
    "train.sample_every": 4,
    "train.save_every": 4,
    "train.samples": 4,
    "train.keep": 9,
  }
  return [
    SMOKE,
    *(f"--config.{name}={value}" for name, value in fields.items()),
  ]


def refuse(capsys, *arguments):
  """The one line on stderr with which the arguments are refused."""
  assert main.main(list(arguments)) == 2
  lines = capsys.readouterr().err.splitlines()
  assert len(lines) == 1, lines
  assert lines[0].startswith("astgan: ")
  return lines[0]


def test_a_run_from_the_command_line_is_the_same_run(
  tiny_run, tmp_path, trained
):
  assert main.main([*tiny_run, f"--workdir={tmp_path}"]) == 0
  tiny.assert_equal(
    tiny.read_checkpoint(tmp_path, 12), tiny.read_checkpoint(trained, 12)
  )


def test_the_first_line_tells_task_folder_and_devices(
  tiny_run, trained, capsys
):
  main.main([*tiny_run, "--config.train.steps=4", f"--workdir={trained}"])
  first = capsys.readouterr().out.splitlines()[0]
  assert first.startswith(f"train into {trained} on 2 x")
  assert jax.__version__ in first


def test_samples_are_drawn_from_the_command_line(trained, tmp_path):
  arguments = [
    "--config=configs/sample.py",
    f"--config.sample.run={trained}",
    "--config.sample.count=4",
    "--config.compile_cache=off",
    f"--workdir={tmp_path}",
  ]
  assert main.main(arguments) == 0
  with Image.open(tmp_path / "samples" / "grid_00.png") as grid:
    assert grid.size == (66, 66)


def test_the_run_folder_is_named_after_the_config_by_default():
  _, workdir = main.read_arguments(["--config=configs/dcgan_baseline.py"])
  assert workdir == pathlib.Path("runs/dcgan_baseline")


def test_fields_are_set_by_flags_in_their_types():
  config, workdir = main.read_arguments(
    [
      SMOKE,
      "--config.train.learning_rate=1e-3",
      "--config.data.flip=true",
      "--config.paint.style_layers=('conv_1',)",
      "--config.train.steps_per_call=4",
      "--workdir=elsewhere",
    ]
  )
  assert config.train.learning_rate == 1e-3
  assert config.data.flip is True
  assert config.paint.style_layers == ("conv_1",)
  assert config.train.steps_per_call == 4
  assert workdir == pathlib.Path("elsewhere")


def test_a_run_folder_may_lie_in_the_home_folder():
  _, workdir = main.read_arguments([SMOKE, "--workdir=~/run"])
  assert workdir == pathlib.Path.home() / "run"


def test_one_command_s_fields_do_not_reach_the_next():
  changed, _ = main.read_arguments([SMOKE, "--config.seed=5"])
  config, workdir = main.read_arguments([SMOKE])
  assert (changed.seed, config.seed) == (5, 0)
  assert workdir == pathlib.Path("runs/smoke")


def test_the_half_way_step_follows_the_number_of_steps():
  config, _ = main.read_arguments([SMOKE, "--config.train.steps=50"])
  assert config.train.late_step == 25


@pytest.mark.parametrize(
  ("arguments", "told"),
  [
    ([], "--config=configs/dcgan.py"),
    ([SMOKE, "--wordkir=x"], "wordkir"),
    ([SMOKE, "stray"], "stray"),
    ([SMOKE, "--config.train.stepps=5"], "--config.train.stepps=5"),
    ([SMOKE, "--config.trane.steps=5"], "--config.trane.steps=5"),
    ([SMOKE, "--config.stepps=5"], "--config.stepps=5"),
    ([SMOKE, "--config.train.steps=many"], "train.steps"),
    ([SMOKE, "--config.train.learning_rate=fast"], "train.learning_rate"),
    ([SMOKE, "--config.data.flip=perhaps"], "data.flip"),
    ([SMOKE, "--config.train=5"], "train"),
    (["--config=configs/nowhere.py"], "configs/nowhere.py"),
    (["--config=configs"], "configs"),
    (["--config="], "--config"),
    ([SMOKE, "--config.task=dance"], "config.task"),
    ([SMOKE, "--config.seed=-1"], "config.seed"),
    ([SMOKE, "--config.seed=99999999999"], "config.seed"),
    ([SMOKE, "--config.train.batch_size=5"], "config.train.batch_size"),
    ([SMOKE, "--config.data.source=folder:/nowhere"], "/nowhere"),
    ([SMOKE, "--config.data.source=nowhere"], "config.data.source"),
    (["--config=configs/sample.py"], "config.sample.run"),
    (
      ["--config=configs/sample.py", "--config.sample.run=/nowhere"],
      "/nowhere",
    ),
  ],
)
def test_a_mistake_is_one_line_that_names_it(capsys, tmp_path, arguments, told):
  workdir = tmp_path / "run"
  if SMOKE in arguments or "sample" in "".join(arguments):
    arguments = [*arguments, f"--workdir={workdir}"]
    arguments += ["--config.compile_cache=off"]
  assert told in refuse(capsys, *arguments)


@pytest.mark.parametrize(
  ("text", "told"),
  [
    ("def get_config(:", "broken.py"),
    ("import nowhere", "nowhere"),
    ("x = 1", "get_config"),
  ],
)
def test_a_config_file_that_does_not_load_is_one_line(
  capsys, tmp_path, text, told
):
  path = tmp_path / "broken.py"
  path.write_text(text)
  assert told in refuse(capsys, f"--config={path}")


def test_an_empty_folder_of_pictures_is_one_line(capsys, tmp_path):
  (tmp_path / "pictures").mkdir()
  line = refuse(
    capsys,
    SMOKE,
    f"--config.data.source=folder:{tmp_path / 'pictures'}",
    "--config.compile_cache=off",
    f"--workdir={tmp_path / 'run'}",
  )
  assert str(tmp_path / "pictures") in line


def test_a_run_folder_that_is_a_file_is_one_line(capsys, tmp_path):
  (tmp_path / "run").write_text("")
  line = refuse(
    capsys,
    SMOKE,
    "--config.compile_cache=off",
    f"--workdir={tmp_path / 'run'}",
  )
  assert "--workdir" in line


def test_a_changed_config_is_one_line_with_the_difference(
  capsys, tiny_run, trained
):
  line = refuse(capsys, *tiny_run, "--config.seed=1", f"--workdir={trained}")
  assert "seed: 0 -> 1" in line


@pytest.mark.parametrize(
  "error",
  [
    OSError(28, "No space left on device"),
    FloatingPointError("generator/loss is nan at step 7"),
    KeyboardInterrupt(),
  ],
)
def test_what_is_not_the_user_s_mistake_is_one_line_and_status_1(
  capsys, monkeypatch, error
):
  def fail(config, workdir):
    raise error

  monkeypatch.setitem(main.TASKS, "train", fail)
  assert main.main([SMOKE, "--config.compile_cache=off"]) == 1
  (line,) = capsys.readouterr().err.splitlines()
  assert line.removeprefix("astgan: ") in (str(error), "interrupted")


def test_an_error_of_the_program_s_keeps_its_traceback(monkeypatch):
  def fail(config, workdir):
    raise RuntimeError("a bug")

  monkeypatch.setitem(main.TASKS, "train", fail)
  with pytest.raises(RuntimeError, match="a bug"):
    main.main([SMOKE, "--config.compile_cache=off"])


def test_programs_are_kept_where_the_config_says(tmp_path, monkeypatch):
  monkeypatch.setitem(main.TASKS, "train", lambda config, workdir: None)
  before = jax.config.jax_compilation_cache_dir
  try:
    assert main.main([SMOKE, f"--config.compile_cache={tmp_path}"]) == 0
    assert jax.config.jax_compilation_cache_dir == str(tmp_path)
  finally:
    jax.config.update("jax_compilation_cache_dir", before)


def test_a_run_that_diverges_ends_with_status_1_and_its_checkpoints(
  capsys, tiny_run, tmp_path, monkeypatch
):
  save = checkpoints.Checkpoints.save

  def diverge(self, step, state):
    if step > 4:
      raise FloatingPointError("state['generator']")
    save(self, step, state)

  monkeypatch.setattr(checkpoints.Checkpoints, "save", diverge)
  assert main.main([*tiny_run, f"--workdir={tmp_path}"]) == 1
  line = capsys.readouterr().err.splitlines()[-1]
  assert "the last good checkpoint is step 4" in line
  assert checkpoints.load_generator(tmp_path).step == 4


def test_the_module_runs_as_a_program_and_gives_its_status():
  process = subprocess.run(
    [sys.executable, "-m", "astgan.main", "--config=configs/nowhere.py"],
    capture_output=True,
    text=True,
  )
  assert process.returncode == 2
  assert process.stderr.count("\n") == 1, process.stderr


def test_user_errors_of_the_arguments_are_raised_as_such():
  with pytest.raises(errors.UserError):
    main.read_arguments(["--nonsense"])
