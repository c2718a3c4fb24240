"""Three whole updates of system `cyclegan` against PyTorch's in float64."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan.systems import image_pool, registry
from configs import cyclegan as page
from tests.train import tiny

torch = pytest.importorskip("torch", reason="needs the extra `reference`")

from tests.reference import cyclegan_torch  # noqa: E402

pytestmark = pytest.mark.reference

DOMAINS, POOL, UPDATES = cyclegan_torch.DOMAINS, 3, 3
WEIGHTS = {"painting": 10.0, "photograph": 5.0}
CONFIG = tiny.make_config(
  page,
  data__photographs="landscapes",
  model__blocks=2,
  loss__photograph_cycle_weight=5.0,
  loss__pool_size=POOL,
)


def draw(number):
  """Real images of both domains and the chance of both pools."""
  draws = np.random.default_rng(number)
  shape = (2, 2, tiny.SIZE, tiny.SIZE, 3)
  images = np.tanh(draws.normal(size=shape)).astype("f")
  chance = [
    image_pool.Draws(draws.random(2) < 0.7, draws.integers(0, POOL, 2))
    for _ in DOMAINS
  ]
  return dict(zip(DOMAINS, images, strict=True)), dict(
    zip(DOMAINS, chance, strict=True)
  )


@functools.cache
def train_ours():
  """The state and the scalars after each update."""
  system, state, history = registry.make(CONFIG), tiny.init(CONFIG), []
  (phase,) = system.phases
  update = jax.jit(
    functools.partial(system.update, phase=phase, turn="all", axis_name=None)
  )
  for number in range(UPDATES):
    images, draws = draw(number)
    batch = {f"{d}s": jnp.asarray(images[d]) for d in DOMAINS}
    draws = jax.tree.map(jnp.asarray, draws)
    state, scalars = update(state, batch, draws, None)
    history.append((state, scalars))
  return history


@functools.cache
def train_theirs():
  """Parameters, losses and pools after each update."""
  state, nets, history = tiny.init(CONFIG), {}, []
  for d in DOMAINS:
    nets[f"{d}_generator"] = cyclegan_torch.make_generator(4, 2)
    nets[f"{d}_discriminator"] = cyclegan_torch.make_discriminator(4)
  for name, net in nets.items():
    cyclegan_torch.load(net.double(), state.networks[name].params)
  optimizers = cyclegan_torch.make_optimizers(nets)
  pools = {d: cyclegan_torch.Pool(POOL) for d in DOMAINS}
  for number in range(UPDATES):
    images, draws = draw(number)
    real = {
      d: torch.tensor(images[d]).permute(0, 3, 1, 2).double() for d in DOMAINS
    }
    losses = cyclegan_torch.update(
      nets, optimizers, pools, real, draws, weights=WEIGHTS, identity=0.5
    )
    params = {name: cyclegan_torch.read(net) for name, net in nets.items()}
    held = {
      d: torch.stack(pools[d].images).permute(0, 2, 3, 1).float().numpy()
      for d in DOMAINS
    }
    history.append((params, losses, held))
  return history


@pytest.mark.parametrize(
  "name", [f"{d}_{k}" for d in DOMAINS for k in ("generator", "discriminator")]
)
def test_three_updates_agree(name):
  for (state, scalars), (params, losses, _) in zip(
    train_ours(), train_theirs(), strict=True
  ):
    for key, loss in losses.items():
      np.testing.assert_allclose(scalars[key], loss, rtol=1e-5)
    ours = cyclegan_torch.flatten(state.networks[name].params)
    assert ours.keys() == params[name].keys()
    for key, theirs in params[name].items():
      # In learning rates.
      np.testing.assert_allclose(
        ours[key], theirs, rtol=0, atol=2e-4 * 5e-3, strict=True, err_msg=key
      )


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_pools_hold_the_same_images(domain):
  for (state, _), (_, _, held) in zip(
    train_ours(), train_theirs(), strict=True
  ):
    pool, expected = state.extra[domain], held[domain]
    assert pool.count == len(expected)
    np.testing.assert_allclose(
      pool.images[: len(expected)], expected, rtol=0, atol=1e-4, strict=True
    )
