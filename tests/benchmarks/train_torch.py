"""The same update in plain PyTorch, as one would write it there.

Started by `tests.benchmarks.train`, never together with JAX in one process.
"""

import argparse
import functools
import importlib

import torch
from torch import nn
from torch.nn import functional

from tests.benchmarks import timing
from tests.reference import (
  cyclegan_torch,
  dcgan_torch,
  painters_torch,
  resnet_torch,
  vaegan_torch,
)

# Of the residual networks at the sides 4 to 64.
CHANNELS = (512, 512, 256, 128, 64)
PAINTERS = tuple(painters_torch.LOSSES)
PAGES = (
  *("dcgan_baseline", "resize", "wgan_gp", "vaegan", "cyclegan"),
  *PAINTERS,
)


def make_networks(page):
  """A generator, the shape of its latents, and a discriminator."""
  if page == "wgan_gp":
    generator = resnet_torch.make_generator(128, CHANNELS)
    return generator, (128,), resnet_torch.make_discriminator(CHANNELS[::-1])
  upsample = "nearest" if page == "resize" else "transposed"
  generator = dcgan_torch.make_generator(100, 64, 64, upsample)
  discriminator = dcgan_torch.make_discriminator(64, 64, 0.2)
  for module in (*generator.modules(), *discriminator.modules()):
    if isinstance(module, (nn.ReLU, nn.LeakyReLU)):
      module.inplace = True
  return generator, (100, 1, 1), discriminator


def cross_entropy(logits, label):
  labels = torch.full_like(logits, label)
  return functional.binary_cross_entropy_with_logits(logits, labels)


def wasserstein(logits, label):
  return (1 - 2 * label) * logits.mean()


def gradient_penalty(critic, real, fakes):
  alpha = torch.rand(len(real), 1, 1, 1, device=real.device)
  x = (alpha * real + (1 - alpha) * fakes).requires_grad_()
  score = critic(x).sum()
  (gradients,) = torch.autograd.grad(score, x, create_graph=True)
  return 10 * ((gradients.flatten(1).norm(dim=1) - 1) ** 2).mean()


def make_vaegan_update(batch, device, *, compiled, repeat):
  """The same of a VAE-GAN."""
  torch.manual_seed(0)
  layout = {"device": device, "memory_format": torch.channels_last}
  nets = vaegan_torch.make_networks(64, 64, 128, 1024)
  adam = {"lr": 2e-4, "betas": (0.5, 0.999)}
  optimizers = {
    name: torch.optim.Adam(net.to(**layout).parameters(), **adam)
    for name, net in nets.items()
  }
  if compiled:
    for name in ("encoder", "decoder"):
      nets[name] = torch.compile(nets[name])
    parts = map(torch.compile, nets["discriminator"])
    nets["discriminator"] = nn.ModuleList(parts)
  shape = (2048, 3, 64, 64)
  images = torch.randint(0, 256, shape, dtype=torch.uint8).to(**layout)

  def update():
    for _ in range(repeat):
      indices = torch.randint(0, len(images), (batch,), device=device)
      real = images[indices].float() / 127.5 - 1
      noise, latents = torch.randn(2, batch, 128, device=device)
      vaegan_torch.update(nets, optimizers, real, noise, latents, 1e-6)
    if device == "cuda":
      torch.cuda.synchronize()

  return update


def make_cyclegan_update(batch, device, *, compiled, repeat):
  """The same of a CycleGAN at 128 pixels with 6 blocks."""
  torch.manual_seed(0)
  layout = {"device": device, "memory_format": torch.channels_last}
  nets, domains = {}, cyclegan_torch.DOMAINS
  for domain in domains:
    nets[f"{domain}_generator"] = cyclegan_torch.make_generator(64, 6)
    nets[f"{domain}_discriminator"] = cyclegan_torch.make_discriminator(64)
  for net in nets.values():
    net.to(**layout)
  optimizers = cyclegan_torch.make_optimizers(nets)
  if compiled:
    nets = {name: torch.compile(net) for name, net in nets.items()}
  pools = {domain: cyclegan_torch.Pool(50) for domain in domains}
  shape = (2048, 3, 128, 128)
  images = torch.randint(0, 256, shape, dtype=torch.uint8).to(**layout)

  def update():
    for _ in range(repeat):
      real, draws = {}, {}
      for domain in domains:
        indices = torch.randint(0, len(images), (batch,), device=device)
        real[domain] = images[indices].float() / 127.5 - 1
        places = torch.randint(0, 50, (batch,)).tolist()
        draws[domain] = ((torch.rand(batch) < 0.5).tolist(), places)
      cyclegan_torch.update(
        nets, optimizers, pools, real, draws,
        weights=dict.fromkeys(domains, 10.0), identity=0.5,
      )  # fmt: skip
    if device == "cuda":
      torch.cuda.synchronize()

  return update


