"""The same update in plain PyTorch, as one would write it there.

Started by `tests.benchmarks.train`, never together with JAX in one process.
"""

import argparse
import functools
import importlib

import torch
from torch import nn
from torch.nn import functional
from torch.utils._pytree import tree_leaves, tree_map

from tests.benchmarks import timing
from tests.reference import (
  cyclegan_torch,
  dcgan_torch,
  fewshot_torch,
  painters_torch,
  resnet_torch,
  stylegan_torch,
  superres_torch,
  vaegan_torch,
)

# Of the residual networks at the sides 4 to 64.
CHANNELS = (512, 512, 256, 128, 64)
LOSSES = painters_torch.LOSSES | {"superres": superres_torch.loss}
PAGES = (
  *("dcgan_baseline", "resize", "wgan_gp", "vaegan", "cyclegan", "fewshot"),
  *("stylegan", *LOSSES),
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
  """The same of a painter of one pass, or an upscaler, at 128 pixels."""
  torch.manual_seed(0)
  name = "johnson" if page == "fast" else page
  config = importlib.import_module(f"configs.{name}").get_config()
  if page == "superres":
    params, frozen = superres_torch.draw(config.model.width), {}
  else:
    params, frozen = painters_torch.draw(page, config)

  def place(leaf):
    if leaf.ndim == 4:
      return leaf.to(device, memory_format=torch.channels_last)
    return leaf.to(device)

  params, frozen = (tree_map(place, tree) for tree in (params, frozen))
  leaves = [leaf.requires_grad_() for leaf in tree_leaves(params)]
  section = config["generator" if "generator" in config else "decoder"]
  optimizer = torch.optim.Adam(leaves, lr=section.learning_rate)
  loss_of = LOSSES[page]
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


def make_fewshot_params(draw):
  """Of the page `fewshot`: a width of 16 at 64 pixels, heads on pixels."""
  width = {4: 512, 8: 256, 16: 128, 32: 64, 64: 64}
  generator = {"project": draw(512, 4, 256, 4)}  # As `fewshot_torch.load`.
  for side, channels in width.items():
    one, zero = torch.ones(channels), torch.zeros(channels)
    generator[f"norm_{side}"] = {"scale": one, "bias": zero}
    if side > 4:
      inputs = width[side // 2] // 2
      generator[f"up_{side}"] = {"kernel": draw(channels, inputs, 3, 3)}
      generator[f"noise_{side}"] = torch.zeros(channels)
  generator["squeeze_64"] = {"kernel": draw(32, 256, 4, 4)}
  generator["excite_64"] = {"kernel": draw(32, 32)}
  generator["output"] = {"kernel": draw(3, 32, 3, 3)}
  critic = {"pixels_logits": {"kernel": draw(1, 128, 4, 4)}}
  for i, (inputs, channels) in enumerate(((3, 32), (32, 64), (64, 128))):
    critic[f"pixels_{i}"] = {"kernel": draw(channels, inputs, 4, 4)}
    one, zero = torch.ones(channels), torch.zeros(channels)
    critic[f"pixels_norm_{i}"] = {"scale": one, "bias": zero}
  return generator, critic


def make_fewshot_update(batch, device, *, compiled, repeat):
  """The same of the page `fewshot`, at its sizes and through DiffAugment."""
  torch.manual_seed(0)
  generator, critic = make_fewshot_params(lambda *s: 0.02 * torch.randn(s))
  to_device = functools.partial(torch.Tensor.to, device=device)
  generator, critic = (
    tree_map(to_device, tree) for tree in (generator, critic)
  )
  vectors = {}
  for name, channels in (
    *(("pixels_0", 32), ("pixels_1", 64), ("pixels_2", 128)),
    ("pixels_logits", 1),
  ):
    vector = functional.normalize(torch.randn(channels, device=device), dim=0)
    vectors[name] = {"kernel": vector}
  generate, score = fewshot_torch.generate, fewshot_torch.score
  if compiled:
    generate, score = torch.compile(generate), torch.compile(score)
  optimizers = []
  for tree in (generator, critic):
    leaves = tree_leaves(tree)
    for leaf in leaves:
      leaf.requires_grad_()
    optimizers.append(torch.optim.Adam(leaves, lr=2e-4, betas=(0.0, 0.99)))
  layout = {"device": device, "memory_format": torch.channels_last}
  shape = (2048, 3, 64, 64)
  images = torch.randint(0, 256, shape, dtype=torch.uint8).to(**layout)

  def see(x):
    """Moved by up to an eighth, and a square cut out, each by itself."""
    padded = functional.pad(x, [8] * 4)
    rows, columns, top, left = torch.randint(0, 17, (4, len(x), 1, 1))
    steps, batch_index = torch.arange(64), torch.arange(len(x))[:, None, None]
    x = padded[
      batch_index, :, rows + steps[None, :, None], columns + steps
    ].permute(0, 3, 1, 2)
    is_row = (steps - 3 * top).abs() <= 6  # [b 1 64]
    is_column = (steps - 3 * left).abs() <= 6
    kept = ~(is_row.mT & is_column)[:, None]
    return {"pixels": x * kept.to(device)}

  def update_once():
    nonlocal vectors
    indices = torch.randint(0, len(images), (batch,), device=device)
    real = images[indices].float() / 127.5 - 1
    latents = torch.randn(batch, 256, device=device)
    noise = {
      side: torch.randn(batch, side, side, device=device)
      for side in (8, 16, 32, 64)
    }
    fakes = generate(generator, latents, noise, 64)
    real_logits, vectors = score(critic, vectors, see(real))
    fake_logits, vectors = score(critic, vectors, see(fakes.detach()))
    loss = torch.relu(1 - real_logits["pixels"]).mean()
    loss = loss + torch.relu(1 + fake_logits["pixels"]).mean()
    optimizers[1].zero_grad(set_to_none=True)
    loss.backward()
    optimizers[1].step()
    fake_logits, vectors = score(critic, vectors, see(fakes))
    optimizers[0].zero_grad(set_to_none=True)
    (-fake_logits["pixels"].mean()).backward()
    optimizers[0].step()

  def update():
    for _ in range(repeat):
      update_once()
    if device == "cuda":
      torch.cuda.synchronize()

  return update


def make_stylegan_update(batch, device, *, compiled, repeat):
  """The same of a narrow StyleGAN at 64 pixels that fade in."""
  torch.manual_seed(0)
  layout = {"device": device, "memory_format": torch.channels_last}
  channels, latent = (64, 64, 64, 64, 32), 128
  nets = {
    "generator": stylegan_torch.Generator(channels, latent, True),
    "discriminator": stylegan_torch.Discriminator(channels, True),
  }
  adam = {"lr": 2e-3, "betas": (0.0, 0.99)}
  optimizers = {
    name: torch.optim.Adam(net.to(**layout).parameters(), **adam)
    for name, net in nets.items()
  }
  if compiled:
    # R1 differentiates twice, which compiled networks cannot.
    nets["generator"].forward = torch.compile(nets["generator"].forward)
  shape = (2048, 3, 64, 64)
  images = torch.randint(0, 256, shape, dtype=torch.uint8).to(**layout)
  sides = [4 * 2**i for i in range(5) for _ in range(2)]

  def update():
    for number in range(repeat):
      indices = torch.randint(0, len(images), (batch,), device=device)
      draws = {
        "latents": torch.randn(batch, latent, device=device),
        "others": torch.randn(batch, latent, device=device),
        "crossover": torch.randint(1, len(sides), (batch,), device=device),
        "noise": [torch.randn(batch, s, s, device=device) for s in sides],
      }
      stylegan_torch.update(
        nets, optimizers, images[indices].float() / 127.5 - 1, draws,
        sides=5, share=0.5, gamma=10.0, every=0 if number % 16 else 16,
      )  # fmt: skip
    if device == "cuda":
      torch.cuda.synchronize()

  return update


def make_update(page, batch, device, *, compiled, repeat):
  """A call makes `repeat` updates and returns when they are done."""
  others = {
    "cyclegan": make_cyclegan_update,
    "vaegan": make_vaegan_update,
    "fewshot": make_fewshot_update,
    "stylegan": make_stylegan_update,
  }
  if page in LOSSES:
    others[page] = functools.partial(make_painter_update, page)
  if page in others:
    return others[page](batch, device, compiled=compiled, repeat=repeat)
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
