"""Two whole updates of system `gan` against plain PyTorch's."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan.systems import gan
from tests.train import tiny

torch = pytest.importorskip("torch", reason="needs the extra `reference`")

from tests.reference import dcgan_torch  # noqa: E402

pytestmark = pytest.mark.reference

CASES = {
  "labels": dict(
    loss__real_label=0.85, loss__real_label_late=0.95, loss__late_step=1
  ),
  "hinge": dict(
    loss__name="hinge",
    model__upsample="nearest",
    model__discriminator_norm="none",
  ),
  "wasserstein": dict(
    loss__name="wasserstein",
    loss__penalty="gradient",
    model__discriminator_norm="layer",
    discriminator__updates=2,
    **{f"{name}__beta1": 0.0 for name in ("generator", "discriminator")},
    **{f"{name}__beta2": 0.9 for name in ("generator", "discriminator")},
  ),
}
CONFIGS = {case: tiny.make_config(**CASES[case]) for case in CASES}
NORMS = dict(batch=torch.nn.BatchNorm2d, layer=dcgan_torch.LayerNorm, none=None)


def draw(number):
  """Real images, latents and mixing weights of a turn."""
  draws = np.random.default_rng(number)
  images = np.tanh(draws.normal(size=(8, tiny.SIZE, tiny.SIZE, 3)))
  latents, alpha = draws.normal(size=(8, 5)), draws.uniform(size=8)
  return images.astype("f"), latents.astype("f"), alpha.astype("f")


@functools.cache
def train_ours(case):
  """The state and the scalars after each of two updates."""
  system, state = gan.GAN(CONFIGS[case]), tiny.init(CONFIGS[case])
  (phase,), history = system.phases, []
  update = functools.partial(system.update, phase=phase, axis_name=None)
  update = jax.jit(update, static_argnames="turn")
  for step in range(2):
    for number, turn in enumerate(system.turns(step, phase)):
      images, latents, alpha = map(jnp.asarray, draw(2 * step + number))
      draws, batch = {"latents": latents, "alpha": alpha}, {"paintings": images}
      state, scalars = update(state, batch, draws, None, turn=turn)
    history.append((state, scalars))
  return history


def discriminator_loss(name, real, fake, label):
  if name == "hinge":
    return (torch.relu(1 - real) + torch.relu(1 + fake)).mean()
  if name == "wasserstein":
    return (fake - real).mean()
  cross_entropy = torch.nn.functional.binary_cross_entropy_with_logits
  loss = cross_entropy(real, torch.full_like(real, label))
  return loss + cross_entropy(fake, torch.zeros_like(fake))


def gradient_penalty(discriminator, real, fakes, alpha):
  alpha = torch.tensor(alpha)[:, None, None, None]
  x = (alpha * real + (1 - alpha) * fakes).requires_grad_()
  logits = discriminator(x)
  (gradients,) = torch.autograd.grad(logits.sum(), x, create_graph=True)
  return 10 * ((gradients.flatten(1).norm(dim=1) - 1) ** 2).mean()


@functools.cache
def train_theirs(case):
  """The networks' parameters and the losses after each of two updates."""
  config, adams, history = CONFIGS[case], {}, []
  model, loss, size = config.model, config.loss, tiny.SIZE
  norm = NORMS[model.discriminator_norm]
  generator = dcgan_torch.make_generator(5, size, 4, model.upsample)
  discriminator = dcgan_torch.make_discriminator(size, 4, 0.2, norm)
  networks = {"generator": generator, "discriminator": discriminator}
  for name, network in networks.items():
    dcgan_torch.load(network, tiny.init(config).networks[name].params)
    betas = (config[name].beta1, config[name].beta2)
    adams[name] = torch.optim.Adam(network.parameters(), lr=2e-4, betas=betas)
  for step, label in enumerate((loss.real_label, loss.real_label_late)):
    for number in range(config.discriminator.updates):
      images, latents, alpha = draw(2 * step + number)
      real = dcgan_torch.to_torch(images)
      fakes = generator(torch.tensor(latents)[:, :, None, None])
      discriminator.zero_grad()
      logits = discriminator(real), discriminator(fakes.detach())
      value = discriminator_loss(loss.name, *logits, label)
      value.backward()
      if loss.penalty == "gradient":
        gradient_penalty(discriminator, real, fakes.detach(), alpha).backward()
      adams["discriminator"].step()
    generator.zero_grad()
    logits = discriminator(fakes)
    if loss.name == "nonsaturating":
      logits = torch.nn.functional.logsigmoid(logits)
    (-logits.mean()).backward()
    adams["generator"].step()
    params = {name: dcgan_torch.read(net) for name, net in networks.items()}
    losses = {"discriminator": value.item(), "generator": -logits.mean().item()}
    history.append((params, losses))
  return history


@pytest.mark.parametrize("name", ["generator", "discriminator"])
@pytest.mark.parametrize("case", CASES)
def test_two_updates_agree(case, name):
  # In learning rates; a resize convolution rounds in another order.
  atol = 2e-4 * (5e-3 if case == "hinge" else 1e-3)
  histories = train_ours(case), train_theirs(case)
  for (state, scalars), (params, losses) in zip(*histories, strict=True):
    np.testing.assert_allclose(scalars[f"{name}/loss"], losses[name], rtol=1e-5)
    ours = dcgan_torch.flatten(state.networks[name].params)
    for one, other in zip(ours, params[name], strict=True):
      np.testing.assert_allclose(one, other, rtol=0, atol=atol, strict=True)
