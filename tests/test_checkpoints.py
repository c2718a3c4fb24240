"""Checkpoints bit for bit, and generators from run folders."""

import functools
import shutil
import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan import checkpoints, errors
from astgan.train import state
from tests.train import tiny


def template(config):
  return jax.eval_shape(functools.partial(state.create, config))


def at_step(current, step):
  return current.replace(step=jnp.int32(step))


@pytest.mark.parametrize("decay", [0.0, 0.9])
def test_a_state_comes_back_bit_for_bit(tmp_path, decay):
  config = tiny.make_config(train__ema=decay)
  current = tiny.create(config)
  with checkpoints.Checkpoints(tmp_path, keep=1) as saved:
    saved.save(0, current)
    restored = saved.restore(template(config))
  assert jax.tree.structure(restored) == jax.tree.structure(current)
  tiny.assert_equal(restored, current)


def test_a_checkpoint_is_found_by_the_next_run(tmp_path):
  config = tiny.make_config()
  with checkpoints.Checkpoints(tmp_path, keep=1) as saved:
    assert saved.latest is None
    saved.save(7, at_step(tiny.create(config), 7))
  with checkpoints.Checkpoints(tmp_path, keep=1) as saved:
    assert saved.latest == 7
    assert saved.restore(template(config)).step == 7


def test_the_newest_are_kept(tmp_path):
  current = tiny.create(tiny.make_config())
  with checkpoints.Checkpoints(tmp_path, keep=2) as saved:
    for step in (1, 2, 10):
      saved.save(step, at_step(current, step))
  names = {path.name for path in (tmp_path / "checkpoints").iterdir()}
  assert names == {"2", "10"}


def test_a_state_may_be_donated_once_it_is_saved(tmp_path):
  config = tiny.make_config()
  current = tiny.create(config)
  expected = jax.device_get(current.generator.params["project"])
  with checkpoints.Checkpoints(tmp_path, keep=1) as saved:
    saved.save(1, current)
    for leaf in jax.tree.leaves(current):
      leaf.delete()
    restored = saved.restore(template(config))
  tiny.assert_equal(restored.generator.params["project"], expected)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_state_that_is_not_finite_is_refused_and_named(tmp_path, value):
  current = tiny.create(tiny.make_config())
  params = dict(current.generator.params)
  params["project"] = params["project"].at[0, 0, 0, 0].set(value)
  broken = current.replace(generator=current.generator.replace(params=params))
  with checkpoints.Checkpoints(tmp_path, keep=1) as saved:
    saved.save(1, current)
    with pytest.raises(FloatingPointError, match=r"generator.*project"):
      saved.save(2, broken)
  assert {p.name for p in (tmp_path / "checkpoints").iterdir()} == {"1"}


def test_a_disk_without_room_is_refused_before_anything_is_written(
  tmp_path, monkeypatch
):
  current = tiny.create(tiny.make_config())
  with checkpoints.Checkpoints(tmp_path, keep=2) as saved:
    saved.save(1, current)
    usage = types.SimpleNamespace(free=2**20)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(OSError, match="No space left") as caught:
      saved.save(2, current)
  assert caught.value.filename == str(tmp_path / "checkpoints")
  assert {p.name for p in (tmp_path / "checkpoints").iterdir()} == {"1"}


def test_a_disk_that_gets_full_in_the_background_is_named(
  tmp_path, monkeypatch
):
  with checkpoints.Checkpoints(tmp_path, keep=2) as saved:

    def fail():
      raise ValueError("RESOURCE_EXHAUSTED: Error writing; No space left")

    with monkeypatch.context() as patch:
      patch.setattr(saved._manager, "wait_until_finished", fail)
      with pytest.raises(OSError, match="No space left on device"):
        saved.wait()


def test_a_step_that_is_saved_stays_as_it_is(tmp_path):
  config = tiny.make_config()
  current = tiny.create(config)
  with checkpoints.Checkpoints(tmp_path, keep=1) as saved:
    saved.save(1, at_step(current, 1))
    saved.wait()
    saved.save(1, at_step(current, 99))
    assert saved.restore(template(config)).step == 1


def test_what_a_killed_save_left_is_swept_away(tmp_path):
  with checkpoints.Checkpoints(tmp_path, keep=2) as saved:
    saved.save(1, tiny.create(tiny.make_config()))
  folder = tmp_path / "checkpoints"
  shutil.copytree(folder / "1", folder / "2.orbax-checkpoint-tmp-0")
  with checkpoints.Checkpoints(tmp_path, keep=2) as saved:
    assert saved.latest == 1
    saved.save(2, tiny.create(tiny.make_config()))
  assert {path.name for path in folder.iterdir()} == {"1", "2"}


def test_a_generator_is_that_of_the_newest_checkpoint(trained):
  generator = checkpoints.load_generator(trained)
  assert (generator.step, generator.latent) == (12, 5)
  saved = tiny.read_checkpoint(trained, 12)["generator"]
  tiny.assert_equal(generator.variables["params"], saved["params"])
  tiny.assert_equal(generator.variables["batch_stats"], saved["stats"])


def test_a_generator_is_that_of_the_step_asked_for(trained):
  generator = checkpoints.load_generator(trained, step=4)
  assert generator.step == 4
  saved = tiny.read_checkpoint(trained, 4)["generator"]
  tiny.assert_equal(generator.variables["params"], saved["params"])


def test_a_generator_draws_images_of_its_size_in_range(trained):
  images = checkpoints.load_generator(trained).sample(jax.random.key(0), 3)
  assert (images.shape, images.dtype) == ((3, 32, 32, 3), jnp.float32)
  assert jnp.max(jnp.abs(images)) <= 1


def test_a_generator_draws_the_images_of_its_latents(trained):
  generator, key = checkpoints.load_generator(trained), jax.random.key(0)
  latents = jax.random.normal(key, (3, 5))
  tiny.assert_equal(generator.sample(key, 3), generator.apply(latents))


def test_many_images_are_those_drawn_a_few_at_a_time(trained):
  generator = checkpoints.load_generator(trained)
  latents = jax.random.normal(jax.random.key(0), (300, 5))
  many = generator.apply(latents)
  assert many.shape == (300, 32, 32, 3)
  tiny.assert_close(many[298:], generator.apply(latents[298:]), rtol=1e-5)


def test_a_folder_that_is_no_run_is_refused(tmp_path):
  with pytest.raises(errors.UserError, match="is no run folder"):
    checkpoints.load_generator(tmp_path)


def test_a_missing_folder_is_refused(tmp_path):
  with pytest.raises(errors.UserError, match="nowhere is no run folder"):
    checkpoints.load_generator(tmp_path / "nowhere")


def test_a_run_without_checkpoints_is_refused(tmp_path, trained):
  shutil.copy(trained / "config.json", tmp_path)
  with pytest.raises(errors.UserError, match="holds no checkpoint"):
    checkpoints.load_generator(tmp_path)
  # A save that was killed is no checkpoint.
  (tmp_path / "checkpoints" / "5.orbax-checkpoint-tmp-0").mkdir(parents=True)
  with pytest.raises(errors.UserError, match="holds no checkpoint"):
    checkpoints.load_generator(tmp_path)


def test_a_step_without_checkpoint_is_refused_and_the_others_named(trained):
  with pytest.raises(errors.UserError, match="step 5; it has 4, 8, 12"):
    checkpoints.load_generator(trained, step=5)
