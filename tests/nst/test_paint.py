"""The task `paint`, from files to a run folder, and what it refuses."""

import functools
import json

import jax
import numpy as np
import pytest

from astgan import checkpoints, errors
from astgan.data import images
from astgan.features import weights
from astgan.nst import paint
from configs import gatys, nst, vgg16


def draw_picture(height, width, seed=0):
  return np.random.default_rng(seed).integers(
    0, 256, (height, width, 3), dtype=np.uint8
  )


@pytest.fixture(autouse=True, scope="module")
def random_weights():
  """The untrained networks, drawn once."""
  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(weights, "load", functools.cache(weights.load))
    yield


@pytest.fixture
def folder(tmp_path):
  """A photograph twice as wide as high, and a folder of two style pictures."""
  images.write(tmp_path / "harbour.png", draw_picture(40, 80))
  (tmp_path / "style").mkdir()
  for seed, shape in enumerate([(48, 40), (64, 64)]):
    picture = draw_picture(*shape, seed=seed + 1)
    images.write(tmp_path / "style" / f"{seed}.png", picture)
  return tmp_path


def make_config(folder, **changes):
  """Two steps of a small painting with an untrained network's first layers."""
  config = nst.get_config()
  config.features.weights = "random"
  config.paint.update(
    content=str(folder / "harbour.png"),
    style=str(folder / "style"),
    size=64,
    steps=2,
    style_layers=("conv_1", "conv_2"),
    content_layers=("conv_2",),
  )
  with config.unlocked():
    config.update_from_flattened_dict(changes)
  return config


def read_metrics(workdir):
  text = (workdir / "metrics.jsonl").read_text()
  return [json.loads(line) for line in text.splitlines()]


def run(folder, **changes):
  workdir = folder / "run"
  paint.paint(make_config(folder, **changes), workdir)
  return workdir


def test_the_painting_keeps_the_aspect_at_the_size_asked_for(folder):
  painted = images.read(run(folder) / "painted" / "harbour.png")
  assert painted.shape == (32, 64, 3)


def test_the_painting_differs_from_the_photograph(folder):
  painted = images.read(run(folder) / "painted" / "harbour.png")
  photograph = images.fit(images.read(folder / "harbour.png"), 64)
  assert np.abs(painted.astype(int) - photograph).mean() > 1


def test_the_run_folder_explains_itself(folder):
  workdir = run(folder)
  names = {path.name for path in workdir.iterdir()}
  assert names >= {
    "config.json",
    "losses.png",
    "metrics.jsonl",
    "painted",
    "style.json",
    "style.png",
  }
  assert any("tfevents" in name for name in names)


def test_losses_are_logged_by_picture_from_first_to_last(folder):
  lines = read_metrics(run(folder, **{"paint.steps": 3, "paint.log_every": 2}))
  assert [line["step"] for line in lines] == [0, 2, 3]
  assert {line["picture"] for line in lines} == {"harbour"}
  assert lines[0]["content/loss"] == 0
  assert lines[-1]["loss"] < lines[0]["loss"]


def test_the_style_may_be_one_picture(folder):
  style = folder / "style" / "0.png"
  assert (run(folder, **{"paint.style": str(style)}) / "painted").is_dir()


class NoiseGenerator(checkpoints.Generator):
  """Draws noise, whatever it learned."""

  def sample(self, key, count):
    return jax.random.uniform(key, (count, 32, 32, 3), minval=-1)


def put_generator(folder, monkeypatch, *, step, weight):
  """Fields for a style of five pictures, from a generator of one weight."""
  trained = folder / "trained"
  trained.mkdir(exist_ok=True)
  (trained / "config.json").write_text("{}")
  variables = {"params": np.float32([weight])}
  generator = NoiseGenerator(nst.get_config(), step, variables)
  monkeypatch.setattr(checkpoints, "load_generator", lambda path: generator)
  return {"paint.style": str(trained), "paint.style_batch": 5}


def test_a_generator_draws_the_style_batch(folder, monkeypatch):
  fields = put_generator(folder, monkeypatch, step=100, weight=1.0)
  workdir = run(folder, **fields)
  # Five pictures of 32 pixels in a row, two pixels between them.
  assert images.read(workdir / "style.png").shape == (32, 5 * 34 - 2, 3)


@pytest.mark.parametrize("init", ["style", "noise"])
def test_painting_may_start_elsewhere(folder, init):
  lines = read_metrics(run(folder, **{"paint.init": init}))
  assert lines[0]["content/loss"] > 0


