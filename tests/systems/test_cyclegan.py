"""One update of system `cyclegan` against the formulas; runs and sheets."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan import errors
from astgan.models import patchgan, translator
from astgan.systems import cyclegan, image_pool
from astgan.train import loop
from configs import cyclegan as page
from tests.train import tiny

DOMAINS = ("painting", "photograph")
OTHER = dict(zip(DOMAINS, DOMAINS[::-1], strict=True))
WEIGHTS = {"painting": 10.0, "photograph": 5.0}
KINDS = ("generator", "discriminator")


def make_config(**changes):
  fields = {
    "data__photographs": "landscapes",
    "model__blocks": 1,
    "loss__photograph_cycle_weight": 5.0,
    "loss__pool_size": 3,
  }
  return tiny.make_config(page, **(fields | changes))


REAL = {
  domain: jnp.clip(x, -1, 1)
  for domain, x in zip(
    DOMAINS,
    np.random.default_rng(0).normal(size=(2, 4, 32, 32, 3)).astype("float32"),
    strict=True,
  )
}
BATCH = {f"{domain}s": images for domain, images in REAL.items()}
# The last image of each batch is the first one's, drawn from the pool of 3.
DRAWS = {
  domain: image_pool.Draws(jnp.ones(4, bool), jnp.zeros(4, "int32"))
  for domain in DOMAINS
}


@functools.cache
def updated(**changes):
  """A state, its successor and the scalars between them, as host arrays."""
  system = cyclegan.CycleGAN(make_config(**changes))
  old = tiny.init(system.config)
  update = functools.partial(
    system.update, phase=system.phases[0], turn="all", axis_name=None
  )
  draws = DRAWS if system.config.loss.pool_size else {}
  return jax.device_get((old, *jax.jit(update)(old, BATCH, draws, None)))


def params_of(state, kind):
  return {d: state.networks[f"{d}_{kind}"].params for d in DOMAINS}


@functools.partial(jax.jit, static_argnames="domain")
def generate(params, domain, images):
  return translator.Translator(4, 1).apply({"params": params[domain]}, images)


@functools.partial(jax.jit, static_argnames="domain")
def score(params, domain, images):
  return patchgan.Discriminator(4).apply({"params": params[domain]}, images)


def generator_terms(params, critics):
  """Of each domain: adversarial, cycle and identity losses, one by one."""
  fakes = {d: generate(params, d, REAL[OTHER[d]]) for d in DOMAINS}
  return {
    d: (
      jnp.mean((score(critics, d, fakes[d]) - 1) ** 2),
      jnp.mean(jnp.abs(generate(params, d, fakes[OTHER[d]]) - REAL[d])),
      jnp.mean(jnp.abs(generate(params, d, REAL[d]) - REAL[d])),
    )
    for d in DOMAINS
  }


def generator_loss(params, critics, identity=0.5):
  """The sum, and the terms."""
  terms = generator_terms(params, critics)
  return sum(
    adversarial + WEIGHTS[d] * (cycle + identity * same)
    for d, (adversarial, cycle, same) in terms.items()
  ), terms


def discriminator_loss(params, fakes):
  return sum(
    jnp.mean((score(params, d, REAL[d]) - 1) ** 2)
    + jnp.mean(score(params, d, fakes[d]) ** 2)
    for d in DOMAINS
  ) / 2  # fmt: skip


def gradients_of(state, kind):
  """Of a first update by Adam, whose first moment is (1 - beta1) times it."""
  return {
    d: jax.tree.map(
      lambda m: 2 * m, state.networks[f"{d}_{kind}"].opt_state[0].mu
    )
    for d in DOMAINS
  }


# Everything that can be left out, and a moving average.
BARE = {
  "loss__identity_weight": 0.0,
  "loss__pool_size": 0,
  "train__ema_decay": 0.75,
}


@pytest.mark.parametrize(("changes", "identity"), [({}, 0.5), (BARE, 0.0)])
def test_the_generators_learn_the_losses_of_the_paper(changes, identity):
  old, new, scalars = updated(**changes)
  params, critics = (params_of(old, kind) for kind in KINDS)
  objective = functools.partial(generator_loss, identity=identity)
  (loss, terms), gradient = jax.jit(
    jax.value_and_grad(objective, has_aux=True)
  )(params, critics)
  tiny.assert_close(scalars["generator/loss"], loss, rtol=1e-5)
  tiny.assert_close(gradients_of(new, "generator"), gradient, rtol=1e-3)
  for d in DOMAINS:
    for name, term in zip(("adversarial", "cycle"), terms[d], strict=False):
      actual = scalars[f"{d}_generator/{name}_loss"]
      tiny.assert_close(actual, term, rtol=1e-5)
  assert ("painting_generator/identity_loss" in scalars) == bool(identity)


def test_every_network_reports_the_norm_of_its_gradient():
  _, new, scalars = updated()
  for kind in KINDS:
    for d, gradient in gradients_of(new, kind).items():
      norm = jnp.sqrt(sum(jnp.sum(x**2) for x in jax.tree.leaves(gradient)))
      tiny.assert_close(scalars[f"{d}_{kind}/gradient_norm"], norm, rtol=1e-4)


def test_the_discriminators_learn_from_the_pool():
  old, new, scalars = updated()
  generators = params_of(old, "generator")
  fakes = {d: generate(generators, d, REAL[OTHER[d]]) for d in DOMAINS}
  # Three fill the pool; the fourth takes the place of the first.
  shown = {d: images[jnp.array([0, 1, 2, 0])] for d, images in fakes.items()}
  loss, gradient = jax.jit(jax.value_and_grad(discriminator_loss))(
    params_of(old, "discriminator"), shown
  )
  tiny.assert_close(scalars["discriminator/loss"], loss, rtol=1e-5)
  tiny.assert_close(gradients_of(new, "discriminator"), gradient, rtol=1e-3)
  for d in DOMAINS:
    assert new.extra[d].count == 3
    kept = fakes[d][jnp.array([3, 1, 2])]
    tiny.assert_close(new.extra[d].images, kept, rtol=1e-5)


def test_without_a_pool_they_learn_from_the_new_images():
  old, new, scalars = updated(**BARE)
  generators = params_of(old, "generator")
  fakes = {d: generate(generators, d, REAL[OTHER[d]]) for d in DOMAINS}
  loss = discriminator_loss(params_of(old, "discriminator"), fakes)
  tiny.assert_close(scalars["discriminator/loss"], loss, rtol=1e-5)
  assert new.extra is None


def test_logits_and_accuracies_are_those_of_all_patches():
  old, _, scalars = updated(**BARE)
  for d in DOMAINS:
    translated = generate(params_of(old, "generator"), d, REAL[OTHER[d]])
    critics, name = params_of(old, "discriminator"), f"{d}_discriminator"
    real, fake = (score(critics, d, x) for x in (REAL[d], translated))
    expected = {
      "real_logit": jnp.mean(real),
      "fake_logit": jnp.mean(fake),
      "real_accuracy": np.mean(real > 0.5, dtype="float32"),
      "fake_accuracy": np.mean(fake < 0.5, dtype="float32"),
    }
    actual = {x: scalars[f"{name}/{x}"] for x in expected}
    tiny.assert_close(actual, expected, rtol=1e-4)


def test_histograms_are_the_logits_of_reals_and_of_translations():
  system, (_, state, _) = cyclegan.CycleGAN(make_config()), updated()
  sheets = system.samples(state, None, BATCH)
  drawn = system.histograms(state, None, sheets, BATCH)
  assert len(drawn) == 4
  for d in DOMAINS:
    translated = generate(params_of(state, "generator"), d, REAL[OTHER[d]])
    for kind, images in (("real", REAL[d]), ("fake", translated)):
      expected = score(params_of(state, "discriminator"), d, images)
      actual = drawn[f"{d}_discriminator/{kind}_logits"]
      tiny.assert_close(actual, expected.reshape(-1), rtol=1e-3)


def test_the_learning_rates_fall_to_zero_from_half_way():
  config = page.get_config()
  half = config.train.steps // 2
  for kind in KINDS:
    section = config[kind]
    assert section.schedule == "linear" and section.decay_factor == 0
    assert (section.decay_start, section.decay_steps) == (half, half)


def test_moving_averages_of_both_generators_are_what_is_sampled():
  old, new, _ = updated(**BARE)
  system = cyclegan.CycleGAN(make_config(**BARE))
  for d in DOMAINS:
    expected = jax.tree.map(
      lambda e, x: 0.75 * e + 0.25 * x,
      old.ema[f"{d}_generator"],
      new.networks[f"{d}_generator"].params,
    )
    actual = system.sampler(new).params[d]
    tiny.assert_close(actual, expected, rtol=1e-6)


def test_draws_have_the_examples_first_and_differ_by_domain():
  system = cyclegan.CycleGAN(make_config(model__noise=0.1))
  draws = system.draw(jax.random.key(0), 64, phase=system.phases[0])
  assert {len(leaf) for leaf in jax.tree.leaves(draws)} == {64}
  one, other = (draws[d].replaced for d in DOMAINS)
  assert np.any(one != other)
  assert draws["noise"].shape == (64, 32, 32, 3)
  np.testing.assert_allclose(jnp.std(draws["noise"]), 0.1, rtol=0.01)


def test_noise_is_on_what_becomes_a_painting():
  changes = {"model__noise": 0.1, "loss__pool_size": 0}
  system = cyclegan.CycleGAN(make_config(**changes))
  noise = 0.1 * jax.random.normal(jax.random.key(1), (4, 32, 32, 3))
  state = tiny.init(system.config)
  params, critics = (params_of(state, kind) for kind in KINDS)
  painted = generate(params, "painting", REAL["photograph"] + noise)
  photographed = generate(params, "photograph", REAL["painting"])
  back = {
    "painting": generate(params, "painting", photographed + noise),
    "photograph": generate(params, "photograph", painted),
  }
  expected = {
    "painting_generator/adversarial_loss": jnp.mean(
      (score(critics, "painting", painted) - 1) ** 2
    ),
    "painting_generator/identity_loss": jnp.mean(
      jnp.abs(generate(params, "painting", REAL["painting"]) - REAL["painting"])
    ),
  } | {
    f"{d}_generator/cycle_loss": jnp.mean(jnp.abs(back[d] - REAL[d]))
    for d in DOMAINS
  }

  # Without what other scalars need, and the networks.
  @jax.jit
  def losses(state):
    _, scalars = system.update(
      state,
      BATCH,
      {"noise": noise},
      None,
      phase=system.phases[0],
      turn="all",
      axis_name=None,
    )
    return {name: scalars[name] for name in expected}

  tiny.assert_close(losses(state), expected, rtol=1e-4)


def test_sheets_show_images_their_translations_and_these_back():
  system, (_, state, _) = cyclegan.CycleGAN(make_config()), updated()
  sheets = system.samples(state, None, BATCH)
  assert list(sheets) == ["painted", "photographed"]
  for sheet, d in zip(sheets.values(), DOMAINS, strict=True):
    images, there, back = jnp.split(sheet, 3, axis=2)
    tiny.assert_equal(images, REAL[OTHER[d]])
    params = params_of(state, "generator")
    tiny.assert_close(there, generate(params, d, images), rtol=1e-4)
    tiny.assert_close(back, generate(params, OTHER[d], there), rtol=1e-4)


def test_two_devices_do_what_one_does_pool_included():
  old, new, scalars = updated()
  first = tiny.update_on_two_devices(
    cyclegan.CycleGAN(make_config()), old, BATCH, DRAWS, "all"
  )
  tiny.assert_close(first, (new, scalars), rtol=1e-3)


def test_a_run_killed_between_checkpoints_ends_as_one_that_was_not(
  tmp_path, decoded
):
  config = make_config(data__cache=str(decoded), data__flip=True)
  workdir, whole, killed = tiny.train_twice(config, tmp_path)
  tiny.assert_equal(killed, whole)
  # Four images an update, drawn anew: the pool is full and moves.
  assert whole["extra"]["painting"]["count"] == 3
  names = {path.name for path in (workdir / "samples").iterdir()}
  assert "step_00000004_photographed.png" in names


@pytest.mark.parametrize(
  ("changes", "told"),
  [
    ({"data__photographs": ""}, "data.photographs is empty"),
    ({"data__size": 68}, "data.size=68 is no multiple of 8"),
    ({"data__size": 16}, "data.size"),
    ({"model__blocks": 0}, "model.blocks"),
    ({"model__dtype": "float16"}, "model.dtype"),
    ({"model__noise": -0.1}, "model.noise"),
    ({"loss__painting_cycle_weight": -1.0}, "loss.painting_cycle_weight"),
    ({"loss__pool_size": -1}, "loss.pool_size"),
    ({"generator__beta1": 1.0}, "generator.beta1"),
  ],
)
def test_what_cannot_be_is_named_in_one_line(changes, told):
  with pytest.raises(errors.UserError, match=told) as caught:
    cyclegan.CycleGAN(make_config(**changes))
  assert "\n" not in str(caught.value)


def test_no_photographs_are_refused_before_paintings_are_decoded(tmp_path):
  (tmp_path / "none").mkdir()
  config = make_config(
    data__cache=str(tmp_path / "cache"),
    data__photographs=f"folder:{tmp_path / 'none'}",
  )
  with pytest.raises(errors.UserError, match="holds no images"):
    loop.train(config, tmp_path / "run")
  assert not (tmp_path / "cache").exists()
