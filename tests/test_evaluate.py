"""The task `evaluate`: runs and folders of images, and what it refuses."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from astgan import errors, evaluate, runs, sampling
from astgan.data import compared, images
from astgan.features import extractors, weights
from astgan.metrics import colours
from astgan.models import translator
from astgan.systems import gan, translated
from astgan.train import evaluation
from configs import evaluate as page
from tests.metrics import tiny
from tests.train import tiny as training

QUICK = {"evaluate.nets": ("random",), "evaluate.count": 12}


def make_config(**changes):
  """A quick config; changes by dotted name, `__` for `.`."""
  config = page.get_config()
  names = {name.replace("__", "."): value for name, value in changes.items()}
  config.update_from_flattened_dict(QUICK | {"data.size": 32} | names)
  return config


def write(folder, found):
  folder.mkdir(parents=True)
  for number, image in enumerate(found):
    images.write(folder / f"{number:03d}.png", image)
  return str(folder)


@pytest.fixture(scope="module")
def folders(tmp_path_factory, decoded):
  """Fields for 14 images to measure and 14 to compare them with."""
  folder = tmp_path_factory.mktemp("folders")
  pictures = write(folder / "pictures", tiny.draw(14, seed=0))
  reals = write(folder / "reals", tiny.draw(14, seed=1))
  return {
    "evaluate__pictures": pictures,
    "data__source": f"folder:{reals}",
    "data__cache": str(decoded),
  }


def read(workdir):
  return json.loads((workdir / "metrics.json").read_text())


def read_numbers(workdir):
  """The numbers without what they depend on."""
  fields = ("step", "reference", "hold_out", "seed", "subset_size")
  found = read(workdir)
  return {name: found[name] for name in found if name not in fields}


@pytest.fixture(scope="module")
def measured(trained, tmp_path_factory):
  """What the evaluation of a run writes."""
  workdir = tmp_path_factory.mktemp("evaluated")
  evaluate.evaluate(make_config(evaluate__run=str(trained)), workdir)
  return workdir


def test_a_run_is_measured_against_what_it_was_trained_on(measured):
  numbers = read_numbers(measured)
  assert {"frechet_random_12", "kernel_random_12_std", "colours_12"} <= set(
    numbers
  )
  assert np.isfinite(list(numbers.values())).all()


def test_what_the_numbers_depend_on_stands_beside_them(measured):
  fields = {"step": 12, "reference": "training", "hold_out": 0.0, "seed": 0}
  assert read(measured).items() >= (fields | {"subset_size": 6}).items()


def test_a_row_shows_an_image_and_its_seven_nearest(measured):
  for name in ("pixels", "random"):
    sheet = np.asarray(Image.open(measured / f"nearest_{name}.png"))
    assert sheet.shape == (12 * 34 - 2, 8 * 34 - 2, 3)


def test_sheets_of_networks_that_are_no_longer_asked_for_go(measured, tmp_path):
  shutil.copytree(measured, tmp_path, dirs_exist_ok=True)
  config = runs.read_config(tmp_path).unlock()
  config.evaluate.update(nets=(), metrics=("colours",))
  evaluate.evaluate(config, tmp_path)
  names = {path.name for path in tmp_path.glob("nearest_*.png")}
  assert names == {"nearest_pixels.png"}


def test_the_same_seed_measures_the_same(trained, measured, tmp_path):
  evaluate.evaluate(make_config(evaluate__run=str(trained)), tmp_path)
  assert read(tmp_path) == read(measured)


def test_an_earlier_checkpoint_is_measured_by_its_number(trained, tmp_path):
  config = make_config(
    evaluate__run=str(trained),
    evaluate__step="4",
    evaluate__metrics=("colours",),
  )
  evaluate.evaluate(config, tmp_path)
  assert read(tmp_path)["step"] == 4


def test_a_network_that_the_system_used_is_labelled(
  trained, tmp_path, monkeypatch
):
  monkeypatch.setattr(gan.GAN, "feature_nets", ("random",), raising=False)
  config = make_config(
    evaluate__run=str(trained), evaluate__metrics=("diversity", "colours")
  )
  evaluate.evaluate(config, tmp_path)
  assert {"diversity_random_12_seen", "colours_12"} <= set(read(tmp_path))
  sheets = {path.name for path in tmp_path.glob("nearest_*.png")}
  assert sheets == {"nearest_pixels.png", "nearest_random_seen.png"}


def test_pictures_are_compared_with_the_images_of_the_source(folders, tmp_path):
  config = make_config(
    **folders, evaluate__count=100, evaluate__metrics=("colours",)
  )
  evaluate.evaluate(config, tmp_path)
  histograms = [colours.histogram(tiny.draw(14, seed=seed)) for seed in (0, 1)]
  assert read_numbers(tmp_path) == {"colours_14": colours.distance(*histograms)}


def test_copies_of_the_source_are_found_out(folders, tmp_path):
  fields = folders | {"evaluate__pictures": folders["data__source"][7:]}
  config = make_config(**fields, evaluate__metrics=("authenticity",))
  evaluate.evaluate(config, tmp_path)
  assert read_numbers(tmp_path) == {"authenticity_random_12": 0}
  sheet = np.asarray(Image.open(tmp_path / "nearest_random.png"))
  np.testing.assert_array_equal(sheet[:, :32], sheet[:, 34:66])


def test_held_out_images_are_the_reference_and_the_floor(folders, tmp_path):
  config = make_config(
    **folders, data__hold_out=0.5, evaluate__metrics=("colours", "kernel")
  )
  evaluate.evaluate(config, tmp_path)
  assert read(tmp_path)["reference"] == "held_out"
  assert read(tmp_path)["hold_out"] == 0.5
  numbers = read_numbers(tmp_path)
  names = {name for name in numbers if not name.startswith("floor/")}
  assert {f"floor/{name}" for name in names} == set(numbers) - names


def test_a_window_of_what_training_crops_is_compared(folders):
  data = make_config(**folders, data__crop="random").data
  found = compared.read_reals(data)
  assert [len(side) for side in found] == [14, 0]
  large = images.resize(tiny.draw(14, seed=1)[3], 36, 36)
  windows = np.lib.stride_tricks.sliding_window_view(large, (32, 32, 3))
  same = np.all(windows == found.training[3], axis=(-3, -2, -1))
  assert np.sum(same) == 1


def test_the_table_has_values_and_floors():
  text = evaluate.table({"colours_2k": 0.5, "fid_2k": 12.3}, {"fid_2k": 1.0})
  assert [line.split() for line in text.splitlines()] == [
    ["value", "floor"],
    ["colours_2k", "0.5", "-"],
    ["fid_2k", "12.3", "1"],
  ]


def refuse(workdir, words, **fields):
  with pytest.raises(errors.UserError, match=words) as caught:
    evaluate.evaluate(make_config(**fields), workdir)
  assert "\n" not in str(caught.value)
  assert not (workdir / "metrics.json").exists()
  assert not (workdir / "config.json").exists()


@pytest.mark.parametrize(
  ("changes", "words"),
  [
    ({"evaluate__run": "runs/some"}, "give one of config.evaluate.run"),
    ({"evaluate__pictures": ""}, "give one of config.evaluate.run"),
    ({"data__source": ""}, "data.source is empty"),
    ({"evaluate__pictures": "/no/such"}, "no such file or folder"),
    ({"evaluate__count": 5}, "evaluate.count is at least 6"),
    ({"evaluate__subset_size": 13}, "evaluate.subset_size=13 .* the 12"),
    ({"evaluate__subset_size": 1}, "evaluate.subset_size is 0"),
    ({"evaluate__subsets": 0}, "evaluate.subsets"),
    ({"evaluate__metrics": ()}, "evaluate.metrics is empty"),
    ({"evaluate__metrics": ("fid",)}, "evaluate.metrics holds any of"),
    ({"evaluate__nets": ("vgg",)}, "evaluate.nets holds any of"),
    ({"evaluate__nets": (), "evaluate__metrics": ("kernel",)}, "nets is empty"),
    ({"evaluate__nets": ("inception",)}, "evaluate.inception is empty"),
    (
      {"evaluate__nets": ("inception",), "evaluate__inception": "/no/such.pth"},
      "^config.evaluate.inception: weights of inception: /no/such.pth: ",
    ),
    ({"data__hold_out": 1.0}, "data.hold_out is at least 0 and below 1"),
    ({"data__size": 34}, "data.size=34"),
  ],
)
def test_a_field_that_cannot_be_is_named(folders, tmp_path, changes, words):
  refuse(tmp_path, words, **(folders | changes))


def test_a_run_whose_images_have_changed_is_refused(trained, tmp_path):
  run = tmp_path / "run"
  shutil.copytree(trained, run)
  learned = json.loads((run / "images.json").read_text())
  learned["paintings"]["count"] -= 1
  (run / "images.json").write_text(json.dumps(learned))
  words = "not those that the run learned from"
  refuse(tmp_path, words, evaluate__run=str(run), evaluate__nets=("random",))


def test_a_source_of_equal_images_is_refused(folders, tmp_path):
  folder = write(tmp_path / "equal", tiny.draw(1).repeat(8, axis=0))
  equal = {"data__source": f"folder:{folder}"}
  refuse(tmp_path, "leave diversity out", **(folders | equal))


def test_a_training_has_no_inception_and_names_this_task():
  config = training.make_config(evaluate__nets=("random", "inception"))
  with pytest.raises(errors.UserError, match="the task evaluate") as caught:
    evaluation.check(config)
  assert "\n" not in str(caught.value)


def test_untrained_weights_of_inception_are_said_to_be_unpublished(
  folders, tmp_path, caplog, monkeypatch
):
  net = tiny.make()
  monkeypatch.setattr(weights, "load", lambda *_: net.params)
  monkeypatch.setitem(extractors.APPLIES, "inception", net.apply)
  config = make_config(
    **folders,
    evaluate__nets=("inception",),
    evaluate__inception="random",
    evaluate__metrics=("frechet",),
  )
  evaluate.evaluate(config, tmp_path)
  assert "is not the published file" in caplog.text
  assert list(read_numbers(tmp_path)) == ["frechet_inception_12"]


def test_pictures_of_mixed_sizes_are_refused(folders, tmp_path):
  folder = write(tmp_path / "mixed", [*tiny.draw(6), tiny.draw(1, 40)[0]])
  words = "000.png has 32 x 32 pixels and 006.png 40 x 40"
  refuse(tmp_path, words, **(folders | {"evaluate__pictures": folder}))


def test_a_folder_without_pictures_is_refused(folders, tmp_path):
  (tmp_path / "empty").mkdir()
  empty = {"evaluate__pictures": str(tmp_path / "empty")}
  refuse(tmp_path, "holds no images", **(folders | empty))


def test_too_few_pictures_are_refused(folders, tmp_path):
  folder = write(tmp_path / "few", tiny.draw(5))
  few = {"evaluate__pictures": folder}
  refuse(tmp_path, "evaluate.count: 5 images", **(folders | few))


@pytest.mark.parametrize("step", ["5", "first"])
def test_a_step_without_a_checkpoint_is_refused(trained, tmp_path, step):
  refuse(tmp_path, "step", evaluate__run=str(trained), evaluate__step=step)


def test_another_size_than_the_generator_draws_is_refused(
  trained, folders, tmp_path
):
  fields = folders | {"evaluate__pictures": "", "evaluate__run": str(trained)}
  refuse(tmp_path, "data.size=64: .* 32", **fields, data__size=64)


def test_a_run_without_a_generator_is_refused(trained, tmp_path, monkeypatch):
  painter = sampling.Trained(
    12, translated.Painter(translator.Translator(4, 1), {}), trained
  )
  monkeypatch.setattr(sampling, "load", lambda *_, **__: painter)
  refuse(
    tmp_path, "trained no generator; paint with", evaluate__run=str(trained)
  )


def test_a_run_of_before_a_field_of_its_images_is_refused(trained, tmp_path):
  shutil.copytree(trained, tmp_path / "run")
  path = tmp_path / "run" / "config.json"
  fields = json.loads(path.read_text())
  del fields["data"]["zoom"]
  path.write_text(json.dumps(fields))
  words = "config.data has no field zoom.*; give config.data.source"
  refuse(tmp_path, words, evaluate__run=str(tmp_path / "run"))


def test_a_folder_that_is_no_run_is_refused(tmp_path):
  refuse(tmp_path, "no run folder", evaluate__run=str(tmp_path / "nothing"))
