"""Trainings that start from the networks of another run."""

import functools
import json
import shutil

import jax
import numpy as np
import pytest

from astgan import errors, runs, sampling
from astgan.systems import registry
from astgan.train import loop, start
from tests.train import tiny


@pytest.fixture(scope="module")
def trained(tmp_path_factory, decoded):
  """The run folder of a training with a moving average."""
  workdir = tmp_path_factory.mktemp("runs") / "trained"
  loop.train(config_of(decoded), workdir)
  return workdir


def config_of(decoded, **changes):
  fields = {"train__steps": 2, "train__save_every": 2, "train__ema_decay": 0.5}
  return tiny.make_run_config(decoded, **(fields | changes))


def test_networks_are_those_of_the_other_run_and_all_else_is_new(
  trained, decoded, tmp_path
):
  config = config_of(decoded, train__start_from=str(trained), seed=7)
  state = start.first(config, tmp_path, registry.make(config))
  state = jax.device_get(state)
  other = tiny.read_checkpoint(trained, 2)
  fresh = jax.device_get(tiny.init(config))
  for name, network in state.networks.items():
    there = other["networks"][name]
    tiny.assert_equal(network.params, there["params"])
    tiny.assert_equal(network.collections, there["collections"])
    tiny.assert_equal(network.opt_state, fresh.networks[name].opt_state)
  tiny.assert_equal(state.ema, other["ema"])
  assert state.step == 0
  np.testing.assert_array_equal(state.key, fresh.key)


def test_an_average_that_the_other_run_did_not_keep_starts_as_a_copy(
  trained, decoded, tmp_path
):
  loop.train(config_of(decoded, train__ema_decay=0.0), tmp_path / "plain")
  config = config_of(decoded, train__start_from=str(tmp_path / "plain"))
  state = start.first(config, tmp_path, registry.make(config))
  params = state.networks["generator"].params
  tiny.assert_equal(state.ema["generator"], params)


def test_a_run_begins_again_with_the_checkpoint_that_it_began_with(
  trained, decoded, tmp_path
):
  other = tmp_path / "other"
  shutil.copytree(trained, other)
  config = config_of(decoded, train__start_from=str(other))
  begin = functools.partial(
    start.first, config, tmp_path, registry.make(config)
  )
  before = begin()
  loop.train(config_of(decoded, train__steps=4), other)
  tiny.assert_equal(begin(), before)
  shutil.rmtree(other / "checkpoints" / "2")
  with pytest.raises(errors.UserError, match="no checkpoint of step 2"):
    begin()


@pytest.mark.parametrize("content", ["", "{}", "[1]", "\x00"])
def test_a_damaged_number_of_that_checkpoint_is_named(
  content, trained, decoded, tmp_path
):
  (tmp_path / "start.json").write_text(content)
  config = config_of(decoded, train__start_from=str(trained))
  with pytest.raises(errors.UserError, match=r"start\.json is damaged; delete"):
    start.check(config, tmp_path, registry.make(config))


def test_the_run_goes_on_where_the_other_one_is_gone(
  trained, decoded, tmp_path
):
  folder = tmp_path / "other"
  trained.rename(folder)
  config = config_of(decoded, train__start_from=str(folder), train__steps=1)
  loop.train(config, tmp_path / "run")
  folder.rename(trained)
  config.train.steps = 2
  loop.train(config, tmp_path / "run")
  assert (tmp_path / "run" / "checkpoints" / "2").is_dir()


@pytest.mark.parametrize(
  ("changes", "told"),
  [
    ({"data__hold_out": 0.4}, ""),
    ({"data__hold_out": 0.2}, ""),
    ({"data__hold_out": 0.0, "data__size": 64}, ""),
    ({"data__hold_out": 0.4, "data__zoom": 2.0}, ""),
    ({"data__hold_out": 0.6, "data__source": "landscapes"}, ""),
    ({"data__hold_out": 0.6}, "(data.hold_out=0.4 there and 0.6 here)"),
    (
      {"data__hold_out": 0.4, "data__crop": "random"},
      "(data.crop=centre there and random here)",
    ),
    (
      {"data__hold_out": 0.5, "data__source": "folder:somewhere/../some/"},
      "(data.hold_out=0.4 there and 0.5 here)",
    ),
  ],
)
def test_a_start_that_has_seen_what_is_held_out_is_warned_of(
  decoded, tmp_path, caplog, monkeypatch, changes, told
):
  there = {"data__source": "folder:some", "data__hold_out": 0.4}
  other = config_of(decoded, **there)
  config = config_of(
    decoded, **(there | {"train__start_from": "other"} | changes)
  )
  system = registry.make(config)
  state = jax.eval_shape(system.init, jax.random.key(0))
  monkeypatch.setattr(sampling, "restore", lambda *_, **__: (None, 2, state))
  monkeypatch.setattr(runs, "read_training", lambda _: other)
  start.check(config, tmp_path, system)
  assert told in caplog.text and bool(told) == bool(caplog.records)


@pytest.mark.parametrize(
  ("changes", "told"),
  [
    ({"model__width": 8}, "has other networks: .* there, and"),
    ({"train__start_from": "nowhere"}, "nowhere"),
  ],
)
def test_what_it_cannot_start_from_is_refused_before_the_run_begins(
  trained, decoded, tmp_path, changes, told
):
  changes = {"train__start_from": str(trained)} | changes
  with pytest.raises(errors.UserError, match=told):
    loop.train(config_of(decoded, **changes), tmp_path / "run")
  assert not (tmp_path / "run" / "config.json").exists()


def test_a_run_of_another_system_is_refused_whatever_its_networks(
  trained, decoded, tmp_path
):
  other = tmp_path / "other"
  shutil.copytree(trained, other)
  path = other / "config.json"
  fields = json.loads(path.read_text()) | {"system": "vaegan"}
  path.write_text(json.dumps(fields))
  config = config_of(decoded, train__start_from=str(other))
  with pytest.raises(errors.UserError, match="the system vaegan, and this is"):
    loop.train(config, tmp_path / "run")
