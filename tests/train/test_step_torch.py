"""Whole updates of both networks against PyTorch's."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan.train import step
from tests.train import tiny

torch = pytest.importorskip("torch", reason="needs the extra `reference`")

from tests.reference import dcgan_torch  # noqa: E402

pytestmark = pytest.mark.reference

CONFIG = tiny.make_config(
  data__size=32,
  model__width=8,
  model__slope=0.3,
  train__real_label=0.85,
  train__real_label_late=0.95,
  train__late_step=1,
)
LABELS = (0.85, 0.95)


def draw(*shape, seed=0):
  return np.random.default_rng(seed).normal(size=shape).astype("float32")


IMAGES = [np.tanh(draw(8, 32, 32, 3, seed=i)) for i in range(2)]
LATENTS = [draw(8, 5, seed=10 + i) for i in range(2)]


def train_ours():
  """The state and the scalars after each of two updates."""
  update, current = jax.jit(step.make_update(CONFIG)), tiny.create(CONFIG)
  history = []
  for images, latents in zip(IMAGES, LATENTS, strict=True):
    current, scalars = update(
      current, jnp.asarray(images), jnp.asarray(latents)
    )
    history.append((current, scalars))
  return history


def train_theirs():
  """The networks' parameters and the losses after each of two updates."""
  first = tiny.create(CONFIG)
  generator = dcgan_torch.make_generator(5, 32, 8)
  discriminator = dcgan_torch.make_discriminator(32, 8, 0.3)
  dcgan_torch.load(generator, first.generator.params)
  dcgan_torch.load(discriminator, first.discriminator.params)
  optimizers = [
    torch.optim.Adam(network.parameters(), lr=2e-4, betas=(0.5, 0.999))
    for network in (generator, discriminator)
  ]
  cross_entropy = torch.nn.functional.binary_cross_entropy_with_logits
  history = []
  for images, latents, label in zip(IMAGES, LATENTS, LABELS, strict=True):
    real = dcgan_torch.to_torch(images)
    fakes = generator(torch.tensor(latents)[:, :, None, None])

    discriminator.zero_grad()
    logits = discriminator(real)
    loss = cross_entropy(logits, torch.full_like(logits, label))
    logits = discriminator(fakes.detach())
    loss = loss + cross_entropy(logits, torch.zeros_like(logits))
    loss.backward()
    optimizers[1].step()

    generator.zero_grad()
    logits = discriminator(fakes)
    generator_loss = cross_entropy(logits, torch.ones_like(logits))
    generator_loss.backward()
    optimizers[0].step()
    history.append(
      {
        "generator": dcgan_torch.read(generator),
        "discriminator": dcgan_torch.read(discriminator),
        "generator/loss": generator_loss.item(),
        "discriminator/loss": loss.item(),
      }
    )
  return history


@pytest.fixture(scope="module")
def histories():
  return list(zip(train_ours(), train_theirs(), strict=True))


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("name", ["generator", "discriminator"])
def test_losses_agree(histories, number, name):
  (_, scalars), theirs = histories[number]
  np.testing.assert_allclose(
    scalars[f"{name}/loss"], theirs[f"{name}/loss"], rtol=1e-5
  )


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("name", ["generator", "discriminator"])
def test_parameters_agree_to_a_thousandth_of_a_step(histories, number, name):
  (current, _), theirs = histories[number]
  ours = dcgan_torch.flatten(getattr(current, name).params)
  for one, other in zip(ours, theirs[name], strict=True):
    # A unit in the last place of the scales, which are near 1, is 6e-8.
    np.testing.assert_allclose(
      one, other, rtol=0, atol=1e-3 * CONFIG.train.learning_rate, strict=True
    )
