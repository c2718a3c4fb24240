"""The run folder: written whole, and continued with its own config only."""

import json
import os

import pytest

from astgan import errors, runs
from configs import common


def make_config(**changes):
  config = common.get_config()
  config.update_from_flattened_dict(changes)
  return config


def names_in(folder):
  return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced_by_the_whole_new_one(tmp_path):
  path = tmp_path / "file.txt"
  path.write_text("old")
  runs.write_atomically(path, b"new")
  assert (path.read_bytes(), names_in(tmp_path)) == (b"new", ["file.txt"])


def test_until_the_new_file_is_whole_the_old_one_stands(tmp_path):
  path = tmp_path / "file.txt"
  path.write_text("old")
  with runs.replacing(path) as temporary:
    temporary.write_text("ne")
    assert path.read_text() == "old"


def test_an_exception_leaves_the_old_file_and_nothing_else(tmp_path):
  path = tmp_path / "file.txt"
  path.write_text("old")

  def stumble():
    with runs.replacing(path) as temporary:
      temporary.write_text("ne")
      raise RuntimeError

  with pytest.raises(RuntimeError):
    stumble()
  assert (path.read_text(), names_in(tmp_path)) == ("old", ["file.txt"])


def test_a_written_file_may_be_read_as_any_other(tmp_path):
  (tmp_path / "plain").write_text("")
  runs.write_atomically(tmp_path / "ours", b"")
  modes = {os.stat(path).st_mode for path in tmp_path.iterdir()}
  assert len(modes) == 1


def test_a_run_folder_tells_its_whole_config(tmp_path):
  workdir = tmp_path / "some" / "run"
  runs.open_run(workdir, make_config(seed=3), free=())
  fields = json.loads((workdir / "config.json").read_text())
  assert fields["seed"] == 3
  assert set(fields["train"]) == set(common.get_config().train)


def test_a_config_comes_back_as_it_was_but_for_tuples(tmp_path):
  config = make_config(**{"model.slope": 0.3})
  runs.open_run(tmp_path, config, free=())
  read = runs.read_config(tmp_path)
  assert read.is_locked
  assert read.model.to_dict() == config.model.to_dict()
  assert list(read.paint.style_layers) == list(config.paint.style_layers)


def test_the_same_config_is_accepted_tuples_and_all(tmp_path):
  for _ in range(2):
    runs.open_run(tmp_path, make_config(), free=())


def test_all_differences_are_named_with_both_values(tmp_path):
  runs.open_run(tmp_path, make_config(), free=())
  changed = make_config(**{"seed": 1, "model.slope": 0.3})
  with pytest.raises(errors.UserError) as caught:
    runs.open_run(tmp_path, changed, free=())
  assert "model.slope: 0.2 -> 0.3; seed: 0 -> 1" in str(caught.value)
  assert "\n" not in str(caught.value)


def test_a_refused_config_leaves_the_old_one(tmp_path):
  runs.open_run(tmp_path, make_config(), free=())
  with pytest.raises(errors.UserError):
    runs.open_run(tmp_path, make_config(seed=1), free=())
  assert runs.read_config(tmp_path).seed == 0


def test_a_free_field_may_change_and_is_written(tmp_path):
  runs.open_run(tmp_path, make_config(), free=())
  changed = make_config(**{"train.keep": 5})
  runs.open_run(tmp_path, changed, free=("train.keep",))
  assert runs.read_config(tmp_path).train.keep == 5


def test_a_free_section_may_change_as_a_whole(tmp_path):
  runs.open_run(tmp_path, make_config(), free=())
  changed = make_config(**{"paint.steps": 5, "paint.init": "noise"})
  runs.open_run(tmp_path, changed, free=("paint.",))
  assert runs.read_config(tmp_path).paint.steps == 5


def test_a_free_field_frees_no_other(tmp_path):
  runs.open_run(tmp_path, make_config(), free=())
  changed = make_config(**{"paint.steps": 5})
  with pytest.raises(errors.UserError, match=r"paint\.steps"):
    runs.open_run(tmp_path, changed, free=("train.steps", "sample."))


def test_a_file_in_the_folder_s_place_is_refused(tmp_path):
  (tmp_path / "run").write_text("")
  for workdir in (tmp_path / "run", tmp_path / "run" / "below"):
    with pytest.raises(errors.UserError, match="cannot be written"):
      runs.open_run(workdir, make_config(), free=())


@pytest.mark.parametrize("number", [13, 30])
def test_a_folder_that_cannot_be_written_is_refused(
  tmp_path, monkeypatch, number
):
  def refuse(**_):
    # 13: no permission; 30: a file system that is only read.
    raise OSError(number, os.strerror(number))

  monkeypatch.setattr(runs.tempfile, "TemporaryFile", refuse)
  with pytest.raises(errors.UserError, match="cannot be written") as caught:
    runs.open_run(tmp_path, make_config(), free=())
  assert os.strerror(number) in str(caught.value)


def test_a_full_disk_is_no_mistake_of_the_user(tmp_path, monkeypatch):
  def fail(**_):
    raise OSError(28, "No space left on device")

  monkeypatch.setattr(runs.tempfile, "TemporaryFile", fail)
  with pytest.raises(OSError, match="No space left"):
    runs.open_run(tmp_path, make_config(), free=())


def test_a_folder_without_a_config_is_no_run(tmp_path):
  with pytest.raises(errors.UserError, match="is no run folder"):
    runs.read_config(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "\udcff"])
def test_a_damaged_config_is_named(tmp_path, text):
  path = tmp_path / "config.json"
  path.write_text(text, errors="surrogateescape")
  with pytest.raises(errors.UserError, match=r"config\.json cannot be read"):
    runs.read_config(tmp_path)


def test_a_config_without_fields_is_named(tmp_path):
  (tmp_path / "config.json").write_text("[]")
  with pytest.raises(errors.UserError, match=r"config\.json holds no fields"):
    runs.read_config(tmp_path)
