"""Checkpoints bit for bit, and trained generators from run folders."""

import errno
import functools
import json
import os
import pathlib
import shutil
import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan import checkpoints, digests, errors, sampling
from astgan.systems import gan
from tests.train import tiny


def template(config):
  key = jax.random.key(0)
  return jax.eval_shape(functools.partial(gan.GAN(config).init, key))


def at_step(state, step):
  return state.replace(step=jnp.int32(step))


def names_in(workdir):
  return {path.name for path in (workdir / "checkpoints").iterdir()}


@pytest.mark.parametrize(
  "changes",
  [
    {},
    {"train__ema_decay": 0.9},
    {"model__discriminator_norm": "none", "model__spectral_norm": "both"},
    {"model__discriminator_norm": "none", "generator__optimizer": "sgd"},
  ],
)
def test_a_state_comes_back_bit_for_bit(tmp_path, changes):
  config = tiny.make_config(**changes)
  state = tiny.init(config)
  with checkpoints.Checkpoints(tmp_path, keep=1) as saved:
    assert saved.latest is None
    saved.save(7, at_step(state, 7))
    # It may be donated once it is saved.
    expected = jax.device_get(at_step(state, 7))
    jax.tree.map(lambda leaf: leaf.delete(), state)
  with checkpoints.Checkpoints(tmp_path, keep=1) as saved:
    assert saved.latest == 7
    restored = saved.restore(template(config))
  assert jax.tree.structure(restored) == jax.tree.structure(expected)
  tiny.assert_equal(restored, expected)


def test_the_newest_are_kept_and_each_stays_as_it_is(tmp_path):
  state = tiny.init(tiny.make_config())
  with checkpoints.Checkpoints(tmp_path, keep=2) as saved:
    for step in (1, 2, 10):
      saved.save(step, at_step(state, step))
    saved.wait()
    saved.save(10, at_step(state, 99))
    assert saved.restore(template(tiny.make_config())).step == 10
  assert names_in(tmp_path) == {"2", "10"}


def test_those_that_signals_caused_push_none_out(tmp_path):
  state = tiny.init(tiny.make_config())
  with checkpoints.Checkpoints(tmp_path, keep=2, every=5) as saved:
    for step in (5, 10, 11, 12):
      saved.save(step, at_step(state, step))
  assert names_in(tmp_path) == {"5", "10", "12"}


def test_an_exception_deletes_none(tmp_path):
  state = tiny.init(tiny.make_config())
  with checkpoints.Checkpoints(tmp_path, keep=2) as saved:
    for step in (1, 2):
      saved.save(step, at_step(state, step))
  with (
    pytest.raises(KeyboardInterrupt),
    checkpoints.Checkpoints(tmp_path, keep=1),
  ):
    raise KeyboardInterrupt
  assert checkpoints.steps(tmp_path) == (1, 2)


def test_all_files_are_on_the_disk_before_their_digests_are(
  tmp_path, monkeypatch
):
  synced, fsync = [], os.fsync

  def follow(descriptor):
    path = pathlib.Path(os.readlink(f"/proc/self/fd/{descriptor}"))
    if path.parts[-1] == digests.NAME:
      inside = set(path.parent.rglob("*")) - {path}
      assert inside and inside <= set(synced)
    fsync(descriptor)
    synced.append(path)

  monkeypatch.setattr(os, "fsync", follow)
  state = tiny.init(tiny.make_config())
  with checkpoints.Checkpoints(tmp_path, keep=1) as saved:
    saved.save(1, state, {"a.json": b"{}"})
  names = [path.name for path in synced]
  assert digests.NAME in names and "a.json" in names
  # Then its name, in the folder of all of them.
  assert names[-1] == "checkpoints"
  assert checkpoints.read_files(tmp_path, ["a.json"]) == (1, {"a.json": b"{}"})


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_state_that_is_not_finite_is_refused_and_named(tmp_path, value):
  state = tiny.init(tiny.make_config())
  network = state.networks["generator"]
  project = network.params["project"].at[0, 0, 0, 0].set(value)
  network = network.replace(params=network.params | {"project": project})
  broken = state.replace(networks=state.networks | {"generator": network})
  with checkpoints.Checkpoints(tmp_path, keep=1) as saved:
    saved.save(1, state)
    with pytest.raises(FloatingPointError, match=r"generator.*project"):
      saved.save(2, broken)
  assert names_in(tmp_path) == {"1"}


def test_a_disk_without_room_is_refused_before_anything_is_written(
  tmp_path, monkeypatch
):
  state = tiny.init(tiny.make_config())
  with checkpoints.Checkpoints(tmp_path, keep=2) as saved:
    saved.save(1, state)
    usage = types.SimpleNamespace(free=2**20)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(OSError, match="No space left") as caught:
      saved.save(2, state)
  assert caught.value.filename == str(tmp_path / "checkpoints")
  assert names_in(tmp_path) == {"1"}


