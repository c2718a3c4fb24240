"""System `stylegan`: its phases, its levels, and a run that grows."""

import functools
import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan import errors, sampling
from astgan.models import growing
from astgan.systems import (
  gan_update,
  growth,
  registry,
  states,
  stylegan,
  stylegan_sheets,
)
from astgan.train import loader, loop
from configs import progan
from configs import stylegan as page
from tests.models.numbers import close, draw
from tests.train import tiny


def make_config(module=page, **changes):
  """4 pixels in step 0, then 8, which fade in through four steps."""
  fields = {
    "data__size": 8,
    "growth__batch_sizes": (8,),
    "growth__stable_steps": (1,),
    "growth__fade_steps": (4,),
    "train__batch_size": 8,
    "loss__penalty": "none",
  }
  return tiny.make_config(module, **(fields | changes))


@functools.cache
def first():
  """A system and its first state."""
  config = make_config()
  return registry.make(config), tiny.init(config)


# 4, 8 and 16 pixels.
LONG = {
  "data__size": 16,
  "growth__batch_sizes": (32, 16),
  "growth__stable_steps": (10, 20),
  "growth__fade_steps": (5, 0),
  "train__steps": 100,
}


def test_phases_begin_where_the_one_before_has_faded_in_and_trained_on():
  assert stylegan.StyleGAN(make_config(**LONG)).phases == (
    (0, 4, 32, 1),
    (10, 8, 16, 1),
    (35, 16, 8, 1),
  )


def test_a_plan_without_steps_begins_with_the_last_size():
  config = make_config(
    data__size=16,
    growth__batch_sizes=(32, 16),
    growth__stable_steps=(0, 0),
    growth__fade_steps=(0, 0),
  )
  phase = loader.phase_at(stylegan.StyleGAN(config).phases, 0)
  assert (phase.size, phase.batch_size) == (16, 8)
  assert growth.level_at(config, phase, jnp.int32(0)) == 2


@pytest.mark.parametrize(
  ("phase", "step", "level"),
  [(0, 7, 0), (1, 10, 0), (1, 12, 0.4), (1, 15, 1), (1, 34, 1), (2, 35, 2)],
)
def test_levels_rise_while_a_size_fades_in(phase, step, level):
  config = make_config(**LONG)
  phase = growth.phases(config)[phase]
  actual = growth.level_at(config, phase, jnp.int32(step))
  np.testing.assert_allclose(actual, np.float32(level), strict=True)


def test_optimisers_are_new_in_the_first_step_of_a_size_alone():
  system, state = first()
  config, phase = system.config, system.phases[1]
  used = {
    name: network.replace(
      opt_state=jax.tree.map(lambda x: x + 1, network.opt_state)
    )
    for name, network in state.networks.items()
  }
  for step, is_new in ((1, True), (2, False)):
    old = state.replace(step=jnp.int32(step), networks=used)
    new = growth.begin(config, phase, old)
    expected = (state if is_new else old).networks
    for name, network in new.networks.items():
      tiny.assert_equal(network.opt_state, expected[name].opt_state)
      tiny.assert_equal(network.params, expected[name].params)
      level = network.collections["growth"]["level"]
      assert level == (step - 1) / 4


def test_real_images_fade_from_their_halves():
  config = make_config()
  small, large = growth.phases(config)
  images = draw(2, 8, 8, 3)
  halves = images.reshape(2, 4, 2, 4, 2, 3).mean((2, 4))
  halves = halves.repeat(2, axis=1).repeat(2, axis=2)
  expected = 0.75 * halves + 0.25 * images
  close(growth.blend(images, large, jnp.float32(0.25)), expected)
  assert growth.blend(images, small, jnp.float32(0)) is images


@pytest.mark.parametrize(
  ("step", "side"), [(0, 4), (10, 4), (11, 8), (35, 8), (36, 16), (99, 16)]
)
def test_the_side_of_a_checkpoint_is_that_of_its_last_update(step, side):
  assert growth.side_after(make_config(**LONG), step) == side


def test_histograms_are_the_logits_at_the_side_of_the_last_update():
  system, state = first()
  images = draw(4, 8, 8, 3)
  small = images.reshape(4, 4, 2, 4, 2, 3).mean((2, 4))
  critic = state.networks["discriminator"]
  for step, seen in ((1, small), (2, images)):
    drawn = system.histograms(
      state.replace(step=jnp.int32(step)),
      None,
      {"samples": -images},
      {"paintings": images},
    )
    module = growing.Discriminator(seen.shape[1], 4, blurs=True)
    for kind, sign in (("real", 1), ("fake", -1)):
      expected = module.apply(critic.variables, sign * seen, train=True)
      close(drawn[f"discriminator/{kind}_logits"], expected)


@pytest.mark.parametrize("run", ["", "run"])
@pytest.mark.parametrize(
  ("step", "batch_size", "images"), [(9, 32, 320), (10, 16, 336), (35, 8, 728)]
)
def test_a_half_life_counts_the_images_of_every_phase(
  step, batch_size, images, run
):
  config = make_config(**LONG, train__ema_half_life=100, train__start_from=run)
  phases = growth.phases(config)
  decay = states.ema_decay(config.train, jnp.int32(step), phases)
  half_life = 100 if run else images / 20
  np.testing.assert_allclose(decay, 2 ** (-batch_size / half_life), rtol=1e-5)


