"""A whole update of system `stylegan` against PyTorch's in float64."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan.models import growing
from astgan.systems import registry
from configs import stylegan as page
from tests.train import tiny

torch = pytest.importorskip("torch", reason="needs the extra `reference`")

from tests.reference import stylegan_torch  # noqa: E402

pytestmark = pytest.mark.reference

SIZE, LATENT, WIDTH, RATE = 8, 5, 4, 0.05
STEP, SHARE = 3, 0.25


def make_config(name):
  """The second size fades in from update 2 to 6; R1 is due in update 4.

  Adam's first step is the sign of a gradient alone.
  """
  return tiny.make_config(
    page,
    data__size=SIZE,
    model__name=name,
    growth__batch_sizes=(4,),
    growth__stable_steps=(2,),
    growth__fade_steps=(4,),
    loss__penalty_every=2,
    **{
      f"{network}__{field}": value
      for network in ("generator", "discriminator")
      for field, value in (
        ("optimizer", "sgd"), ("beta1", 0.9), ("learning_rate", RATE)
      )
    },
  )  # fmt: skip


def start(config):
  """A state inside the fade, with noise as strong as after some training."""
  state = tiny.init(config)
  generator = state.networks["generator"]
  synthesis = generator.params["synthesis"]
  synthesis |= {
    name: jnp.full_like(strength, 0.3)
    for name, strength in synthesis.items()
    if name.startswith("noise")
  }
  params = generator.params | {"synthesis": synthesis}
  nets = state.networks | {"generator": generator.replace(params=params)}
  return state.replace(step=jnp.int32(STEP), networks=nets)


def draw(config):
  """Real images, and the chance of the update."""
  images = np.random.default_rng(0).normal(size=(4, SIZE, SIZE, 3))
  system = registry.make(config)
  key = jax.random.key(2)
  draws = system.draw(key, 4, phase=system.phases[-1])
  return np.tanh(images).astype("f"), draws


@functools.cache
def train_ours(name):
  """The states before and after, and the scalars."""
  config = make_config(name)
  system, state = registry.make(config), start(config)
  images, draws = draw(config)
  phase = system.phases[-1]
  (turn,) = system.turns(STEP, phase)
  assert turn == "both+penalty"
  update = jax.jit(
    functools.partial(system.update, phase=phase, turn=turn, axis_name=None)
  )
  batch = {"paintings": jnp.asarray(images)}
  return state, *update(state, batch, draws, None)


@functools.cache
def train_theirs(name):
  """The networks, their gradients, both losses and the mean w."""
  config = make_config(name)
  state, (images, draws) = start(config), draw(config)
  channels = [growing.channels_at(s, WIDTH) for s in growing.sides_to(SIZE)]
  is_style = name == "stylegan"
  nets = {
    "generator": stylegan_torch.Generator(channels, LATENT, is_style),
    "discriminator": stylegan_torch.Discriminator(channels, is_style),
  }
  optimizers = {}
  for kind, net in nets.items():
    stylegan_torch.load(net.double(), state.networks[kind].params)
    optimizers[kind] = torch.optim.SGD(net.parameters(), lr=RATE, momentum=0.9)
  draws = draws["latents"] if is_style else draws
  draws = jax.tree.map(lambda x: torch.tensor(np.asarray(x)), draws)
  draws = jax.tree.map(
    lambda x: x.double() if x.is_floating_point() else x, draws
  )
  losses = stylegan_torch.update(
    nets, optimizers, torch.tensor(images).permute(0, 3, 1, 2).double(), draws,
    sides=2, share=SHARE, gamma=10.0, every=2,
  )  # fmt: skip
  gradients = {
    kind: {
      name: optimizers[kind].state[p]["momentum_buffer"].float().numpy()
      for name, p in net.named_parameters()
      if p.grad is not None
    }
    for kind, net in nets.items()
  }
  return nets, gradients, losses


@pytest.mark.parametrize("kind", ["generator", "discriminator"])
@pytest.mark.parametrize("name", ["stylegan", "progan"])
def test_an_update_with_r1_inside_a_fade_agrees(name, kind):
  _, state, scalars = train_ours(name)
  nets, gradients, losses = train_theirs(name)
  loss = {"discriminator": losses[0], "generator": losses[1]}[kind]
  np.testing.assert_allclose(scalars[f"{kind}/loss"], loss, rtol=1e-5)
  network = state.networks[kind]
  ours = stylegan_torch.flatten(network.opt_state[0].trace)
  params = stylegan_torch.flatten(network.params)
  theirs = stylegan_torch.read(nets[kind])
  assert ours.keys() == params.keys() == theirs.keys()
  for key, gradient in gradients[kind].items():
    largest = np.max(np.abs(gradient))
    np.testing.assert_allclose(
      ours[key],
      gradient,
      rtol=0,
      atol=1e-7 + 3e-4 * largest,
      err_msg=key,
      strict=True,
    )
    np.testing.assert_allclose(
      params[key], theirs[key], rtol=1e-5, atol=1e-5, strict=True, err_msg=key
    )
  for key in ours.keys() - gradients[kind].keys():
    assert not np.any(ours[key]), key


def test_the_average_w_moves_by_one_part_in_200():
  _, state, _ = train_ours("stylegan")
  _, _, (_, _, mean) = train_theirs("stylegan")
  average = state.networks["generator"].collections["average"]["mapping"]["w"]
  np.testing.assert_allclose(average, 0.005 * mean.numpy(), rtol=1e-4)