def test_a_disk_that_fills_in_the_background_is_named_and_told_once(
  tmp_path, monkeypatch, caplog
):
  def fill(folder):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

  state = tiny.init(tiny.make_config())
  with checkpoints.Checkpoints(tmp_path, keep=2) as saved:
    saved.save(1, state)
    saved.wait()
    monkeypatch.setattr(digests, "write", fill)
    saved.save(2, state)
    with pytest.raises(OSError, match=r"No space left.*checkpoints"):
      saved.wait()
  assert not [record for record in caplog.records if record.exc_info]
  assert checkpoints.steps(tmp_path) == (1,)


def test_what_a_killed_save_left_is_swept_away(tmp_path):
  state = tiny.init(tiny.make_config())
  with checkpoints.Checkpoints(tmp_path, keep=2) as saved:
    saved.save(1, state)
  folder = tmp_path / "checkpoints"
  shutil.copytree(folder / "1", folder / "2.orbax-checkpoint-tmp-0")
  with checkpoints.Checkpoints(tmp_path, keep=2) as saved:
    assert saved.latest == 1
    saved.save(2, state)
  assert names_in(tmp_path) == {"1", "2"}


@pytest.mark.parametrize("step", ["newest", "4"])
def test_a_generator_is_that_of_its_checkpoint(trained, step):
  loaded = sampling.load(trained, step=step)
  assert loaded.step == (12 if step == "newest" else 4)
  saved = tiny.read_checkpoint(trained, loaded.step)["networks"]["generator"]
  variables = {"params": saved["params"], **saved["collections"]}
  tiny.assert_equal(loaded.generator.variables, variables)
  drawn = loaded.generator.sample(jax.random.key(0), 3)
  assert (drawn.shape, drawn.dtype) == ((3, 32, 32, 3), jnp.float32)
  assert jnp.max(jnp.abs(drawn)) <= 1


def test_a_folder_that_is_no_run_is_refused(tmp_path):
  for folder in (tmp_path, tmp_path / "nowhere"):
    with pytest.raises(errors.UserError, match="is no run folder"):
      sampling.load(folder)


def test_a_run_without_checkpoints_is_refused(tmp_path, trained):
  shutil.copy(trained / "config.json", tmp_path)
  # A save that was killed is no checkpoint.
  (tmp_path / "checkpoints" / "5.orbax-checkpoint-tmp-0").mkdir(parents=True)
  with pytest.raises(errors.UserError, match="holds no checkpoint"):
    sampling.load(tmp_path)


def test_a_step_without_checkpoint_is_refused_and_the_others_named(trained):
  with pytest.raises(errors.UserError, match="step 5; it has 4, 8, 12"):
    sampling.load(trained, step="5")


@pytest.mark.parametrize(
  ("section", "field", "value", "told"),
  [
    ("model", "width", 8, r"down_0.* is \(4, 4, 3, 4\), not \(4, 4, 3, 8\)"),
    ("model", "discriminator_norm", "none", "another system or of other"),
    (
      "loss",
      "name",
      "old",
      r"config\.json is not of .*: config\.loss\.name is",
    ),
    ("loss", "weight", 1, r"config\.json is not of .*: config\.loss has no"),
  ],
)
def test_a_checkpoint_of_other_networks_is_refused(
  tmp_path, trained, section, field, value, told
):
  shutil.copytree(trained, tmp_path / "run")
  path = tmp_path / "run" / "config.json"
  config = json.loads(path.read_text())
  config[section][field] = value
  path.write_text(json.dumps(config))
  with pytest.raises(errors.UserError, match=told) as caught:
    sampling.load(tmp_path / "run")
  assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
  ("section", "field", "step"),
  [
    ("data", "size", "newest"),
    ("train", "ema_decay", "newest"),
    ("model", "width", "newest"),
    ("evaluate", "best_metric", "best"),
    ("data", "zoom", None),
  ],
)
def test_a_field_that_is_missing_is_named_where_it_is_read(
  tmp_path, trained, section, field, step
):
  shutil.copytree(trained, tmp_path / "run")
  path = tmp_path / "run" / "config.json"
  config = json.loads(path.read_text())
  del config[section][field]
  path.write_text(json.dumps(config))
  if step is None:
    sampling.load(tmp_path / "run")
    return
  told = rf"config\.json is not of this version of astgan: .*{field}"
  with pytest.raises(errors.UserError, match=told):
    sampling.load(tmp_path / "run", step=step)