def test_progan_draws_latents_alone():
  system = stylegan.StyleGAN(make_config(progan, loss__penalty="gradient"))
  draws = system.draw(jax.random.key(0), 3, phase=system.phases[1])
  assert draws["latents"].shape == (3, 5)


def count_traces(patch):
  """Gets the size and the turn of each update that is traced from now on."""
  traced = []

  def update(config, modules, *arguments, turn, **options):
    traced.append((modules.generator.size, turn))
    return gan_update.update(config, modules, *arguments, turn=turn, **options)

  patch.setattr(stylegan, "gan_update", types.SimpleNamespace(update=update))
  return traced


@pytest.fixture(scope="module")
def runs(tmp_path_factory, decoded):
  """Two runs to the same end, one of them killed, and what was traced."""
  config = make_config(data__cache=str(decoded), train__steps=4)
  with pytest.MonkeyPatch.context() as patch:
    traced = count_traces(patch)
    folder = tmp_path_factory.mktemp("stylegan")
    return *tiny.train_twice(config, folder), traced


def test_a_run_killed_inside_a_fade_ends_as_one_that_was_not(runs):
  _, whole, killed, _ = runs
  tiny.assert_equal(killed, whole)
  level = whole["networks"]["generator"]["collections"]["growth"]["level"]
  # Of the update after three, the third in which 8 pixels fade in.
  assert level == 0.5


def test_a_program_is_made_for_each_phase_and_none_after(runs):
  *_, traced = runs
  whole = [(4, "both"), (8, "both")]
  # The run that was killed goes on in the second phase.
  assert traced == whole + whole[1:]


def test_three_sizes_and_a_lazy_penalty_have_a_program_for_each_turn(
  tmp_path, decoded, monkeypatch
):
  # Four steps of each size, the second and the fourth with the penalty.
  config = make_config(
    progan,
    data__size=16,
    data__cache=str(decoded),
    model__width=2,
    growth__batch_sizes=(4,) * 2,
    growth__stable_steps=(4, 2),
    growth__fade_steps=(2,) * 2,
    loss__penalty="r1",
    loss__penalty_every=2,
    train__batch_size=4,
    train__steps=12,
    train__sample_every=12,
    train__save_every=12,
  )
  traced = count_traces(monkeypatch)
  loop.train(config, tmp_path)
  assert traced == [
    (size, turn) for size in (4, 8, 16) for turn in ("both", "both+penalty")
  ]


def test_a_run_shows_samples_mixed_styles_truncation_and_noise(runs):
  workdir, *_ = runs
  names = {path.name for path in (workdir / "samples").iterdir()}
  sheets = ("", "_mixing", "_truncation", "_noise")
  assert {f"step_00000004{sheet}.png" for sheet in sheets} <= names


def test_its_run_folder_is_sampled_as_any_other(runs):
  workdir, *_ = runs
  found = sampling.load(workdir)
  assert found.step == 4
  assert found.generator.apply(draw(4, 5)).shape == (4, 8, 8, 3)


def test_before_it_has_grown_a_generator_draws_enlarged_images():
  system, state = first()
  images = system.sampler(state).apply(draw(4, 5))
  assert images.shape == (4, 8, 8, 3)
  blocks = images.reshape(4, 4, 2, 4, 2, 3)
  assert jnp.ptp(blocks, axis=(2, 4)).max() == 0


def test_mixing_has_its_sources_at_the_edge_and_no_truncation_shows_them_too():
  system, state = first()
  sheets = stylegan_sheets.draw(system.sampler(state))
  mixing, truncation = sheets["mixing"][0], sheets["truncation"][0]
  sources = truncation[:8].reshape(8, 4, 8, 3).swapaxes(0, 1)
  close(mixing[8:, :8].reshape(4, 8, 8, 3), sources, rtol=1e-4)
  average = truncation[24:32].reshape(8, 4, 8, 3)
  close(average, jnp.repeat(average[:, :1], 4, axis=1), rtol=1e-4)


def test_nothing_that_comes_back_is_one_device_s_own(monkeypatch):
  system, state = first()
  counted, decay = [], states.ema_decay

  def count(train, step, phases):
    counted.append(phases)
    return decay(train, step, phases)

  monkeypatch.setattr(states, "ema_decay", count)
  batch = {"paintings": jnp.tanh(draw(8, 4, 4, 3))}
  draws = system.draw(jax.random.key(0), 8, phase=system.phases[0])
  tiny.update_on_two_devices(system, state, batch, draws, "both")
  # The moving average counts the images of all phases.
  assert counted == [system.phases]


@pytest.mark.parametrize(
  ("changes", "told"),
  [
    ({"data__size": 48}, "data.size is one of"),
    ({"data__size": 16}, "growth.batch_sizes leads from 4 to 8 pixels"),
    ({"growth__fade_steps": (1, 1)}, "growth.fade_steps leads from 4 to 16"),
    ({"growth__stable_steps": (-1,)}, "growth.stable_steps holds integers"),
    ({"growth__batch_sizes": (1,)}, "growth.batch_sizes holds integers from 2"),
    ({"train__steps": 1}, "train.steps=1 ends before"),
    ({"model__name": "biggan"}, "model.name"),
    ({"model__truncation": -1.0}, "model.truncation"),
    ({"model__style_mixing": 1.5}, "model.style_mixing"),
    ({"loss__name": "wasserstein", "loss__penalty": "none"}, "Lipschitz"),
  ],
)
def test_what_cannot_be_is_named(changes, told):
  with pytest.raises(errors.UserError, match=told):
    stylegan.StyleGAN(make_config(**changes))
