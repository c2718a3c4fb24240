"""The run folder: written whole, and continued with its own config only."""

import os
from unittest import mock

import ml_collections
import pytest

from astgan import errors, runs


def make_config(**changes):
  fields = {"task": "train", "system": "gan", "seed": 0}
  sections = {"model": {"sizes": (4, 8)}, "train": {"steps": 10, "size": 2}}
  config = ml_collections.ConfigDict(fields | sections)
  config.paint = {"steps": 10}
  config.update_from_flattened_dict(changes)
  return config


def refusal(call, *arguments):
  with pytest.raises(errors.UserError) as refused:
    call(*arguments)
  assert "\n" not in str(refused.value)
  return str(refused.value)


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
  path, plain = tmp_path / "a", tmp_path / "b"
  assert path.write_text("old") == plain.write_text("old")
  with pytest.raises(KeyError), runs.replacing(path) as temporary:
    temporary.write_text("ne")
    raise KeyError
  assert path.read_text() == "old"
  runs.write_atomically(path, b"new")
  assert path.read_text() == "new"
  assert set(tmp_path.iterdir()) == {path, plain}
  assert os.stat(path).st_mode == os.stat(plain).st_mode  # Others may read it.


def test_a_config_is_kept_whole_and_accepted_again(tmp_path):
  for _ in range(2):
    runs.open_run(tmp_path / "some" / "run", make_config())
  config = runs.read_training(tmp_path / "some" / "run")
  assert config.is_locked
  lists = make_config().to_json(sort_keys=True)  # JSON has no tuples.
  assert config.to_json(sort_keys=True) == lists


def test_all_differences_are_named_and_the_old_config_stays(tmp_path):
  runs.open_run(tmp_path, make_config())
  changes = {"seed": 1, "train.size": 4}
  line = refusal(runs.open_run, tmp_path, make_config(**changes))
  assert "(seed: 0 -> 1; train.size: 2 -> 4)" in line
  assert runs.read_config(tmp_path).seed == 0


@pytest.mark.parametrize("field", ["train.steps", "paint.steps"])
def test_free_fields_and_sections_of_other_tasks_may_change(tmp_path, field):
  runs.open_run(tmp_path, make_config())
  changed = make_config(**{field: 5})
  runs.check_run(tmp_path, changed)
  assert runs.read_config(tmp_path).train.steps == 10
  runs.open_run(tmp_path, changed)
  assert runs.read_config(tmp_path)[field[:5]].steps == 5


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
  (tmp_path / "run").touch()
  for workdir in (tmp_path / "run", tmp_path / "run" / "below"):
    assert "cannot be written" in refusal(runs.open_run, workdir, make_config())


# 13: no permission. 30: read only. 28: a full disk, no mistake of the user.
@pytest.mark.parametrize("number", [13, 30, 28])
def test_a_folder_that_cannot_be_written_is_refused(
  tmp_path, monkeypatch, number
):
  fail = mock.Mock(side_effect=OSError(number, "reason"))
  monkeypatch.setattr(runs.tempfile, "TemporaryFile", fail)
  kind = OSError if number == 28 else errors.UserError
  with pytest.raises(kind, match="reason"):
    runs.open_run(tmp_path, make_config())


@pytest.mark.parametrize(
  ("text", "reason"),
  [
    (None, "is no run folder"),
    ("", "config.json cannot be read"),
    ("\udcff", "config.json cannot be read"),
    ("[]", "config.json holds no fields"),
    ('{"task": "paint"}', "is no training run"),
    ('{"task": "train"}', "names no system"),
  ],
)
def test_a_folder_without_a_training_config_is_refused(tmp_path, text, reason):
  if text is not None:
    (tmp_path / "config.json").write_text(text, errors="surrogateescape")
  assert reason in refusal(runs.read_training, tmp_path)
