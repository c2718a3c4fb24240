"""Damaged checkpoints and records: named, set aside, and never gone on with."""

import functools
import itertools
import json
import random
import shutil

import jax
import pytest

from astgan import checkpoints, errors, history, sampling, writer
from astgan.systems import registry
from astgan.train import loop, records
from tests.train import fake, tiny


def flip(data, place):
  return data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :]


DAMAGES = {
  "flipped early": lambda data: flip(data, 5),
  "flipped late": lambda data: flip(data, len(data) * 4 // 5),
  "cut": lambda data: data[: len(data) // 2],
  "emptied": lambda data: b"",
  "deleted": None,
}

# Not read by a training: what is restored does not depend on them.
UNREAD = ("commit_success.txt", "_CHECKPOINT_METADATA")


@pytest.fixture(autouse=True)
def _registered(monkeypatch):
  monkeypatch.setitem(registry.SYSTEMS, "fake", fake.Fake)
  monkeypatch.setattr(writer, "draw_losses", lambda workdir: None)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, decoded):
  """The run folder of a training that was never stopped; to be read."""
  workdir = tmp_path_factory.mktemp("runs") / "whole"
  with pytest.MonkeyPatch.context() as patch:
    patch.setitem(registry.SYSTEMS, "fake", fake.Fake)
    loop.train(fake.make_config(decoded), workdir)
  return workdir


@pytest.fixture
def workdir(tmp_path, whole):
  """A copy of it, to be damaged."""
  return shutil.copytree(whole, tmp_path / "run")


def folder_of(workdir, step):
  return workdir / "checkpoints" / str(step)


def names_in(workdir):
  return {path.name for path in (workdir / "checkpoints").iterdir()}


def damage(path, kind):
  if kind == "deleted":
    path.unlink()
  else:
    path.write_bytes(DAMAGES[kind](path.read_bytes()))


def read_all(folder):
  files = (path for path in folder.rglob("*") if path.is_file())
  return {path.relative_to(folder): path.read_bytes() for path in files}


def restore(workdir, step=None):
  system = fake.Fake(None)
  template = jax.eval_shape(functools.partial(system.init, jax.random.key(0)))
  return checkpoints.restore(workdir, template, step=step)


# A dozen of about 55 pairs of a file and a damage; range(60) is all of them.
@pytest.mark.parametrize("number", range(12))
def test_a_run_whose_checkpoint_is_damaged_ends_as_one_whose_is_not(
  workdir, whole, decoded, number, caplog
):
  folder = folder_of(workdir, fake.STEPS)
  files = [path for path in folder.rglob("*") if path.is_file()]
  files.sort(key=lambda path: (path.parent.as_posix(), path.stat().st_size))
  pairs = list(itertools.product(files, DAMAGES))
  random.Random(0).shuffle(pairs)
  file, kind = pairs[number % len(pairs)]
  damage(file, kind)
  left = read_all(folder)
  loop.train(fake.make_config(decoded), workdir)
  tiny.assert_equal(restore(workdir), restore(whole))
  lines = [
    [(line["step"], line["number/loss"]) for line in writer.read(run)]
    for run in (workdir, whole)
  ]
  assert lines[0] == lines[1]
  names = {"4", "8", "12"}
  if file.name not in UNREAD:
    names |= {"damaged_00000012"}
    assert read_all(workdir / "checkpoints" / "damaged_00000012") == left
    named = [x for x in caplog.messages if f"{folder} is damaged" in x]
    assert len(named) == 1 == len(caplog.records)
  assert names_in(workdir) == names


def lines_of(workdir):
  """All that metrics.jsonl says but how fast the run was."""
  return [
    {name: value for name, value in line.items() if "second" not in name}
    | {"share_waiting_for_data": None}
    for line in writer.read(workdir)
  ]


@pytest.mark.parametrize("kind", DAMAGES)
@pytest.mark.parametrize("name", ["config.json", "metrics.jsonl"])
@pytest.mark.parametrize("is_finished", [False, True])
def test_damaged_records_are_set_aside_and_those_of_a_checkpoint_used(
  workdir, whole, decoded, name, kind, is_finished, caplog
):
  if not is_finished:
    shutil.rmtree(folder_of(workdir, fake.STEPS))
  path = workdir / name
  data = path.read_bytes()
  damage(path, kind)
  # Places of which something depends: a number, and a line before step 8.
  if kind == "flipped late" and name == "config.json":
    path.write_bytes(data.replace(b'"size": 16', b'"size": 17'))
  elif kind == "flipped late":
    path.write_bytes(flip(data, len(data) // 2))
  left = path.read_bytes() if path.exists() else None
  loop.train(fake.make_config(decoded), workdir)
  tiny.assert_equal(restore(workdir), restore(whole))
  assert lines_of(workdir) == lines_of(whole)
  assert path.exists() and not records.damaged(workdir)
  (told,) = caplog.messages
  assert str(path) in told
  aside = workdir / f"damaged_{name}"
  assert left is None or aside.read_bytes() == left
  # What was mended is not mended again.
  loop.train(fake.make_config(decoded), workdir)
  assert len(list(workdir.glob("damaged_*"))) == (left is not None)


def test_a_flipped_byte_anywhere_in_the_lines_is_noticed(workdir):
  path = workdir / "metrics.jsonl"
  data = path.read_bytes()
  assert not records.damaged(workdir) and data.count(b"\n") == 6
  for place in range(0, len(data), 7):
    path.write_bytes(flip(data, place))
    assert records.damaged(workdir) == {"metrics.jsonl": data}


def test_lines_after_the_newest_checkpoint_may_be_later_or_roll_backs(workdir):
  path = workdir / "metrics.jsonl"
  data = path.read_bytes()
  good = b'{"step": 14}\n{"step": 12, "roll_back/from": 14}\n{"step": 0}\n'
  path.write_bytes(data + good + b'{"step": 1')
  assert not records.damaged(workdir)
  for bad in (b'{"step": 4}\n', b'{"stop": 16}\n'):
    path.write_bytes(data + bad + good)
    assert records.damaged(workdir) == {"metrics.jsonl": data + good}


def test_fields_that_may_change_are_no_damage(workdir):
  path = workdir / "config.json"
  config = json.loads(path.read_text())
  config["train"]["steps"] = 99
  config["new"] = {"field": 1}
  path.write_text(json.dumps(config))
  assert not records.damaged(workdir)
  del config["train"]["batch_size"]
  path.write_text(json.dumps(config))
  assert list(records.damaged(workdir)) == ["config.json"]


def test_several_damaged_checkpoints_are_set_aside(workdir, whole, decoded):
  for _ in range(2):
    for step in (8, 12):
      damage(folder_of(workdir, step) / "default" / "manifest.ocdbt", "cut")
    loop.train(fake.make_config(decoded), workdir)
  tiny.assert_equal(restore(workdir), restore(whole))
  assert names_in(workdir) == {
    *("4", "8", "12", "damaged_00000008", "damaged_00000012"),
    *("damaged_00000008_2", "damaged_00000012_2"),
  }


def test_a_run_without_a_whole_checkpoint_is_refused_and_kept(workdir, decoded):
  for step in (4, 8, 12):
    damage(folder_of(workdir, step) / "default" / "_METADATA", "emptied")
  for act in (
    lambda: loop.train(fake.make_config(decoded), workdir),
    lambda: sampling.load(workdir),
  ):
    with pytest.raises(errors.UserError, match="holds no whole") as caught:
      act()
    assert str(workdir / "checkpoints") in str(caught.value)
    assert "\n" not in str(caught.value)
  assert names_in(workdir) == {"4", "8", "12"}


def test_the_newest_to_be_read_is_the_newest_that_is_whole(workdir, caplog):
  damage(folder_of(workdir, 12) / "default" / "manifest.ocdbt", "flipped late")
  before = read_all(workdir)
  assert sampling.load(workdir).step == 8
  (told,) = caplog.messages
  assert str(folder_of(workdir, 12)) in told and told.endswith("using 8")
  with pytest.raises(errors.UserError, match=r"12 is damaged .*of 4, 8, 12"):
    sampling.load(workdir, step="12")
  assert read_all(workdir) == before


def age(folder):
  """Makes a checkpoint one of a version that wrote no digests."""
  damage(folder / "default" / "sha256.json", "deleted")
  path = folder / "default" / "_METADATA"
  described = json.loads(path.read_text())
  del described["astgan_digests"]
  path.write_text(json.dumps(described))


def test_checkpoints_of_older_versions_have_no_digests(workdir, whole, caplog):
  for step in (8, 12):
    age(folder_of(workdir, step))
  tiny.assert_equal(restore(workdir), restore(whole))
  assert not caplog.messages
  damage(folder_of(workdir, 12) / "default" / "_METADATA", "cut")
  assert restore(workdir)[0] == 8


def test_digests_that_are_gone_are_a_damage(workdir, caplog):
  damage(folder_of(workdir, 12) / "default" / "sha256.json", "deleted")
  assert restore(workdir)[0] == 8
  (told,) = caplog.messages
  assert "12 is damaged (sha256.json is missing): using 8" in told


def test_a_roll_back_passes_over_a_damaged_best_checkpoint(
  tmp_path, decoded, monkeypatch
):
  monkeypatch.setitem(registry.SYSTEMS, "fake", fake.Failing)
  # It dies after step 6, so that 6 and 3 are healthy.
  config = fake.make_failing_config(decoded, train__save_every=3)
  save = checkpoints.Checkpoints.save

  def damaging(self, step, *saved):
    save(self, step, *saved)
    if step == 6:
      self.wait()
      damage(folder_of(tmp_path, 6) / "default" / "_METADATA", "cut")

  monkeypatch.setattr(checkpoints.Checkpoints, "save", damaging)
  loop.train(config, tmp_path)
  made = history.roll_backs(writer.read(tmp_path))
  assert (made.step, made.count) == (3, 1)
  assert "damaged_00000006" in names_in(tmp_path)
