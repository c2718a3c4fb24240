"""An update of system `superres` against PyTorch's in float64."""

import functools

import jax
import numpy as np
import pytest

from astgan.systems import registry
from configs import superres as page
from tests.systems import painters
from tests.train import tiny

torch = pytest.importorskip("torch", reason="needs the extra `reference`")

from tests.reference import painters_torch, superres_torch  # noqa: E402

pytestmark = pytest.mark.reference

RATE = 0.1
OPTIMIZER = {
  f"{name}__{field}": value
  for name in ("generator", "discriminator")
  for field, value in (
    ("optimizer", "sgd"), ("beta1", 0.0), ("learning_rate", RATE)
  )
}  # fmt: skip


@pytest.mark.parametrize(
  "weights",
  [
    {},
    {"loss__feature_weight": 0.1},
    {"loss__feature_weight": 0.1, "loss__adversarial_weight": 0.5},
  ],
)
@pytest.mark.parametrize("factor", [2, 4])
def test_an_update_agrees(factor, weights):
  config = tiny.make_config(
    page,
    features__weights="random",
    data__crop="centre",
    model__factor=factor,
    **OPTIMIZER,
    **weights,
  )
  system, state = registry.make(config), tiny.init(config)
  # The last convolution begins with zeros, by which nothing would be learned
  # but its own kernel.
  params = state.networks["generator"].params
  draws = np.random.default_rng(0)
  output = params["output"] | {
    "kernel": 0.1
    * draws.normal(size=params["output"]["kernel"].shape).astype("float32")
  }
  network = state.networks["generator"].replace(
    params=params | {"output": output}
  )
  state = state.replace(networks=state.networks | {"generator": network})
  frozen, batch = system.load_frozen(), painters.draw_batch(system, 0)
  update = functools.partial(
    system.update, phase=system.phases[0], turn="all", axis_name=None
  )
  new, scalars = jax.jit(update)(state, batch, {}, frozen)
  before, after = (
    painters_torch.load(
      {n: jax.device_get(net.params) for n, net in one.networks.items()}
    )
    for one in (state, new)
  )
  before = jax.tree.map(lambda x: x.requires_grad_(), before)
  images = torch.tensor(np.asarray(batch["paintings"])).permute(0, 3, 1, 2)
  loss = superres_torch.loss(
    before,
    {"paintings": images.double()},
    {},
    painters_torch.load(jax.device_get(frozen)) if frozen else None,
    config,
  )
  loss.backward()
  total = scalars["generator/loss"] + scalars.get("discriminator/loss", 0)
  np.testing.assert_allclose(total, loss.item(), rtol=1e-5)
  assert len(new.networks) == 1 + bool(config.loss.adversarial_weight)
  for start, end in zip(*map(jax.tree.leaves, (before, after)), strict=True):
    change, expected = (end - start).detach(), -RATE * start.grad
    # A bias that the next normalisation removes has no gradient.
    tolerance = 1e-3 * torch.linalg.norm(expected)
    tolerance += 1e-6 * torch.linalg.norm(end) + 1e-7
    assert torch.linalg.norm(change - expected) < tolerance
