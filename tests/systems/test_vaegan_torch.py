"""Two whole updates of system `vaegan` against PyTorch's in float64."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan.systems import registry
from configs import vaegan as page
from tests.train import tiny

torch = pytest.importorskip("torch", reason="needs the extra `reference`")

from tests.reference import vaegan_torch  # noqa: E402

pytestmark = pytest.mark.reference

GAMMA = 3e-3
CONFIG = tiny.make_config(
  page, model__encoder_units=8, loss__reconstruction_weight=GAMMA
)


def draw(number):
  """Real images, noise and latents of an update."""
  draws = np.random.default_rng(number)
  images = np.tanh(draws.normal(size=(8, tiny.SIZE, tiny.SIZE, 3)))
  latents = draws.normal(size=(2, 8, 5))
  return images.astype("f"), *latents.astype("f")


@functools.cache
def train_ours():
  """The state and the scalars after each of two updates."""
  system, state, history = registry.make(CONFIG), tiny.init(CONFIG), []
  (phase,) = system.phases
  update = jax.jit(
    functools.partial(system.update, phase=phase, turn="all", axis_name=None)
  )
  for number in range(2):
    images, noise, latents = map(jnp.asarray, draw(number))
    draws = {"noise": noise, "latents": latents}
    state, scalars = update(state, {"paintings": images}, draws, None)
    history.append((state, scalars))
  return history


@functools.cache
def train_theirs():
  """The networks' parameters and the losses after each of two updates."""
  model, state = CONFIG.model, tiny.init(CONFIG)
  networks = vaegan_torch.make_networks(
    tiny.SIZE, model.width, model.latent_dim, model.encoder_units
  )
  optimizers, history = {}, []
  for name, network in networks.items():
    params = state.networks[name].params
    vaegan_torch.load(network.double(), vaegan_torch.flatten(name, params))
    optimizers[name] = torch.optim.Adam(
      network.parameters(), lr=2e-4, betas=(0.5, 0.999)
    )
  for number in range(2):
    real, noise, latents = (torch.tensor(x).double() for x in draw(number))
    losses = vaegan_torch.update(
      networks, optimizers, real.permute(0, 3, 1, 2), noise, latents, GAMMA
    )
    params = {
      name: [p.detach().numpy().copy() for p in network.parameters()]
      for name, network in networks.items()
    }
    history.append((params, losses))
  return history


@pytest.mark.parametrize("name", vaegan_torch.LAYERS)
def test_two_updates_agree(name):
  for (state, scalars), (params, losses) in zip(
    train_ours(), train_theirs(), strict=True
  ):
    for key, loss in losses.items():
      np.testing.assert_allclose(scalars[key], loss, rtol=1e-5)
    ours = vaegan_torch.flatten(name, state.networks[name].params)
    for one, other in zip(ours, params[name], strict=True):
      # In learning rates; Adam divides tiny gradients by their own size.
      np.testing.assert_allclose(
        one, other.astype(np.float32), rtol=0, atol=2e-4 * 5e-3, strict=True
      )
