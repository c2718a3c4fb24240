"""Both networks against PyTorch's layers, with the same parameters."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan.models import dcgan

torch = pytest.importorskip("torch", reason="needs the extra `reference`")

from tests.reference import dcgan_torch  # noqa: E402

pytestmark = pytest.mark.reference

SIZE, WIDTH, LATENT, SLOPE, BATCH = 32, 8, 20, 0.3, 6


def draw(*shape, seed=0):
  return jnp.asarray(np.random.default_rng(seed).normal(size=shape), "float32")


def close(actual, expected, rtol=1e-5):
  np.testing.assert_allclose(
    actual, expected, rtol=rtol, atol=rtol * np.abs(expected).max(), strict=True
  )


@functools.cache
def pairs(name):
  """Our network, its variables, an input, and PyTorch's network and input."""
  if name == "generator":
    ours = dcgan.Generator(SIZE, WIDTH)
    theirs = dcgan_torch.make_generator(LATENT, SIZE, WIDTH)
    examples = draw(BATCH, LATENT)
    tensor = torch.tensor(np.asarray(examples))[:, :, None, None]
  else:
    ours = dcgan.Discriminator(SIZE, WIDTH, SLOPE)
    theirs = dcgan_torch.make_discriminator(SIZE, WIDTH, SLOPE)
    examples = draw(BATCH, SIZE, SIZE, 3)
    tensor = dcgan_torch.to_torch(examples)
  init = jax.jit(functools.partial(ours.init, train=False))
  variables = init(jax.random.key(0), examples)
  dcgan_torch.load(theirs, variables["params"])
  return ours, variables, examples, theirs, tensor


def to_nhwc(name, tensor):
  """PyTorch's output as ours: images, or one logit each."""
  if name == "generator":
    return dcgan_torch.from_torch(tensor)
  return tensor.detach().numpy()[:, 0, 0, 0]


def apply(name, params):
  ours, variables, examples, _, _ = pairs(name)
  return ours.apply(
    variables | {"params": params},
    examples,
    train=True,
    mutable=["batch_stats"],
  )


@pytest.mark.parametrize("name", ["generator", "discriminator"])
def test_outputs_in_training_agree(name):
  _, variables, _, theirs, tensor = pairs(name)
  actual, _ = apply(name, variables["params"])
  close(actual, to_nhwc(name, theirs.train()(tensor)))


@pytest.mark.parametrize("name", ["generator", "discriminator"])
def test_gradients_of_all_parameters_agree(name):
  _, variables, _, theirs, tensor = pairs(name)

  def loss(params):
    return jnp.sum(jnp.sin(5 * apply(name, params)[0]))

  theirs.train().zero_grad()
  torch.sin(5 * theirs(tensor)).sum().backward()
  actual = dcgan_torch.flatten(jax.jit(jax.grad(loss))(variables["params"]))
  for one, other in zip(
    actual, dcgan_torch.read(theirs, gradients=True), strict=True
  ):
    close(one, other, rtol=1e-4)


@pytest.mark.parametrize("name", ["generator", "discriminator"])
def test_running_statistics_agree_up_to_the_variance_s_divisor(name):
  _, variables, _, theirs, tensor = pairs(name)
  for module in theirs:
    if isinstance(module, torch.nn.BatchNorm2d):
      module.reset_running_stats()
  # Batch and pixels over which each normalisation takes its variance.
  counts = []
  hooks = [
    module.register_forward_hook(
      lambda _, inputs, __: counts.append(inputs[0][:, 0].numel())
    )
    for module in theirs
    if isinstance(module, torch.nn.BatchNorm2d)
  ]
  theirs.train()(tensor)
  for hook in hooks:
    hook.remove()
  _, moved = apply(name, variables["params"])
  ours = [moved["batch_stats"][key] for key in sorted(moved["batch_stats"])]
  for norm, (mean, var), n in zip(
    ours, dcgan_torch.statistics(theirs), counts, strict=True
  ):
    close(norm["mean"], mean)
    # Flax divides the batch's squares by n, PyTorch by n - 1; both keep 0.9
    # of what was, which is 1.
    close(norm["var"], (0.9 + (var - 0.9) * (n - 1) / n).astype("float32"))


@pytest.mark.parametrize("name", ["generator", "discriminator"])
def test_outputs_out_of_training_agree(name):
  ours, variables, examples, theirs, tensor = pairs(name)
  _, moved = apply(name, variables["params"])
  norms = [m for m in theirs if isinstance(m, torch.nn.BatchNorm2d)]
  for module, key in zip(norms, sorted(moved["batch_stats"]), strict=True):
    stats = moved["batch_stats"][key]
    module.running_mean.copy_(torch.tensor(np.asarray(stats["mean"])))
    module.running_var.copy_(torch.tensor(np.asarray(stats["var"])))
  actual = ours.apply(variables | moved, examples, train=False)
  close(actual, to_nhwc(name, theirs.eval()(tensor)))
