"""An update of painters of one pass against PyTorch's in float64."""

import functools

import jax
import numpy as np
import pytest

from astgan.systems import registry
from tests.systems import painters
from tests.train import tiny

torch = pytest.importorskip("torch", reason="needs the extra `reference`")

from tests.reference import painters_torch  # noqa: E402

pytestmark = pytest.mark.reference


def to_torch(images):
  return torch.tensor(np.asarray(images)).permute(0, 3, 1, 2).double()


def to_double(tree):
  return jax.tree.map(
    lambda x: x.astype("float64") if x.dtype == "float32" else x, tree
  )


def disturb(state):
  """With noise on the kernels of dense layers, some of which begin at 0."""
  draws = np.random.default_rng(0)
  networks = {
    name: net.replace(
      params=jax.tree.map(
        lambda x: x + 0.01 * draws.normal(size=x.shape) if x.ndim == 2 else x,
        net.params,
      )
    )
    for name, net in state.networks.items()
  }
  return state.replace(networks=networks)


@pytest.mark.parametrize("name", painters.PAGES)
def test_an_update_agrees(name, tmp_path):
  # Steps in proportion to the gradients, where Adam's first are their signs.
  rate = 1.0
  config = painters.make_config(
    name, tmp_path, optimizer="sgd", learning_rate=rate
  )
  # In float32 rounding decides otherwise about a few ReLUs, for 1 % of a
  # gradient.
  with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
    system = registry.make(config)
    (phase,) = system.phases
    state, frozen, batch, draws = to_double(
      (
        disturb(tiny.init(config)),
        system.load_frozen(),
        painters.draw_batch(system, 0),
        system.draw(jax.random.key(0), 2, phase=phase),
      )
    )
    update = functools.partial(
      system.update, phase=phase, turn="all", axis_name=None
    )
    new, scalars = jax.jit(update)(state, batch, draws, frozen)
  before, after = (
    painters_torch.load(
      {n: jax.device_get(net.params) for n, net in one.networks.items()}
    )
    for one in (state, new)
  )
  before = jax.tree.map(lambda x: x.requires_grad_(), before)
  loss = painters_torch.LOSSES[config.system](
    before,
    {source: to_torch(images) for source, images in batch.items()},
    jax.tree.map(lambda x: torch.tensor(np.asarray(x)).double(), draws),
    painters_torch.load(jax.device_get(frozen)),
    config,
  )
  loss.backward()
  total = scalars[f"{system.section}/loss"]
  np.testing.assert_allclose(total, loss.item(), rtol=1e-6)
  for start, end in zip(*map(jax.tree.leaves, (before, after)), strict=True):
    change, expected = (end - start).detach(), -rate * start.grad
    # A bias that the next normalisation removes has no gradient but what its
    # moments, always float32, round.
    tolerance = 1e-4 * torch.linalg.norm(expected) + 2e-6
    assert torch.linalg.norm(change - expected) < tolerance
