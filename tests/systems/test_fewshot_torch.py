"""Two whole updates of system `fewshot` against plain PyTorch's."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan.models import noise
from astgan.systems import fewshot
from configs import fewshot as page
from tests.train import tiny

torch = pytest.importorskip("torch", reason="needs the extra `reference`")

from tests.reference import fewshot_torch  # noqa: E402

pytestmark = pytest.mark.reference

LAYERS = ("relu1_2", "relu2_2")
SIZE = 64
CONFIG = tiny.make_config(
  page,
  data__size=SIZE,
  model__discriminator_width=4,
  features__weights="random",
  features__layers=LAYERS,
  diff_augment__policy=(),
  # Adam's first updates are the signs of the gradients, where rounding decides
  # about the smallest; steps in proportion to the gradients agree everywhere.
  generator__optimizer="sgd",
  generator__learning_rate=0.05,
  discriminator__optimizer="sgd",
  discriminator__learning_rate=0.05,
)


def draw(number):
  draws = np.random.default_rng(number)
  images = np.tanh(draws.normal(size=(4, SIZE, SIZE, 3))).astype("f")
  return images, draws.normal(size=(4, 5)).astype("f")


@functools.cache
def frozen():
  return fewshot.FewShot(CONFIG).load_frozen()


@functools.cache
def train_ours():
  """The state and the scalars after each of two updates."""
  system, state, history = fewshot.FewShot(CONFIG), tiny.init(CONFIG), []
  (phase,) = system.phases
  update = functools.partial(
    system.update, phase=phase, turn="both", axis_name=None
  )
  update = jax.jit(update)
  for step in range(2):
    images, latents = map(jnp.asarray, draw(step))
    state, scalars = update(
      state, {"paintings": images}, {"latents": latents}, frozen()
    )
    history.append((state, scalars))
  return history


def hinge(real, fake):
  return sum(
    torch.relu(1 - real[head]).mean() + torch.relu(1 + fake[head]).mean()
    for head in real
  )


@functools.cache
def train_theirs():
  """The networks' parameters and the losses after each of two updates."""
  start = jax.device_get(tiny.init(CONFIG).networks)
  fixed = fewshot_torch.load(jax.device_get(frozen()))
  params, vectors, optimizers = {}, {}, {}
  for name, network in start.items():
    params[name] = fewshot_torch.load(network.params)
    leaves = jax.tree.leaves(params[name])
    for leaf in leaves:
      leaf.requires_grad_()
    rate = CONFIG[name.removeprefix("feature_")].learning_rate
    optimizers[name] = torch.optim.SGD(leaves, lr=rate)
    spectral = network.collections.get("spectral")
    vectors[name] = spectral and fewshot_torch.load(spectral)
  history, batches = [], []
  for step in range(2):
    images, latents = draw(step)
    real_images = torch.tensor(images).permute(0, 3, 1, 2)
    sides = (8, 16, 32, 64)
    grains = noise.of_latents(jnp.asarray(latents), sides)
    fakes = fewshot_torch.generate(
      params["generator"],
      torch.tensor(latents),
      {
        side: torch.tensor(np.asarray(grain))
        for side, grain in zip(sides, grains, strict=True)
      },
      SIZE,
    )
    batches.append(fewshot_torch.features(fixed["net"], real_images))
    moments = fewshot_torch.moments(batches)

    def see(images, moments=moments):
      found = fewshot_torch.features(fixed["net"], images)
      seen = fewshot_torch.see(fixed["projection"], found, moments)
      return {
        "discriminator": {"pixels": images},
        "feature_discriminator": seen,
      }

    losses = {"generator": 0}
    real_inputs, fake_inputs = see(real_images), see(fakes.detach())
    for name, inputs in real_inputs.items():
      critic = params[name]
      real, vectors[name] = fewshot_torch.score(critic, vectors[name], inputs)
      fake, vectors[name] = fewshot_torch.score(
        critic, vectors[name], fake_inputs[name]
      )
      losses[name] = hinge(real, fake)
      optimizers[name].zero_grad()
      losses[name].backward()
      optimizers[name].step()
    for name, inputs in see(fakes).items():
      fake, _ = fewshot_torch.score(params[name], vectors[name], inputs)
      losses["generator"] -= sum(logits.mean() for logits in fake.values())
    optimizers["generator"].zero_grad()
    losses["generator"].backward()
    optimizers["generator"].step()
    leaves = {
      name: [leaf.detach().clone() for leaf in jax.tree.leaves(tree)]
      for name, tree in params.items()
    }
    history.append((leaves, {n: v.item() for n, v in losses.items()}))
  return history


@pytest.mark.parametrize(
  "name", ["generator", "discriminator", "feature_discriminator"]
)
def test_two_updates_agree(name):
  before = leaves_of(tiny.init(CONFIG), name)
  histories = zip(train_ours(), train_theirs(), strict=True)
  for (state, scalars), (leaves, losses) in histories:
    np.testing.assert_allclose(scalars[f"{name}/loss"], losses[name], rtol=1e-4)
    ours, theirs = (
      leaves_of(state, name),
      [leaf.numpy() for leaf in leaves[name]],
    )
    for start, one, other in zip(before, ours, theirs, strict=True):
      change = np.linalg.norm(other - start)
      rounding = 1e-6 * np.linalg.norm(other)
      # The last bit of the parameters changes the second update of the
      # generator by a thousandth.
      assert np.linalg.norm(one - other) < 5e-3 * change + rounding
    before = theirs


def leaves_of(state, name):
  leaves = jax.tree.leaves(state.networks[name].params)
  return [fewshot_torch.to_torch(np.asarray(leaf)).numpy() for leaf in leaves]
