"""One update of system `gan`, against the same worked out by hand."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan import errors
from astgan.systems import gan, gan_networks
from tests.train import tiny


def draw(*shape, seed=0):
  return jnp.asarray(np.random.default_rng(seed).normal(size=shape), "float32")


IMAGES = jnp.clip(draw(4, tiny.SIZE, tiny.SIZE, 3), -1, 1)
LATENTS = draw(4, 5, seed=1)
# Networks without batch normalisation in the discriminator.
FREE = {"model__discriminator_norm": "none"}
UNWEIGHTED = {**FREE, "loss__penalty": "gradient", "loss__penalty_weight": 0.0}


@functools.cache
def compile_update(turn="both", **changes):
  system = gan.GAN(tiny.make_config(**changes))
  return jax.jit(
    functools.partial(
      system.update, phase=system.phases[0], turn=turn, axis_name=None
    )
  )


def update(state, turn="both", images=IMAGES, draws=None, **changes):
  draws = {"latents": LATENTS} | (draws or {})
  batch = {"paintings": images}
  updated = compile_update(turn, **changes)(state, batch, draws, None)
  return jax.device_get(updated)


def init(**changes):
  return jax.device_get(tiny.init(tiny.make_config(**changes)))


@functools.cache
def updated(turn="both", **changes):
  """A state, its successor and the scalars between them, as host arrays."""
  old = init(**changes)
  return old, *update(old, turn, **changes)


@functools.cache
def compile_network(name, **changes):
  module = getattr(gan_networks.build(tiny.make_config(**changes)), name)

  def apply(params, collections, inputs):
    output, moved = module.apply(
      {"params": params, **collections},
      inputs,
      train=True,
      mutable=list(collections),
    )
    return output, {**collections, **moved}

  return jax.jit(apply)


def score(params, collections, images, **changes):
  network = compile_network("discriminator", **changes)
  return network(params, collections, images)


def generate(state, params=None, **changes):
  network = state.networks["generator"]
  params = network.params if params is None else params
  apply = compile_network("generator", **changes)
  return apply(params, network.collections, LATENTS)


def first_logits():
  """D(x) and D(G(z)) of the first state."""
  old, _, _ = updated()
  network = old.networks["discriminator"]
  real, moved = score(network.params, network.collections, IMAGES)
  return real, score(network.params, moved, generate(old)[0])[0]


def discriminator_loss(params, old):
  """-log D(x) - log(1 - D(G(z))), by probabilities, and moved statistics."""
  fakes, _ = generate(old)
  collections = old.networks["discriminator"].collections
  real, moved = score(params, collections, IMAGES)
  fake, moved = score(params, moved, fakes)
  losses = -jnp.log(jax.nn.sigmoid(real)) - jnp.log(1 - jax.nn.sigmoid(fake))
  return jnp.mean(losses), moved


def generator_loss(params, old, discriminator):
  """-log D(G(z)) against the discriminator given."""
  fakes, _ = generate(old, params)
  logits, _ = score(discriminator.params, discriminator.collections, fakes)
  return jnp.mean(-jnp.log(jax.nn.sigmoid(logits)))


def gradient_of(network):
  """Of a first update by Adam, whose first moment is (1 - beta1) times it."""
  return jax.tree.map(lambda m: 2 * m, network.opt_state[0].mu)


def test_the_discriminator_learns_the_loss_of_the_paper():
  old, new, scalars = updated()
  params = old.networks["discriminator"].params
  (loss, moved), gradient = jax.jit(
    jax.value_and_grad(discriminator_loss, has_aux=True)
  )(params, old)
  tiny.assert_close(scalars["discriminator/loss"], loss, rtol=1e-5)
  actual = new.networks["discriminator"]
  tiny.assert_close(gradient_of(actual), gradient, rtol=1e-4)
  # Moved by the real images, then by the generated ones.
  tiny.assert_close(actual.collections, moved, rtol=1e-4)


def test_the_generator_learns_against_the_discriminator_just_updated():
  old, new, scalars = updated()
  params = old.networks["generator"].params
  against = new.networks["discriminator"]
  learn = jax.jit(jax.value_and_grad(generator_loss))
  loss, gradient = learn(params, old, against)
  tiny.assert_close(scalars["generator/loss"], loss, rtol=1e-5)
  actual = new.networks["generator"]
  tiny.assert_close(gradient_of(actual), gradient, rtol=1e-4)
  _, moved = generate(old)
  tiny.assert_close(actual.collections, moved, rtol=1e-5)
  before, _ = learn(params, old, old.networks["discriminator"])
  assert abs(before - loss) > 1e-4


def test_a_turn_of_the_discriminator_changes_nothing_else():
  old, new, scalars = updated("discriminator")
  tiny.assert_equal(new.networks["generator"], old.networks["generator"])
  _, both, _ = updated()
  tiny.assert_equal(
    new.networks["discriminator"], both.networks["discriminator"]
  )
  assert new.step == old.step == 0 and both.step == 1
  assert "generator/loss" not in scalars


def test_accuracies_and_logits_are_those_of_the_batch():
  (real, fake), (_, _, scalars) = first_logits(), updated()
  expected = {
    "discriminator/real_accuracy": np.mean(real > 0, dtype="float32"),
    "discriminator/fake_accuracy": np.mean(fake < 0, dtype="float32"),
    "discriminator/real_logit": jnp.mean(real),
    "discriminator/fake_logit": jnp.mean(fake),
  }
  actual = {name: scalars[name] for name in expected}
  tiny.assert_close(actual, expected, rtol=1e-4)


def test_histograms_are_the_logits_of_reals_and_of_samples():
  system, state = gan.GAN(tiny.make_config()), updated()[0]
  batch = {"paintings": IMAGES}
  sheets = system.samples(state, None, batch)
  drawn = system.histograms(state, None, sheets, batch)
  network = state.networks["discriminator"]
  for kind, images in (
    ("real", IMAGES),
    ("fake", system.samples(state, None, batch)["samples"]),
  ):
    expected, _ = score(network.params, network.collections, images)
    tiny.assert_close(
      drawn[f"discriminator/{kind}_logits"], expected, rtol=1e-4
    )


@pytest.mark.parametrize("name", ["wasserstein", "relativistic"])
def test_logits_without_a_boundary_have_no_accuracy(name):
  _, scalars = update(updated()[0], loss__name=name, loss__weight_clip=0.1)
  assert not [x for x in scalars if "accuracy" in x]
  assert "discriminator/real_logit" in scalars


def test_gradient_norms_are_those_of_all_parameters():
  _, new, scalars = updated()
  for name in ("generator", "discriminator"):
    gradient = jax.tree.leaves(gradient_of(new.networks[name]))
    expected = np.linalg.norm(np.concatenate([g.ravel() for g in gradient]))
    tiny.assert_close(
      scalars[f"{name}/gradient_norm"], jnp.float32(expected), rtol=1e-4
    )


def test_the_real_label_switches_at_the_late_step():
  labels = {"loss__real_label": 0.7, "loss__real_label_late": 0.9}
  real, fake = first_logits()
  losses = []
  for done, label in ((2, 0.7), (3, 0.9)):
    old = updated()[0].replace(step=np.int32(done))
    _, scalars = update(old, **labels, loss__late_step=3)
    # -t log D - (1 - t) log(1 - D) is the softplus less t times the logit.
    expected = jnp.mean(jax.nn.softplus(real) - label * real)
    expected += jnp.mean(jax.nn.softplus(fake))
    tiny.assert_close(scalars["discriminator/loss"], expected, rtol=1e-5)
    losses.append(expected)
  assert abs(losses[0] - losses[1]) > 1e-3


def test_noisy_labels_are_those_of_the_other_kind():
  # With every label wrong, the loss of D(x) and D(G(z)) is that of the others.
  old, (real, fake) = updated()[0], first_logits()
  wrong = {name: jnp.ones(4, bool) for name in ("real_flips", "fake_flips")}
  _, scalars = update(old, draws=wrong, loss__label_noise=0.5)
  expected = jnp.mean(jax.nn.softplus(real) + jax.nn.softplus(-fake))
  tiny.assert_close(scalars["discriminator/loss"], expected, rtol=1e-5)


LOSSES = {
  "minimax": (
    lambda r, f: jax.nn.softplus(-r) + jax.nn.softplus(f),
    lambda r, f: -jax.nn.softplus(f),
  ),
  "least_squares": (
    lambda r, f: ((r - 1) ** 2 + f**2) / 2,
    lambda r, f: (f - 1) ** 2 / 2,
  ),
  "hinge": (
    lambda r, f: jnp.maximum(0, 1 - r) + jnp.maximum(0, 1 + f),
    lambda r, f: -f,
  ),
  "wasserstein": (lambda r, f: f - r, lambda r, f: -f),
  "relativistic": (
    lambda r, f: jax.nn.softplus(f - r),
    lambda r, f: jax.nn.softplus(r - f),
  ),
}


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_is_the_one_of_its_formula(name):
  changes = FREE | {"loss__name": name}
  if name == "wasserstein":
    changes |= {"loss__weight_clip": 0.01}
  old, new, scalars = updated(**changes)
  fakes, _ = generate(old)
  for scalar, network, formula in zip(
    ("discriminator/loss", "generator/loss"),
    (old.networks["discriminator"], new.networks["discriminator"]),
    LOSSES[name],
    strict=True,
  ):
    real, fake = (
      score(network.params, {}, images, **FREE)[0] for images in (IMAGES, fakes)
    )
    tiny.assert_close(scalars[scalar], jnp.mean(formula(real, fake)), rtol=1e-4)


@pytest.mark.parametrize("kind", ["gradient", "r1", "r1_r2"])
def test_a_lazy_penalty_is_added_as_often_as_it_was_left_out(kind):
  changes = FREE | {
    "loss__penalty": kind,
    "loss__penalty_every": 3,
    "loss__penalty_weight": 2.0,
  }
  old = init(**changes)
  params, fakes = old.networks["discriminator"].params, generate(old)[0]
  alpha = jnp.array([0.0, 0.3, 0.7, 1.0])

  def squares(params, images):
    gradient = jax.grad(lambda x: jnp.sum(score(params, {}, x, **FREE)[0]))
    return jnp.sum(gradient(images) ** 2, axis=(1, 2, 3))

  def penalty(params):
    if kind == "gradient":
      mixed = IMAGES + (1 - alpha)[:, None, None, None] * (fakes - IMAGES)
      return 2 * jnp.mean((jnp.sqrt(squares(params, mixed)) - 1) ** 2)
    values = squares(params, IMAGES)
    if kind == "r1_r2":
      values += squares(params, fakes)
    return jnp.mean(values)

  value, gradient = jax.device_get(jax.jit(jax.value_and_grad(penalty))(params))
  draws = {"alpha": alpha}
  with_it, scalars = update(old, "both+penalty", draws=draws, **changes)
  without, _ = update(old, draws=draws, **changes)
  tiny.assert_close(scalars["discriminator/penalty"], value, rtol=1e-4)
  added = jax.tree.map(
    np.subtract,
    gradient_of(with_it.networks["discriminator"]),
    gradient_of(without.networks["discriminator"]),
  )
  expected = jax.tree.map(lambda g: 3 * g, gradient)
  tiny.assert_close(added, expected, rtol=1e-3)


def test_clipped_weights_stay_within_their_bound():
  changes = {"loss__name": "wasserstein", "loss__weight_clip": 0.01}
  _, new, _ = updated(**changes)
  leaves = jax.tree.leaves(new.networks["discriminator"].params)
  largest = [float(jnp.max(jnp.abs(leaf))) for leaf in leaves]
  np.testing.assert_allclose(max(largest), 0.01)
  leaves = jax.tree.leaves(new.networks["generator"].params)
  assert max(float(jnp.max(jnp.abs(leaf))) for leaf in leaves) > 0.02


def test_augmented_images_are_judged_and_the_generator_learns_through_them():
  changes = FREE | {"diff_augment__policy": ("cutout",)}
  old = init(**changes)
  # A box over the whole image: the discriminator sees nothing but zeros.
  boxes = {"boxes": jnp.broadcast_to(jnp.array([0, 0, 32, 32]), (4, 4))}
  new, scalars = update(old, draws={"real": boxes, "fake": boxes}, **changes)
  params = old.networks["discriminator"].params
  blank, _ = score(params, {}, jnp.zeros_like(IMAGES), **FREE)
  tiny.assert_close(scalars["discriminator/real_logit"], blank[0], rtol=1e-5)
  gradient = gradient_of(new.networks["generator"])
  assert all(not jnp.any(leaf) for leaf in jax.tree.leaves(gradient))


def test_spectral_vectors_move_and_no_batch_statistics_are_there():
  changes = FREE | {"loss__name": "hinge", "model__spectral_norm": "both"}
  old, new, _ = updated(**changes)
  for name, kinds in (
    ("generator", {"batch_stats", "spectral"}), ("discriminator", {"spectral"})
  ):  # fmt: skip
    assert set(new.networks[name].collections) == kinds
    before, after = (
      jax.tree.leaves(state.networks[name].collections["spectral"])
      for state in (old, new)
    )
    assert any(np.any(a != b) for a, b in zip(before, after, strict=True))


def test_the_moving_average_moves_by_one_minus_its_decay():
  old, new, _ = updated(train__ema_decay=0.75)
  tiny.assert_equal(old.ema["generator"], old.networks["generator"].params)
  expected = jax.tree.map(
    lambda e, x: 0.75 * e + 0.25 * x,
    old.ema["generator"],
    new.networks["generator"].params,
  )
  tiny.assert_close(new.ema["generator"], expected, rtol=1e-6)
  assert updated()[1].ema == {}


def test_the_discriminator_learns_to_tell_noise_from_images():
  changes = {"discriminator__learning_rate": 2e-3}
  state, losses = tiny.init(tiny.make_config(**changes)), []
  for _ in range(30):
    state, scalars = update(state, **changes)
    losses.append(scalars["discriminator/loss"])
  # It starts at 2 log 2, knowing nothing.
  assert abs(losses[0] - 2 * np.log(2)) < 0.2
  assert losses[-1] < 0.7 * losses[0]


def turns(step, phase=-1, **changes):
  system = gan.GAN(tiny.make_config(**FREE, **changes))
  return system.turns(step, system.phases[phase])


def test_turns_are_k_with_lazy_penalties_among_them():
  assert turns(0) == ("both",)
  assert turns(7, discriminator__updates=3) == (
    "discriminator", "discriminator", "both"
  )  # fmt: skip
  every = {"loss__penalty": "r1", "loss__penalty_every": 4}
  assert [turns(step, **every)[0] for step in range(5)] == [
    "both", "both", "both", "both+penalty", "both"
  ]  # fmt: skip
  assert turns(1, discriminator__updates=3, **every) == (
    "discriminator+penalty", "discriminator", "both"
  )  # fmt: skip


def test_a_head_start_is_a_phase_of_its_own():
  head = {"discriminator__start_updates": 100, "discriminator__start_steps": 25}
  system = gan.GAN(tiny.make_config(discriminator__updates=5, **head))
  starts = [(p.start, p.batches_per_step) for p in system.phases]
  assert starts == [(0, 100), (25, 5)]


def test_draws_have_the_examples_first_and_only_what_is_needed():
  system = gan.GAN(tiny.make_config())
  draws = system.draw(jax.random.key(0), 6, phase=system.phases[0])
  assert set(draws) == {"latents"}
  config = tiny.make_config(
    **FREE,
    loss__penalty="gradient",
    loss__label_noise=0.1,
    diff_augment__policy=("colour", "translation", "cutout"),
  )
  draws = gan.GAN(config).draw(jax.random.key(0), 6, phase=system.phases[0])
  assert set(draws) == {
    "latents", "alpha", "real_flips", "fake_flips", "real", "fake"
  }  # fmt: skip
  assert {len(leaf) for leaf in jax.tree.leaves(draws)} == {6}
  assert np.any(draws["real"]["offsets"] != draws["fake"]["offsets"])


def test_the_first_state_is_a_function_of_the_seed():
  first, again = tiny.init(tiny.make_config()), tiny.init(tiny.make_config())
  tiny.assert_equal(first, again)
  other = tiny.init(tiny.make_config(seed=1))
  assert np.any(first.key != other.key)
  one, two = (s.networks["generator"].params["project"] for s in (first, other))
  assert np.any(one != two)


@pytest.mark.parametrize(
  ("changes", "told"),
  [
    ({"data__size": 48}, "data.size"),
    ({"model__name": "stylegan"}, "model.name"),
    ({"model__width": 0}, "model.width"),
    ({"model__upsample": "cubic"}, "model.upsample"),
    ({"model__name": "resnet"}, "model.upsample=nearest"),
    ({"model__leaky_relu_slope": -0.1}, "model.leaky_relu_slope"),
    ({"model__dtype": "float16"}, "model.dtype"),
    ({"loss__name": "cross"}, "loss.name"),
    ({"loss__real_label": 1.1}, "loss.real_label"),
    ({"loss__penalty_weight": -1.0}, "loss.penalty_weight"),
    ({"loss__penalty_every": 0}, "loss.penalty_every"),
    ({"loss__penalty": "r1"}, "images independently"),
    ({"loss__name": "hinge", "loss__real_label": 0.9}, "no labels"),
    ({"loss__name": "wasserstein"}, "Lipschitz"),
    ({**UNWEIGHTED, "loss__name": "wasserstein"}, "Lipschitz"),
    ({"discriminator__updates": 0}, "discriminator.updates"),
    ({"discriminator__updates": -1}, "discriminator.updates"),
    ({"discriminator__start_updates": 10**20}, "discriminator.start_updates"),
    ({"generator__optimizer": "lion"}, "generator.optimizer"),
    ({"generator__learning_rate": float("nan")}, "generator.learning_rate"),
    ({"generator__beta1": 1.0}, "generator.beta1"),
    ({"discriminator__schedule": "cosine"}, "discriminator.schedule"),
    ({"diff_augment__policy": ("blur",)}, "diff_augment.policy"),
  ],
)
def test_what_cannot_be_is_named_in_one_line(changes, told):
  with pytest.raises(errors.UserError, match=told) as caught:
    gan.GAN(tiny.make_config(**changes))
  assert "\n" not in str(caught.value)


def test_a_field_of_another_system_is_refused_with_those_it_has():
  config = tiny.make_config().unlock()
  config.loss.cycle_weight = 10.0
  with pytest.raises(errors.UserError, match=r"no field cycle_weight; .* has"):
    gan.GAN(config)
