"""Every config: its fields, its docstring, and two tiny steps."""

import importlib
import json
import pathlib
import re

import ml_collections
import numpy as np
import pytest

from astgan import main
from astgan.data import images

ROOT = pathlib.Path(__file__).parents[1]
PAGES = {path.stem for path in (ROOT / "configs").glob("*.py")}
NAMES = sorted(PAGES - {"common"})


def build(name):
  return importlib.import_module(f"configs.{name}").get_config()


def names_of(task):
  return [name for name in NAMES if build(name).task == task]


def field_names(config, prefix=""):
  names = set()
  for name, value in config.items():
    if isinstance(value, ml_collections.ConfigDict):
      names |= field_names(value, f"{prefix}{name}.")
    else:
      names.add(prefix + name)
  return names


@pytest.mark.parametrize("name", NAMES)
def test_a_config_is_locked(name):
  assert build(name).is_locked


@pytest.mark.parametrize("name", NAMES)
def test_a_config_is_made_anew_each_time(name):
  build(name).seed = 5
  assert build(name).seed == 0


@pytest.mark.parametrize("name", NAMES)
def test_a_config_has_tuples_and_no_lists(name):
  assert "[" not in repr(build(name).to_dict())


@pytest.mark.parametrize("name", NAMES)
def test_the_task_of_a_config_is_one_that_main_knows(name):
  assert build(name).task in main.TASKS


@pytest.mark.parametrize("name", NAMES)
def test_the_docstring_of_a_config_holds_its_command(name):
  text = importlib.import_module(f"configs.{name}").__doc__
  assert re.search(rf"--config=configs/{name}\.py", text)


def test_the_numbers_of_the_paper_stand():
  baseline, weakened = build("dcgan_baseline"), build("dcgan")
  for config in (baseline, weakened):
    for network in (config.generator, config.discriminator):
      assert network.optimizer == "adam"
      assert (network.learning_rate, network.beta1) == (2e-4, 0.5)
    assert (config.train.batch_size, config.model.latent_dim) == (128, 100)
    assert (config.data.size, config.model.width) == (64, 64)
    assert config.model.upsample == "transposed"
    assert config.loss.name == "nonsaturating"
  assert baseline.model.leaky_relu_slope == 0.2
  assert (baseline.loss.real_label, baseline.loss.real_label_late) == (1, 1)
  assert weakened.model.leaky_relu_slope == 0.3
  labels = weakened.loss.real_label, weakened.loss.real_label_late
  assert labels == (0.85, 0.95)
  assert weakened.loss.late_step == weakened.train.steps // 2


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
  """A photograph and a style image of noise."""
  folder = tmp_path_factory.mktemp("photographs")
  draws = np.random.default_rng(0)
  for name in ("photograph", "style"):
    noise = draws.integers(0, 256, (32, 40, 3), np.uint8)
    images.write(folder / f"{name}.png", noise)
  return folder


def run(workdir, name, fields):
  """The losses that a config's run logs, run with other fields."""
  arguments = [f"--config.{field}={value}" for field, value in fields.items()]
  status = main.main(
    [f"--config={ROOT / 'configs' / name}.py", f"--workdir={workdir}"]
    + ["--config.compile_cache=off", *arguments]
  )
  assert status == 0
  lines = (workdir / "metrics.jsonl").read_text().splitlines()
  return [json.loads(line) for line in lines]


@pytest.mark.parametrize("name", names_of("train"))
def test_a_training_config_trains_two_tiny_steps(
  name, tmp_path, decoded, photographs
):
  fields = {
    "data.size": 32,
    "data.count": 16,
    "data.cache": decoded,
    "model.width": 4,
    "train.steps": 2,
    "train.batch_size": 4,
    "train.log_every": 1,
    "train.evaluate_every": 0,
    "train.num_samples": 4,
  }
  page = build(name)
  if "photographs" in page.data:
    fields["data.photographs"] = "landscapes"
  if "features" in page:
    fields["features.weights"] = "random"
    if page.features.get("layers"):
      fields["features.layers"] = "('relu1_2', 'relu2_2')"
  if "style" in page:
    fields["style.source"] = photographs / "style.png"
  if "growth" in page:
    # At 8 pixels, which fade in.
    plan = {"batch_sizes": 4, "stable_steps": 0, "fade_steps": 4}
    fields |= {f"growth.{name}": f"({x},)" for name, x in plan.items()}
    fields |= {"data.size": 8, "model.latent_dim": 8}
  small = {"blocks": 1, "encoder_units": 8}
  fields |= {f"model.{n}": v for n, v in small.items() if n in page.model}
  lines = run(tmp_path, name, fields)
  assert [line["step"] for line in lines] == [1, 2]
  losses = [
    value for line in lines for name, value in line.items() if "loss" in name
  ]
  assert losses and np.isfinite(losses).all()
  assert (tmp_path / "checkpoints" / "2").is_dir()


@pytest.mark.parametrize("name", names_of("paint"))
def test_a_painting_config_paints_two_tiny_steps(name, tmp_path, photographs):
  fields = {
    "features.weights": "random",
    "paint.content": photographs / "photograph.png",
    "paint.style": photographs / "style.png",
    "paint.size": 40,
    "paint.coarsest": 0,
    "paint.style_size": 32,
    "paint.steps": 2,
    "paint.log_every": 1,
  }
  lines = run(tmp_path, name, fields)
  assert lines[-1]["step"] == 2
  assert np.isfinite([line["loss"] for line in lines]).all()
  assert (tmp_path / "painted" / "photograph.png").exists()


@pytest.mark.parametrize("name", names_of("sample"))
def test_a_sampling_config_draws(name, tmp_path, trained):
  fields = {"sample.run": trained, "sample.count": 2, "compile_cache": "off"}
  arguments = [f"--config.{field}={value}" for field, value in fields.items()]
  path = ROOT / "configs" / f"{name}.py"
  command = [f"--config={path}", f"--workdir={tmp_path}", *arguments]
  assert main.main(command) == 0
  assert (tmp_path / "samples" / "grid_00.png").exists()


@pytest.mark.parametrize("name", names_of("evaluate"))
def test_an_evaluation_config_measures(name, tmp_path, trained):
  fields = {
    "evaluate.run": trained,
    "evaluate.nets": "('random',)",
    "compile_cache": "off",
  }
  arguments = [f"--config.{field}={value}" for field, value in fields.items()]
  path = ROOT / "configs" / f"{name}.py"
  command = [f"--config={path}", f"--workdir={tmp_path}", *arguments]
  assert main.main(command) == 0
  numbers = json.loads((tmp_path / "metrics.json").read_text())
  assert "kernel_random_16" in numbers