def make_painter_update(page, batch, device, *, compiled, repeat):
  """The same of a painter of one pass at 128 pixels."""
  torch.manual_seed(0)
  name = "johnson" if page == "fast" else page
  config = importlib.import_module(f"configs.{name}").get_config()
  params, frozen = painters_torch.draw(page, config)

  def place(leaf):
    if leaf.ndim == 4:
      return leaf.to(device, memory_format=torch.channels_last)
    return leaf.to(device)

  params, frozen = (
    painters_torch.map_leaves(place, tree) for tree in (params, frozen)
  )
  leaves = []
  painters_torch.map_leaves(
    lambda leaf: leaves.append(leaf.requires_grad_()), params
  )
  section = config["generator" if "generator" in config else "decoder"]
  optimizer = torch.optim.Adam(leaves, lr=section.learning_rate)
  loss_of = painters_torch.LOSSES[page]
  loss_of = torch.compile(loss_of) if compiled else loss_of
  images = torch.randint(0, 256, (256, 3, 128, 128), dtype=torch.uint8)
  images = images.to(device, memory_format=torch.channels_last)

  def update():
    for _ in range(repeat):
      drawn = {}
      for source in ("paintings", "photographs"):
        indices = torch.randint(0, len(images), (batch,), device=device)
        drawn[source] = images[indices].float() / 127.5 - 1
      noise = {"noise": torch.randn(batch, 512, device=device)}
      optimizer.zero_grad(set_to_none=True)
      loss_of(params, drawn, noise, frozen, config).backward()
      optimizer.step()
    if device == "cuda":
      torch.cuda.synchronize()

  return update


def make_update(page, batch, device, *, compiled, repeat):
  """A call makes `repeat` updates and returns when they are done."""
  if page in PAINTERS:
    return make_painter_update(
      page, batch, device, compiled=compiled, repeat=repeat
    )
  if page == "cyclegan":
    return make_cyclegan_update(batch, device, compiled=compiled, repeat=repeat)
  if page == "vaegan":
    return make_vaegan_update(batch, device, compiled=compiled, repeat=repeat)
  torch.manual_seed(0)
  layout = {"device": device, "memory_format": torch.channels_last}
  generator, latent_shape, discriminator = make_networks(page)
  generate = generator = generator.to(**layout)
  judge = discriminator = discriminator.to(**layout)
  is_critic = page == "wgan_gp"
  turns, loss = (5, wasserstein) if is_critic else (1, cross_entropy)
  if compiled:
    generate = torch.compile(generator)
    # Compiled networks cannot be differentiated twice.
    judge = discriminator if is_critic else torch.compile(discriminator)
  adam = {"lr": 1e-4, "betas": (0.0, 0.9)}
  adam = adam if is_critic else {"lr": 2e-4, "betas": (0.5, 0.999)}
  generator_optimizer = torch.optim.Adam(generator.parameters(), **adam)
  discriminator_optimizer = torch.optim.Adam(discriminator.parameters(), **adam)
  shape = (2048, 3, 64, 64)
  images = torch.randint(0, 256, shape, dtype=torch.uint8).to(**layout)

  def update_once():
    for turn in range(turns):
      indices = torch.randint(0, len(images), (batch,), device=device)
      real = images[indices].float() / 127.5 - 1
      discriminator_optimizer.zero_grad(set_to_none=True)
      loss(judge(real), 1).backward()
      # The generator learns from the images of the last turn.
      with torch.set_grad_enabled(turn == turns - 1):
        fakes = generate(torch.randn(batch, *latent_shape, device=device))
      loss(judge(fakes.detach()), 0).backward()
      if is_critic:
        gradient_penalty(judge, real, fakes.detach()).backward()
      discriminator_optimizer.step()
    generator_optimizer.zero_grad(set_to_none=True)
    loss(judge(fakes), 1).backward()
    generator_optimizer.step()

  def update():
    for _ in range(repeat):
      update_once()
    if device == "cuda":
      torch.cuda.synchronize()

  return update


if __name__ == "__main__":
  parser = argparse.ArgumentParser(allow_abbrev=False)
  parser.add_argument("--page", choices=PAGES, required=True)
  flags, _ = parser.parse_known_args()
  timing.serve_torch(functools.partial(make_update, flags.page), "batch")
