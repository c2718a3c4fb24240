"""Two updates of painters of one pass against PyTorch's in float64."""

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

UPDATES = 2


def to_torch(images):
  return torch.tensor(np.asarray(images)).permute(0, 3, 1, 2).double()


@pytest.mark.parametrize("name", painters_torch.LOSSES)
def test_two_updates_agree(name, tmp_path):
  # Steps in proportion to the gradients, where Adam's first are their signs.
  config = painters.make_config(
    name, tmp_path, optimizer="sgd", learning_rate=1e-5
  )
  system, state = registry.make(config), tiny.init(config)
  (phase,), section = system.phases, config[system.section]
  frozen = system.load_frozen()
  fixed = painters_torch.load(jax.device_get(frozen))
  update = functools.partial(
    system.update, phase=phase, turn="all", axis_name=None
  )
  update = jax.jit(update)
  first = {n: network.params for n, network in state.networks.items()}
  theirs = painters_torch.load(jax.device_get(first))
  leaves = jax.tree.leaves(theirs)
  for leaf in leaves:
    leaf.requires_grad_()
  optimizer = torch.optim.SGD(
    leaves, lr=section.learning_rate, momentum=section.beta1
  )
  for step in range(UPDATES):
    batch = painters.draw_batch(system, step)
    draws = system.draw(jax.random.key(step), 2, phase=phase)
    before = [leaf.detach().clone() for leaf in leaves]
    state, scalars = update(state, batch, draws, frozen)
    loss = painters_torch.LOSSES[name](
      theirs,
      {source: to_torch(images) for source, images in batch.items()},
      jax.tree.map(lambda x: torch.tensor(np.asarray(x)).double(), draws),
      fixed,
      config,
    )
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    total = scalars[f"{system.section}/loss"]
    np.testing.assert_allclose(total, loss.item(), rtol=1e-4)
    ours = {n: network.params for n, network in state.networks.items()}
    ours = jax.tree.leaves(painters_torch.load(jax.device_get(ours)))
    for start, one, other in zip(before, ours, leaves, strict=True):
      change = torch.linalg.norm(other - start)
      # A bias that the next normalisation removes has no gradient.
      rounding = 1e-6 * torch.linalg.norm(other) + 1e-7
      assert torch.linalg.norm(one - other) < 5e-3 * change + rounding
