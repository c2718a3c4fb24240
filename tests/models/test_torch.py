"""Every network against PyTorch's layers, with the same parameters."""

import functools

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
  "dcgan generator": (
    dcgan.Generator(SIZE, WIDTH),
    lambda: dcgan_torch.make_generator(LATENT, SIZE, WIDTH),
  ),
  "nearest generator": (
    dcgan.Generator(SIZE, WIDTH, upsample="nearest"),
    lambda: dcgan_torch.make_generator(LATENT, SIZE, WIDTH, "nearest"),
  ),
  "bilinear generator": (
    dcgan.Generator(SIZE, WIDTH, upsample="bilinear"),
    lambda: dcgan_torch.make_generator(LATENT, SIZE, WIDTH, "bilinear"),
  ),
  "resnet generator": (
    resnet.Generator(SIZE, WIDTH),
    lambda: resnet_torch.make_generator(LATENT, CHANNELS),
  ),
  "dcgan discriminator": (
    dcgan.Discriminator(SIZE, WIDTH, SLOPE),
    lambda: dcgan_torch.make_discriminator(SIZE, WIDTH, SLOPE),
  ),
  "layer-normed discriminator": (
    dcgan.Discriminator(SIZE, WIDTH, SLOPE, norm="layer"),
    lambda: dcgan_torch.make_discriminator(
      SIZE, WIDTH, SLOPE, dcgan_torch.LayerNorm
    ),
  ),
  "resnet discriminator": (
    resnet.Discriminator(SIZE, WIDTH),
    lambda: resnet_torch.make_discriminator(CHANNELS[::-1]),
  ),
}
BATCH_NORMED = [name for name in PAIRS if name.startswith("dcgan")]


def reference(name):
  return resnet_torch if "resnet" in name else dcgan_torch


@functools.cache
def pairs(name):
  """Our network, its variables, an input, and PyTorch's network and input."""
  ours, make = PAIRS[name]
  theirs = make()
  if "generator" in name:
    examples = draw(BATCH, LATENT)
    shape = (BATCH, LATENT) if "resnet" in name else (BATCH, LATENT, 1, 1)
    tensor = torch.tensor(np.asarray(examples)).reshape(shape)
  else:
    examples = draw(BATCH, SIZE, SIZE, 3)
    tensor = dcgan_torch.to_torch(examples)
  init = jax.jit(functools.partial(ours.init, train=False))
  variables = init(jax.random.key(0), examples)
  reference(name).load(theirs, variables["params"])
  return ours, variables, examples, theirs, tensor


def to_nhwc(name, tensor):
  """PyTorch's output as ours: images, or one logit each."""
  if "generator" in name:
    return dcgan_torch.from_torch(tensor)
  return tensor.detach().numpy().reshape(BATCH)


def apply(name, params):
  ours, variables, examples, _, _ = pairs(name)
  return ours.apply(
    variables | {"params": params},
    examples,
    train=True,
    mutable=["batch_stats"],
  )


@pytest.mark.parametrize("name", PAIRS)
def test_outputs_in_training_and_gradients_of_all_parameters_agree(name):
  _, variables, _, theirs, tensor = pairs(name)

  def loss(params):
    outputs, _ = apply(name, params)
    return jnp.sum(jnp.sin(5 * outputs)), outputs

  gradients, actual = jax.jit(jax.grad(loss, has_aux=True))(variables["params"])
  outputs = theirs.train()(tensor)
  close(actual, to_nhwc(name, outputs))
  theirs.zero_grad()
  torch.sin(5 * outputs).sum().backward()
  actual = reference(name).flatten(gradients)
  if "resnet" in name:
    expected = resnet_torch.named_gradients(theirs)
    assert actual.keys() == expected.keys()
    # A bias before batch normalisation has no gradient but by rounding.
    names = [
      key for key in expected
      if not ("generator" in name and "block" in key and key.endswith("bias"))
      or "norm" in key
    ]  # fmt: skip
    actual = [actual[key] for key in names]
    expected = [expected[key] for key in names]
  else:
    expected = dcgan_torch.read(theirs, gradients=True)
  for one, other in zip(actual, expected, strict=True):
    close(one, other)


@pytest.mark.parametrize("name", BATCH_NORMED)
def test_running_statistics_and_outputs_by_them_agree(name):
  ours, variables, examples, theirs, tensor = pairs(name)
  _, moved = apply(name, variables["params"])
  norms = [m for m in theirs if isinstance(m, torch.nn.BatchNorm2d)]
  counts = []
  for module in norms:
    module.reset_running_stats()
    module.register_forward_hook(
      lambda _, inputs, __: counts.append(inputs[0][:, 0].numel())
    )
  theirs.train()(tensor)
  stats = [moved["batch_stats"][key] for key in sorted(moved["batch_stats"])]
  for stat, module, n in zip(stats, norms, counts, strict=True):
    close(stat["mean"], module.running_mean.numpy())
    # Flax divides the batch's squares by n, PyTorch by n - 1; both keep 0.9
    # of what was, which is 1.
    var = (0.9 + (module.running_var - 0.9) * (n - 1) / n).float()
    close(stat["var"], var.numpy())
    module.running_var.copy_(var)
  actual = ours.apply(variables | moved, examples, train=False)
  close(actual, to_nhwc(name, theirs.eval()(tensor)))
