"""The run folder: continued with its own config only."""

import json
import os

import pytest

from astgan import errors, runs
from configs import adain, evaluate, gan, johnson, judge, nst, sample, sweep


def make_config(page=gan, **changes):
  """A page's config; changes by dotted name, `__` for `.`."""
  config = page.get_config()
  names = {name.replace("__", "."): value for name, value in changes.items()}
  config.update_from_flattened_dict(names)
  return config


@pytest.mark.parametrize("page", [evaluate, gan, nst, sample])
def test_a_config_comes_back_as_it_was_but_for_tuples(tmp_path, page):
  config = make_config(page, seed=3)
  for _ in range(2):
    runs.open_run(tmp_path / "some" / "run", config)
  read = runs.read_config(tmp_path / "some" / "run")
  assert read.is_locked
  assert read.to_dict() == json.loads(json.dumps(config.to_dict()))


def test_all_differences_are_named_and_the_old_config_stays(tmp_path):
  runs.open_run(tmp_path, make_config())
  changed = make_config(seed=1, model__width=32)
  with pytest.raises(errors.UserError) as caught:
    runs.open_run(tmp_path, changed)
  assert "model.width: 64 -> 32; seed: 0 -> 1" in str(caught.value)
  assert "\n" not in str(caught.value)
  assert runs.read_config(tmp_path).seed == 0


@pytest.mark.parametrize("field", runs.FREE)
def test_a_field_that_lengthens_or_reports_may_change(tmp_path, field):
  pages = {"judge": judge, "paint": nst, "sweep": sweep}
  config = make_config(pages.get(field.partition(".")[0], gan))
  runs.open_run(tmp_path, config)
  section, _, name = field.rpartition(".")
  target = config[section] if section else config
  value = target[name]
  others = {str: "another", tuple: ("another",), int: 7, float: 7.0}
  target[name] = others[type(value)]
  runs.open_run(tmp_path, config)
  assert runs.read_config(tmp_path).to_dict() == json.loads(
    json.dumps(config.to_dict())
  )


def test_sections_of_other_tasks_are_not_compared(tmp_path):
  old = make_config(sample).unlock()
  old.train = {"steps": 5}
  runs.open_run(tmp_path, old)
  runs.open_run(tmp_path, make_config(sample))
  with pytest.raises(errors.UserError, match=r"sample\.count: 64 -> 5"):
    runs.open_run(tmp_path, make_config(sample, sample__count=5))


def test_a_field_that_was_added_since_is_named_as_missing(tmp_path):
  config = make_config()
  runs.open_run(tmp_path, config)
  path = tmp_path / "config.json"
  fields = json.loads(path.read_text())
  del fields["data"]["zoom"], fields["train"]["save_every"]
  path.write_text(json.dumps(fields))
  with pytest.raises(
    errors.UserError, match=r"has no data\.zoom: another vers"
  ):
    runs.open_run(tmp_path, config)
  # One that may change may be missing.
  path.write_text(json.dumps(fields | {"data": config.data.to_dict()}))
  runs.open_run(tmp_path, config)


def test_a_fingerprint_is_kept_and_another_one_refused(tmp_path):
  for _ in range(2):
    runs.keep_fingerprint(tmp_path, "f.json", {"n": 3}, field="data.source")
  with pytest.raises(
    errors.UserError, match=r"config\.data\.source: .*f\.json"
  ):
    runs.keep_fingerprint(tmp_path, "f.json", {"n": 4}, field="data.source")
  assert json.loads((tmp_path / "f.json").read_text()) == {"n": 3}


@pytest.mark.parametrize(
  ("page", "field", "kind", "kept"),
  [
    (johnson, "data.source", "folder:", "images.json"),
    (adain, "data.photographs", "folder:", "images.json"),
    (johnson, "style.source", "", "style.json"),
  ],
)
def test_images_that_were_moved_are_known_by_their_digest(
  tmp_path, page, field, kind, kept
):
  workdir, place = tmp_path / "run", tmp_path / "here"
  place.mkdir()
  config = page.get_config()
  config.update_from_flattened_dict({field: f"{kind}{place}"})
  runs.open_run(workdir, config)
  place = place.rename(tmp_path / "there")
  config.update_from_flattened_dict({field: f"{kind}{place}"})
  with pytest.raises(errors.UserError, match=field):
    runs.open_run(workdir, config)
  began = (workdir / "config.json").read_bytes()
  runs.keep_fingerprint(workdir, kept, {"n": 3}, field=field)
  (tmp_path / "here").mkdir()  # Those that are still there were not moved.
  with pytest.raises(errors.UserError, match=field):
    runs.open_run(workdir, config)
  (tmp_path / "here").rmdir()
  runs.open_run(workdir, config)
  # A checkpoint of before calls the file damaged where nothing was moved alone.
  written = (workdir / "config.json").read_bytes()
  assert runs.keeps(written, began) and not runs.keeps(began, written)


@pytest.mark.parametrize("damaged", ["", "[1]", '{"n": '])
def test_a_damaged_fingerprint_is_said_and_not_used(tmp_path, caplog, damaged):
  assert runs.read_fingerprint(tmp_path, "f.json") is None
  assert not caplog.messages
  (tmp_path / "f.json").write_text(damaged)
  assert runs.read_fingerprint(tmp_path, "f.json") is None
  (line,) = caplog.messages
  assert str(tmp_path / "f.json") in line


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
  (tmp_path / "run").write_text("")
  for workdir in (tmp_path / "run", tmp_path / "run" / "below"):
    with pytest.raises(errors.UserError, match="cannot be written"):
      runs.open_run(workdir, make_config())


@pytest.mark.parametrize(
  ("number", "kind"),
  # No folder, as in /proc; no permission; read-only; too long; a full disk.
  [*((number, errors.UserError) for number in (2, 13, 30, 36)), (28, OSError)],
)
def test_a_folder_that_cannot_be_written_is_refused(
  tmp_path, monkeypatch, number, kind
):
  def refuse(**_):
    raise OSError(number, os.strerror(number))

  monkeypatch.setattr(runs.tempfile, "TemporaryFile", refuse)
  with pytest.raises(kind, match=os.strerror(number)):
    runs.open_run(tmp_path, make_config())


@pytest.mark.parametrize(
  ("text", "told"),
  [
    (None, "is no run folder"),
    ("", r"config\.json cannot be read"),
    ("{", r"config\.json cannot be read"),
    ("\udcff", r"config\.json cannot be read"),
    ('{"da.a": {}}', r"config\.json cannot be read"),
    ('{"__class__": 1}', r"config\.json cannot be read"),
    ("[]", r"config\.json holds no fields"),
    ('{"task": "paint"}', "is no training run"),
    ('{"task": "train", "model": {}}', "names no system"),
  ],
)
def test_what_is_no_training_run_is_told_so(tmp_path, text, told):
  if text is not None:
    path = tmp_path / "config.json"
    path.write_text(text, errors="surrogateescape")
  with pytest.raises(errors.UserError, match=told):
    runs.read_training(tmp_path)


def test_a_run_of_an_earlier_version_is_refused_in_one_line(tmp_path):
  (tmp_path / "config.json").write_text('{"task": "train", "seed": 0}')
  with pytest.raises(errors.UserError, match="names no system") as caught:
    runs.open_run(tmp_path, make_config())
  assert "\n" not in str(caught.value)
