"""Every config: its fields, its docstring, and two tiny steps."""

import importlib
import json
import re

import jax
import ml_collections
import numpy as np
import pytest

from astgan import main
from astgan.data import images
from astgan.systems import registry
from tests import pages
from tests.systems import painters
from tests.train import tiny


def field_names(config, prefix=""):
  names = set()
  for name, value in config.items():
    if isinstance(value, ml_collections.ConfigDict):
      names |= field_names(value, f"{prefix}{name}.")
    else:
      names.add(prefix + name)
  return names


@pytest.mark.parametrize("name", pages.NAMES)
def test_a_config_is_locked(name):
  assert pages.build(name).is_locked


@pytest.mark.parametrize("name", pages.NAMES)
def test_a_config_is_made_anew_each_time(name):
  pages.build(name).seed = 5
  assert pages.build(name).seed == 0


@pytest.mark.parametrize("name", pages.NAMES)
def test_a_config_has_tuples_and_no_lists(name):
  assert "[" not in repr(pages.build(name).to_dict())


@pytest.mark.parametrize("name", pages.NAMES)
def test_the_task_of_a_config_is_one_that_main_knows(name):
  assert pages.build(name).task in main.TASKS


@pytest.mark.parametrize("name", pages.NAMES)
def test_the_docstring_of_a_config_holds_its_command(name):
  text = importlib.import_module(f"configs.{name}").__doc__
  assert re.search(rf"--config=configs/{name}\.py", text)


def test_the_numbers_of_the_paper_stand():
  baseline, weakened = pages.build("dcgan_baseline"), pages.build("dcgan")
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
    [f"--config={pages.ROOT / 'configs' / name}.py", f"--workdir={workdir}"]
    + ["--config.compile_cache=off", *arguments]
  )
  assert status == 0
  lines = (workdir / "metrics.jsonl").read_text().splitlines()
  return [json.loads(line) for line in lines]


TRAININGS = pages.names_of("train")

# Each page of other options than a page before has. Those that change numbers,
# windows and schedules alone train as that one does.
TRAINED = list(
  {
    tuple(sorted(pages.options(pages.build(name)).items())): name
    for name in reversed(TRAININGS)
  }.values()
)


# The pages of painters of one pass train in tests/systems/test_painters.py.
PAINTERS = {page for page, _ in painters.PAGES.values()}


@pytest.mark.parametrize("name", sorted({*TRAINED} - PAINTERS))
def test_a_training_config_trains_two_tiny_steps(
  name, tmp_path, decoded, photographs, one_device
):
  style = photographs / "style.png"
  fields = pages.tiny_training(name, style) | {"data.cache": decoded}
  lines = run(tmp_path, name, fields)
  assert [line["step"] for line in lines] == [1, 2]
  losses = [
    value for line in lines for name, value in line.items() if "loss" in name
  ]
  assert losses and np.isfinite(losses).all()
  # The others are compared in tests/systems and tests/train/test_parallel.py.
  if name != "progan":
    return
  saved = tiny.read_checkpoint(tmp_path, 2)
  # One device makes of the same chance what two make, but for rounding, about
  # which Adam's first steps, which are signs, decide in the smallest gradients.
  with one_device():
    (first, _) = run(tmp_path / "one", name, fields)
  speed = ("images_per_second", "share_waiting_for_data")
  for key in first.keys() - set(speed):
    np.testing.assert_allclose(first[key], lines[0][key], rtol=1e-4, atol=1e-5)
  ended = tiny.read_checkpoint(tmp_path / "one", 2)
  found = [tiny.parts(checkpoint, "params") for checkpoint in (ended, saved)]
  assert tiny.distance(*found) < 1e-3


@pytest.mark.parametrize("name", sorted(set(TRAININGS) - set(TRAINED)))
def test_a_training_config_of_other_numbers_makes_its_networks(name):
  config = pages.build(name)
  if "photographs" in config.data:
    config.data.photographs = "landscapes"
  system = registry.make(config)
  state = jax.eval_shape(system.init, jax.random.key(0))
  assert state.networks


@pytest.mark.parametrize("name", pages.names_of("paint"))
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


@pytest.mark.parametrize("name", pages.names_of("sample"))
def test_a_sampling_config_draws(name, tmp_path, trained):
  fields = {"sample.run": trained, "sample.count": 2, "compile_cache": "off"}
  arguments = [f"--config.{field}={value}" for field, value in fields.items()]
  path = pages.ROOT / "configs" / f"{name}.py"
  command = [f"--config={path}", f"--workdir={tmp_path}", *arguments]
  assert main.main(command) == 0
  assert (tmp_path / "samples" / "grid_00.png").exists()


@pytest.mark.parametrize("name", pages.names_of("evaluate"))
def test_an_evaluation_config_measures(name, tmp_path, trained):
  fields = {
    "evaluate.run": trained,
    "evaluate.nets": "('random',)",
    "compile_cache": "off",
  }
  arguments = [f"--config.{field}={value}" for field, value in fields.items()]
  path = pages.ROOT / "configs" / f"{name}.py"
  command = [f"--config={path}", f"--workdir={tmp_path}", *arguments]
  assert main.main(command) == 0
  numbers = json.loads((tmp_path / "metrics.json").read_text())
  assert "kernel_random_16" in numbers