def test_the_same_config_paints_the_same_picture(folder):
  first = run(folder) / "painted" / "harbour.png"
  pixels = images.read(first)
  first.unlink()
  again = run(folder) / "painted" / "harbour.png"
  np.testing.assert_array_equal(images.read(again), pixels)


def test_a_restart_keeps_what_is_painted_and_adds_the_rest(folder):
  photographs = folder / "photographs"
  photographs.mkdir()
  images.write(photographs / "a.png", draw_picture(40, 80, seed=5))
  changes = {"paint.content": str(photographs)}
  kept = run(folder, **changes) / "painted" / "a.png"
  # Marked, to be known again.
  stamp = kept.stat().st_mtime_ns
  images.write(photographs / "b.png", draw_picture(80, 40, seed=6))
  workdir = run(folder, **changes)
  assert kept.stat().st_mtime_ns == stamp
  assert images.read(workdir / "painted" / "b.png").shape == (64, 32, 3)
  lines = [(line["picture"], line["step"]) for line in read_metrics(workdir)]
  assert lines == [("a", 0), ("a", 2), ("b", 0), ("b", 2)]


def test_a_painting_begun_and_not_finished_loses_its_old_lines(folder):
  workdir = run(folder)
  (workdir / "painted" / "harbour.png").unlink()
  run(folder)
  assert [line["step"] for line in read_metrics(workdir)] == [0, 2]


def test_photographs_of_one_shape_compile_once(folder):
  photographs = folder / "photographs"
  photographs.mkdir()
  for name in "abc":
    picture = draw_picture(40, 80, seed=ord(name))
    images.write(photographs / f"{name}.png", picture)
  programs = paint.stylize._step._cache_size()
  # A size of its own, which no other test has compiled for.
  changes = {"paint.content": str(photographs), "paint.size": 72}
  run(folder, **changes)
  assert paint.stylize._step._cache_size() == programs + 1


def test_a_broken_photograph_in_a_folder_is_skipped(folder, capsys):
  photographs = folder / "photographs"
  photographs.mkdir()
  images.write(photographs / "a.png", draw_picture(40, 80))
  (photographs / "broken.jpg").write_bytes(b"no picture")
  workdir = run(folder, **{"paint.content": str(photographs)})
  assert [p.name for p in (workdir / "painted").iterdir()] == ["a.png"]
  (line,) = [
    line
    for line in capsys.readouterr().err.splitlines()
    if line.startswith("content:")
  ]
  assert "1 of 2 pictures were skipped" in line and "broken.jpg" in line


def test_a_broken_style_picture_in_a_folder_is_skipped(folder, capsys):
  (folder / "style" / "broken.jpg").write_bytes(b"no picture")
  run(folder)
  errors_ = capsys.readouterr().err
  assert "style: 1 of 3 pictures were skipped" in errors_


def refused(folder, match, **changes):
  """The one line that the changed config is refused with, nothing written."""
  with pytest.raises(errors.UserError, match=match) as caught:
    run(folder, **changes)
  assert "\n" not in str(caught.value)
  assert not (folder / "run" / "painted").exists()


@pytest.mark.parametrize(
  ("field", "value"),
  [
    ("features.net", "vgg11"),
    ("features.pooling", "median"),
    ("paint.gram", "chw"),
    ("paint.optimizer", "sgd"),
    ("paint.init", "zeros"),
    ("paint.size", 8),
    ("paint.style_size", 8),
    ("paint.steps", 0),
    ("paint.log_every", 0),
    ("paint.style_batch", 0),
    ("paint.style_weight", -1.0),
    ("paint.content_weight", float("nan")),
    ("paint.variation_weight", float("inf")),
    ("paint.learning_rate", 0.0),
    ("paint.style_layers", ("conv_99",)),
    ("paint.style_layers", ()),
    ("paint.style_layers", ("conv_1", "conv_1")),
    ("paint.content_layers", ("relu9_1",)),
    ("paint.style_layer_weights", (1.0,)),
    ("paint.style_layer_weights", (1.0, -1.0)),
    ("paint.content", ""),
    ("paint.style", ""),
  ],
)
def test_a_field_that_cannot_be_is_named(folder, field, value):
  refused(folder, field, **{field: value})


def test_a_missing_photograph_is_named(folder):
  refused(folder, "nowhere.jpg", **{"paint.content": "/nowhere.jpg"})


def test_a_missing_style_is_named(folder):
  refused(folder, "nowhere.jpg", **{"paint.style": "/nowhere.jpg"})


@pytest.mark.parametrize("field", ["paint.content", "paint.style"])
def test_a_broken_picture_named_alone_is_refused(folder, field):
  broken = folder / "broken.jpg"
  broken.write_bytes(b"no picture")
  refused(folder, "broken.jpg", **{field: str(broken)})


