"""Painters of one pass: what all of them share, and their group means."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan import errors
from astgan.systems import group_means, registry
from astgan.systems import painters as protocols
from astgan.train import loop, start
from tests.systems import painters
from tests.train import tiny


@pytest.fixture(scope="module", params=painters.PAGES)
def one(request, tmp_path_factory):
  """A system, its first state, a batch, draws, frozen parameters, an update."""
  folder = tmp_path_factory.mktemp(request.param)
  config = painters.make_config(request.param, folder, train__ema_decay=0.75)
  system = registry.make(config)
  (phase,) = system.phases
  frozen, state = system.load_frozen(), tiny.init(config)
  batch = painters.draw_batch(system, 0)
  draws = system.draw(jax.random.key(0), 2, phase=phase)
  update = functools.partial(
    system.update, phase=phase, turn="all", axis_name=None
  )
  updated = jax.jit(update)(state, batch, draws, frozen)
  return system, state, batch, draws, frozen, updated


def test_two_devices_do_what_one_does(one):
  system, state, batch, draws, frozen, updated = one
  first = tiny.update_on_two_devices(
    system, state, batch, draws, "all", frozen=frozen
  )
  # Adam's first steps are signs: rounding decides about the smallest gradients.
  for name, value in updated[1].items():
    tiny.assert_close(first[1][name], value, rtol=1e-3)


def test_draws_have_the_examples_first(one):
  system, *_ = one
  draws = system.draw(jax.random.key(0), 8, phase=system.phases[0])
  assert {len(leaf) for leaf in jax.tree.leaves(draws)} <= {8}


def test_moving_averages_are_what_paints(one):
  system, old, *_, (new, _) = one
  expected = jax.tree.map(
    lambda e, x: 0.75 * e + 0.25 * x,
    old.ema,
    {name: network.params for name, network in new.networks.items()},
  )
  (params,) = system.sampler(new).params.values()
  if set(expected) == {"generator"}:
    expected = expected["generator"]
  tiny.assert_close(params, expected, rtol=1e-5)


def test_it_is_a_painter_of_photographs_of_any_size(one):
  system, *_, (state, _) = one
  sampler = system.sampler(state)
  assert sampler.directions == ("painting",)
  draws = np.random.default_rng(0)
  side = sampler.smallest
  shape = (side + 1, side + 7, 3)
  photograph = draws.uniform(size=shape).astype("float32")
  if isinstance(sampler, protocols.StylePainter):
    style = draws.uniform(size=(2, 32, 48, 3)).astype("float32")
    sampler = sampler.tell([protocols.Group(1.0, style)], strength=0.7)
  assert isinstance(sampler, protocols.Painter)
  whole = sampler.paint(photograph, "painting")
  assert whole.shape == shape and whole.dtype == np.float32
  assert whole.min() >= 0 and whole.max() <= 1
  strips = sampler.paint(photograph, "painting", tile=24)
  np.testing.assert_allclose(strips, whole, rtol=0, atol=1e-3)


def test_sheets_show_photographs_and_what_is_painted(one):
  system, _, batch, _, frozen, (state, _) = one
  (name, sheet), *_ = system.samples(state, frozen, batch).items()
  assert name == "painted" and sheet.shape[:2] == (2, tiny.SIZE)
  photographs = batch.get("photographs")
  tiny.assert_equal(sheet[:, :, : tiny.SIZE], photographs)


# Once for each system.
@pytest.mark.parametrize("name", sorted(painters.PAGES.keys() - {"fast"}))
def test_a_run_killed_between_checkpoints_ends_as_one_that_was_not(
  name, tmp_path, decoded
):
  config = painters.make_config(name, tmp_path, data__cache=str(decoded))
  _, whole, killed = tiny.train_twice(config, tmp_path)
  tiny.assert_equal(killed, whole)


def test_styles_as_latents_start_with_the_decoder_of_another_system(
  tmp_path, decoded
):
  there = painters.make_config(
    "adain", tmp_path, data__cache=str(decoded), train__steps=1
  )
  loop.train(there, tmp_path / "there")
  fields = {"train__start_from": str(tmp_path / "there"), "seed": 7}
  config = painters.make_config("stvae", tmp_path, **fields)
  system, run = registry.make(config), tmp_path / "run"
  start.check(config, run, system)
  run.mkdir()
  state = jax.device_get(start.first(config, run, system))
  other = tiny.read_checkpoint(tmp_path / "there", 1)
  decoder = other["networks"]["decoder"]["params"]
  tiny.assert_equal(state.networks["decoder"].params, decoder)
  tiny.assert_equal(state.ema["decoder"], other["ema"]["decoder"])
  new = jax.device_get(tiny.init(config)).networks["transform"].params
  tiny.assert_equal(state.networks["transform"].params, new)
  tiny.assert_equal(state.ema["transform"], new)
  config = painters.make_config("stvae", tmp_path, model__width=3, **fields)
  with pytest.raises(errors.UserError, match="has other networks: decoder"):
    start.check(config, tmp_path / "wider", registry.make(config))


@pytest.mark.parametrize("name", painters.PAGES)
@pytest.mark.parametrize(
  ("changes", "told"),
  [
    ({"data__size": 44}, "data.size=44 is no multiple of"),
    ({"data__size": 16}, "data.size"),
    ({"model__width": 0}, "model.width"),
    ({"model__dtype": "float16"}, "model.dtype"),
    ({"features__weights": ""}, "features.weights is empty"),
  ],
)
def test_what_cannot_be_is_named_in_one_line(name, changes, told, tmp_path):
  config = painters.make_config(name, tmp_path, **changes)
  with pytest.raises(errors.UserError, match=told) as caught:
    registry.make(config)
  assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
  "name", sorted(painters.PAGES.keys() - {"fast", "fast_wasserstein"})
)
def test_missing_photographs_are_named(name, tmp_path):
  config = painters.make_config(name, tmp_path, data__photographs="")
  with pytest.raises(errors.UserError, match=r"data\.photographs is empty"):
    loop.train(config, tmp_path / "run")


def test_a_group_has_the_mean_of_what_its_images_have():
  draws = np.random.default_rng(0)
  images = [
    draws.uniform(size=(side, 8, 3)).astype("float32") for side in (4, 6, 4)
  ]
  actual = group_means.mean(lambda x: {"means": jnp.mean(x, (1, 2))}, images)
  expected = np.mean([image.mean((0, 1)) for image in images], axis=0)
  tiny.assert_close(actual, {"means": expected}, rtol=1e-6)


def test_images_of_one_shape_are_described_together():
  images = [np.zeros((h, 512, 3), "float32") for h in (128,) * 5 + (64,) * 2]
  shapes = [batch.shape[:2] for batch in group_means.batches(iter(images))]
  assert shapes == [(4, 128), (1, 128), (2, 64)]
