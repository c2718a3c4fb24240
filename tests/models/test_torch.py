"""Every network against PyTorch's layers, with the same parameters."""

import functools
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan.models import dcgan, resnet
from tests.models.numbers import close, draw

torch = pytest.importorskip("torch", reason="needs the extra `reference`")

from tests.reference import dcgan_torch, resnet_torch  # noqa: E402

pytestmark = pytest.mark.reference

SIZE, WIDTH, LATENT, SLOPE, BATCH = 32, 8, 20, 0.3, 6
CHANNELS = (64, 32, 16, 8)
# Our network and PyTorch's.
PAIRS = {
  f"{upsample} generator": (
    dcgan.Generator(SIZE, WIDTH, upsample=upsample),
    dcgan_torch.make_generator(LATENT, SIZE, WIDTH, upsample),
  )
  for upsample in ("transposed", "nearest", "bilinear")
}
PAIRS |= {
  f"{norm} discriminator": (
    dcgan.Discriminator(SIZE, WIDTH, SLOPE, norm=norm),
    dcgan_torch.make_discriminator(SIZE, WIDTH, SLOPE, module),
  )
  for norm, module in (
    ("batch", torch.nn.BatchNorm2d),
    ("layer", dcgan_torch.LayerNorm),
  )
}
PAIRS |= {
  "resnet generator": (
    resnet.Generator(SIZE, WIDTH),
    resnet_torch.make_generator(LATENT, CHANNELS),
  ),
  "resnet discriminator": (
    resnet.Discriminator(SIZE, WIDTH),
    resnet_torch.make_discriminator(CHANNELS[::-1]),
  ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_outputs_in_training_and_gradients_of_all_parameters_agree(name):
  ours, theirs = PAIRS[name]
  reference = resnet_torch if "resnet" in name else dcgan_torch
  if "generator" in name:
    examples = draw(BATCH, LATENT)
    shape = (BATCH, LATENT) if "resnet" in name else (BATCH, LATENT, 1, 1)
    tensor = torch.tensor(np.asarray(examples)).reshape(shape)
  else:
    examples = draw(BATCH, SIZE, SIZE, 3)
    tensor = dcgan_torch.to_torch(examples)
  init = jax.jit(functools.partial(ours.init, train=False))
  variables = init(jax.random.key(0), examples)
  reference.load(theirs, variables["params"])

  def loss(params):
    outputs, _ = ours.apply(
      variables | {"params": params},
      examples,
      train=True,
      mutable=["batch_stats"],
    )
    return jnp.sum(jnp.sin(5 * outputs)), outputs

  gradients, actual = jax.jit(jax.grad(loss, has_aux=True))(variables["params"])
  outputs = theirs.train()(tensor)
  torch.sin(5 * outputs).sum().backward()
  if "generator" in name:
    close(actual, dcgan_torch.from_torch(outputs))
  else:
    close(actual, outputs.detach().numpy().reshape(BATCH))
  actual = reference.flatten(gradients)
  expected = reference.read(theirs, gradients=True)
  if "resnet" in name:
    assert actual.keys() == expected.keys()
    # A bias of a generator's block has no gradient but by rounding, for batch
    # normalisation removes it.
    names = [
      key for key in expected
      if not re.search(r"block.*(conv|shortcut).*bias", key)
      or "discriminator" in name
    ]  # fmt: skip
    actual = [actual[key] for key in names]
    expected = [expected[key] for key in names]
  for one, other in zip(actual, expected, strict=True):
    close(one, other)
