"""The plan of a sweep: which trainings, in which order, refused when."""

import pathlib

import pytest

from astgan import errors, runs
from astgan.data import images
from astgan.sweep import plan
from configs import cyclegan_small
from configs import sweep as page
from tests import pictures


def settings_of(tmp_path, **changes):
  config = page.get_config()
  config.sweep.update({"page": "configs/smoke.py", **changes})
  planned = plan.make(config, tmp_path)
  return [(run.setting, run.seed) for run in planned]


ROOT = pathlib.Path(__file__).parents[2]
PHOTOGRAPH = ROOT / "docs" / "demo.jpg"
PAINTING = f"configs/nst.py&paint.content={PHOTOGRAPH}"
FIELDS = ("model.width=4|8", "loss.name=hinge|wasserstein")
CLIPPED = {"changes": ("loss.weight_clip=0.01",)}


def test_a_grid_is_all_combinations_each_with_all_seeds(tmp_path):
  found = settings_of(tmp_path, fields=FIELDS, seeds=(3, 5), **CLIPPED)
  assert found == [
    (f"model.width={width}, loss.name={name}", seed)
    for width in (4, 8)
    for name in ("hinge", "wasserstein")
    for seed in (3, 5)
  ]


def test_each_is_the_page_and_then_one_change_at_a_time(tmp_path):
  found = settings_of(tmp_path, fields=FIELDS, design="each", **CLIPPED)
  assert [setting for setting, _ in found] == [
    "the page",
    "model.width=4",
    "model.width=8",
    "loss.name=hinge",
    "loss.name=wasserstein",
  ]


def test_a_run_has_the_values_of_its_setting_over_those_of_all_runs(tmp_path):
  config = page.get_config()
  config.sweep.page = "configs/smoke.py"
  policy = "diff_augment.policy=('cutout',)"  # Tuples replace each other, too.
  config.sweep.changes = ("model.width=2", "train.steps=7", policy)
  config.sweep.fields = ("model.width=4", "diff_augment.policy=()|('colour',)")
  config.sweep.seeds = (6,)
  first, second = plan.make(config, tmp_path)
  assert first.config.model.width == 4
  assert (first.config.train.steps, first.config.seed) == (7, 6)
  assert second.config.diff_augment.policy == ("colour",)
  assert first.workdir.parent == second.workdir.parent == tmp_path / "runs"
  assert first.workdir.name == "model.width=4,diff_augment.policy=_,seed=6"


def test_values_and_pages_bring_further_changes_of_their_own(tmp_path):
  config = page.get_config()
  config.sweep.page = "configs/smoke.py|configs/hinge.py&train.steps=9"
  config.sweep.fields = ("model.width=4|8&data.size=32",)
  planned = plan.make(config, tmp_path)
  assert [run.setting for run in planned] == [
    "smoke, model.width=4",
    "smoke, model.width=8, data.size=32",
    "hinge, train.steps=9, model.width=4",
    "hinge, train.steps=9, model.width=8, data.size=32",
  ]
  last = planned[-1].config
  assert (last.loss.name, last.train.steps, last.model.width) == ("hinge", 9, 8)
  assert last.data.size == 32


def test_long_settings_have_folders_of_their_own_with_names_that_fit(tmp_path):
  layers = [f"conv_{number}" for number in range(1, 17)]
  config = page.get_config()
  config.sweep.page = f"configs/nst.py&paint.content={PHOTOGRAPH}"
  config.sweep.fields = (
    f"paint.style_layers={tuple(layers)!r}|{tuple(layers[:15])!r}",
  )
  first, second = plan.make(config, tmp_path)
  assert len(first.workdir.name) <= 255 and len(second.workdir.name) <= 255
  assert first.workdir != second.workdir


@pytest.mark.parametrize(
  ("changes", "message"),
  [
    ({"page": "absent.py"}, "absent.py is no file"),
    ({"page": "configs/sample.py"}, "is a page of task sample"),
    ({"page": "configs/nst.py"}, "paint.content is empty"),
    ({"page": "configs/nst.py&paint.size=9"}, "paint.size is at least 32"),
    (
      {"page": f"configs/smoke.py|configs/nst.py&paint.content={PHOTOGRAPH}"},
      "trains and paints",
    ),
    ({"fields": ("model.breadth=1",)}, "config.model has no field breadth"),
    ({"changes": (1,)}, "config.sweep.changes holds texts"),
    ({"fields": (1,)}, "config.sweep.fields holds texts"),
    ({"scalars": (1,)}, "config.sweep.scalars holds texts"),
    ({"fields": ("model.width",)}, "is not FIELD=VALUE"),
    ({"fields": ("model.width=4|",)}, "has an empty part"),
    ({"fields": ("seed=1|2",)}, "config.sweep.seeds"),
    ({"fields": ("model.width=4&seed=1",)}, "config.sweep.seeds"),
    ({"changes": ("seed=1",)}, "config.sweep.seeds"),
    ({"fields": ("discriminator.frozen=('down_9',)",)}, "'down_9'; it has"),
    ({"fields": ("model.width=4|x",)}, "model.width"),
    ({"fields": ("model.width=4|4",)}, "two of its runs are the same"),
    ({"fields": ("model.width=4|0",)}, "config.model.width is at least 1"),
    ({"changes": ("train.steps=0",)}, "config.train.steps is at least 1"),
    ({"design": "random"}, "config.sweep.design is one of grid, each"),
    ({"seeds": ()}, "config.sweep.seeds holds integers"),
    ({"seeds": (0, -1)}, "config.seed"),
    (
      {"fields": ("evaluate.best_metric=kernel|diversity",)},
      "best_metric=diversity: no better and worse",
    ),
    ({"fields": ("evaluate.nets=('random',)|('none',)",)}, "evaluate.nets"),
    ({"fields": ("data.source=landscapes|folder:no",)}, "source=folder:no"),
    (
      {"page": PAINTING, "fields": ("paint.style=absent.jpg",)},
      r"config.paint.style=absent.jpg: there is no such file or folder",
    ),
    (
      {"page": PAINTING, "fields": ("paint.masks=('absent.png',)",)},
      r"config.paint.masks=absent.png",
    ),
    (
      {"page": PAINTING, "fields": ("features.weights=random|absent.npz",)},
      r"config.features.weights=absent.npz",
    ),
  ],
)
def test_what_cannot_be_is_refused_before_anything_runs(
  tmp_path, changes, message
):
  with pytest.raises(errors.UserError, match=message):
    settings_of(tmp_path, **changes)
  assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
  ("field", "needed"),
  # The receptive field of six blocks is 121 pixels.
  [("paint.coarsest=64|48", 46), ("paint.style=wide.png|painter", 121)],
)
def test_a_photograph_too_narrow_for_one_value_is_refused_before_anything_runs(
  tmp_path, monkeypatch, field, needed
):
  monkeypatch.chdir(tmp_path)
  images.write(tmp_path / "wide.png", pictures.noise(40, 160))
  painter = cyclegan_small.get_config()
  painter.data.photographs = "landscapes"
  runs.open_run(tmp_path / "painter", painter)
  with pytest.raises(errors.UserError, match=f"too narrow.* {needed} are"):
    settings_of(
      tmp_path / "sweep",
      page=f"{ROOT}/configs/nst.py&paint.content=wide.png&paint.size=128",
      fields=(field,),
    )