@pytest.mark.parametrize("field", ["paint.content", "paint.style"])
def test_a_folder_without_pictures_is_refused(folder, field):
  (folder / "empty").mkdir()
  refused(folder, "empty", **{field: str(folder / "empty")})


@pytest.mark.parametrize("field", ["paint.content", "paint.style"])
def test_a_folder_of_broken_pictures_is_refused(folder, field):
  (folder / "bad").mkdir()
  for name in ("a.jpg", "b.jpg"):
    (folder / "bad" / name).write_bytes(b"no picture")
  refused(folder, "none of its 2 pictures", **{field: str(folder / "bad")})


def test_a_photograph_that_would_be_a_thin_strip_is_refused(folder):
  images.write(folder / "strip.png", draw_picture(10, 400))
  refused(folder, "too narrow", **{"paint.content": str(folder / "strip.png")})


def test_two_photographs_of_one_name_are_refused(folder):
  for sub in ("a", "b"):
    (folder / "two" / sub).mkdir(parents=True)
    images.write(folder / "two" / sub / "x.png", draw_picture(40, 40))
  refused(folder, "rename one", **{"paint.content": str(folder / "two")})


def test_a_run_folder_without_checkpoints_is_refused(folder):
  trained = folder / "trained"
  run(folder)
  (folder / "run").rename(trained)
  refused(folder, "trained", **{"paint.style": str(trained)})


def test_another_photograph_of_the_same_name_is_refused(folder):
  workdir = run(folder)
  before = (workdir / "painted" / "harbour.png").read_bytes()
  images.write(folder / "harbour.png", draw_picture(40, 80, seed=9))
  with pytest.raises(errors.UserError, match="another photograph"):
    run(folder)
  assert (workdir / "painted" / "harbour.png").read_bytes() == before


def test_a_changed_style_picture_is_refused(folder):
  workdir = run(folder)
  before = (workdir / "painted" / "harbour.png").read_bytes()
  images.write(folder / "style" / "0.png", draw_picture(48, 40, seed=9))
  with pytest.raises(errors.UserError, match=r"style\.json.*--workdir"):
    run(folder)
  assert (workdir / "painted" / "harbour.png").read_bytes() == before


def test_a_style_picture_more_is_refused_for_new_photographs(folder):
  run(folder)
  images.write(folder / "style" / "2.png", draw_picture(48, 40, seed=9))
  images.write(folder / "boats.png", draw_picture(40, 80, seed=5))
  with pytest.raises(errors.UserError, match="is not the style"):
    run(folder, **{"paint.content": str(folder / "boats.png")})


@pytest.mark.parametrize(("step", "weight"), [(200, 1.0), (100, 2.0)])
def test_a_generator_that_trained_on_is_refused(
  folder, monkeypatch, step, weight
):
  run(folder, **put_generator(folder, monkeypatch, step=100, weight=1.0))
  fields = put_generator(folder, monkeypatch, step=step, weight=weight)
  with pytest.raises(errors.UserError, match="trained on"):
    run(folder, **fields)


def test_weights_that_were_refused_can_be_mended_in_the_same_folder(folder):
  refused(folder, "nowhere.h5", **{"features.weights": "/nowhere.h5"})
  assert (run(folder) / "painted" / "harbour.png").exists()


def test_fields_of_other_tasks_may_change(folder, capsys):
  run(folder)
  run(folder, **{"train.steps": 7, "data.size": 32, "sample.rows": 2})
  assert "is already painted" in capsys.readouterr().out


def test_another_config_in_the_same_run_folder_is_refused(folder):
  run(folder)
  with pytest.raises(errors.UserError, match=r"paint\.style_weight"):
    run(folder, **{"paint.style_weight": 1.0})


def test_a_painting_cut_short_leaves_no_file(folder, monkeypatch):
  def stop(*arguments, **options):
    raise KeyboardInterrupt

  monkeypatch.setattr(paint.stylize, "stylize", stop)
  with pytest.raises(KeyboardInterrupt):
    run(folder)
  assert not list((folder / "run" / "painted").iterdir())


@pytest.mark.parametrize("recipe", [nst, gatys, vgg16])
def test_every_recipe_paints(folder, recipe):
  config = recipe.get_config()
  config.features.weights = "random"
  config.paint.update(
    content=str(folder / "harbour.png"),
    style=str(folder / "style"),
    size=64,
    style_size=32,
    steps=2,
  )
  paint.paint(config, folder / "run")
  lines = read_metrics(folder / "run")
  assert lines[-1]["loss"] < lines[0]["loss"]
