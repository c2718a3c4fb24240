"""CycleGAN in PyTorch, written from the paper and PyTorch's documentation.

Zhu et al., 2017, section 3 and appendix 7: every layer is PyTorch's own, every
network is called once for each image that a loss names.
"""

import itertools

import numpy as np
import torch
from torch import nn
from torch.nn import functional

DOMAINS = ("painting", "photograph")


def conv(before, after, size, padding, **options):
  return nn.Conv2d(before, after, size, padding=padding, **options)


def make_generator(width: int, blocks: int) -> nn.Sequential:
  """[b 3 h w] to [b 3 h w]."""
  down = {"stride": 2, "kernel_size": 3, "padding": 1}
  up = down | {"output_padding": 1}
  mirror = {"padding_mode": "reflect"}
  modules = {
    "input": conv(3, width, 7, 3, **mirror),
    "down_1": nn.Conv2d(width, 2 * width, **down),
    "down_2": nn.Conv2d(2 * width, 4 * width, **down),
  }
  for i in range(1, blocks + 1):
    modules[f"block_{i}"] = Block(4 * width)
  modules["up_1"] = nn.ConvTranspose2d(4 * width, 2 * width, **up)
  modules["up_2"] = nn.ConvTranspose2d(2 * width, width, **up)
  network = nn.Sequential()
  for name, module in modules.items():
    network.add_module(name, module)
    if not name.startswith("block"):
      norm = nn.InstanceNorm2d(module.out_channels)
      network.add_module(f"{name}_norm", norm)
      network.add_module(f"{name}_relu", nn.ReLU(inplace=True))
  network.add_module("output", conv(width, 3, 7, 3, **mirror))
  network.add_module("tanh", nn.Tanh())
  return network


class Block(nn.Module):
  def __init__(self, channels):
    super().__init__()
    mirror = {"padding_mode": "reflect"}
    self.layers = nn.Sequential(
      conv(channels, channels, 3, 1, **mirror), nn.InstanceNorm2d(channels),
      nn.ReLU(inplace=True),
      conv(channels, channels, 3, 1, **mirror), nn.InstanceNorm2d(channels),
    )  # fmt: skip

  def forward(self, x):
    return x + self.layers(x)


def make_discriminator(width: int) -> nn.Sequential:
  """[b 3 h w] to [b 1 h/8-2 w/8-2]."""
  channels = (3, width, 2 * width, 4 * width, 8 * width, 1)
  network = nn.Sequential()
  for i, (before, after) in enumerate(itertools.pairwise(channels)):
    stride = 2 if i < 3 else 1
    name = "output" if i == 4 else f"layer_{i}"
    network.add_module(name, conv(before, after, 4, 1, stride=stride))
    if i in (1, 2, 3):
      network.add_module(f"norm_{i}", nn.InstanceNorm2d(after))
    if i < 4:
      network.add_module(f"relu_{i}", nn.LeakyReLU(0.2, inplace=True))
  return network


class Pool:
  """The paper's history of images; the chance is given."""

  def __init__(self, size):
    self.size, self.images = size, []

  def query(self, images, replaced, places):
    taken = []
    for image, replace, place in zip(images, replaced, places, strict=True):
      if len(self.images) < self.size:
        self.images.append(image)
      elif replace:
        self.images[place], image = image, self.images[place]
      taken.append(image)
    return torch.stack(taken)


def update(nets, optimizers, pools, real, draws, *, weights, identity):
  """One update of all four networks; the losses.

  Args:
    nets: by our names.
    optimizers: of `generator` and `discriminator`, each of both domains.
    pools: by domain.
    real: images by domain.
    draws: `replaced` and `places` by domain.
    weights: of the cycles by domain.
    identity: weight of the identity terms, as a share.
  """
  least_squares, absolute = functional.mse_loss, functional.l1_loss
  others = dict(zip(DOMAINS, DOMAINS[::-1], strict=True))
  generators = {d: nets[f"{d}_generator"] for d in DOMAINS}
  critics = {d: nets[f"{d}_discriminator"] for d in DOMAINS}
  for critic in critics.values():
    critic.requires_grad_(False)
  optimizers["generator"].zero_grad(set_to_none=True)
  fakes = {d: generators[d](real[others[d]]) for d in DOMAINS}
  loss = 0
  for d in DOMAINS:
    logits = critics[d](fakes[d])
    loss = loss + least_squares(logits, torch.ones_like(logits))
    cycle = generators[d](fakes[others[d]])
    loss = loss + weights[d] * absolute(cycle, real[d])
    same = generators[d](real[d])
    loss = loss + weights[d] * identity * absolute(same, real[d])
  loss.backward()
  optimizers["generator"].step()
  losses = {"generator/loss": loss.detach()}
  optimizers["discriminator"].zero_grad(set_to_none=True)
  for d in DOMAINS:
    critics[d].requires_grad_(True)
    older = pools[d].query(fakes[d].detach(), *draws[d])
    on_real, on_fake = critics[d](real[d]), critics[d](older)
    loss = least_squares(on_real, torch.ones_like(on_real))
    loss = (loss + least_squares(on_fake, torch.zeros_like(on_fake))) / 2
    loss.backward()
    losses[f"{d}_discriminator/loss"] = loss.detach()
  optimizers["discriminator"].step()
  return losses


def make_optimizers(nets: dict[str, nn.Module]) -> dict:
  """Adam of both generators, and of both discriminators."""
  return {
    kind: torch.optim.Adam(
      itertools.chain(*(nets[f"{d}_{kind}"].parameters() for d in DOMAINS)),
      lr=2e-4,
      betas=(0.5, 0.999),
    )
    for kind in ("generator", "discriminator")
  }


def layers(network: nn.Module) -> dict[str, nn.Module]:
  """The convolutions by our names."""
  found = {}
  for name, module in network.named_modules():
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
      name = name.replace(".layers.0", "_1").replace(".layers.3", "_2")
      found[name] = module
  return found


def load(network: nn.Module, params: dict) -> None:
  """Gives the network the parameters of this package's."""
  ours = dict(params)
  for name, layer in layers(network).items():
    one = ours.pop(name)
    kernel = np.asarray(one["kernel"]).transpose(3, 2, 0, 1)
    layer.weight.data.copy_(torch.tensor(kernel))
    layer.bias.data.copy_(torch.tensor(np.asarray(one["bias"])))
  assert not ours


def flatten(params: dict) -> dict[str, np.ndarray]:
  """Our kernels, and the biases that no normalisation follows."""
  kernels = {name: np.asarray(one["kernel"]) for name, one in params.items()}
  biases = {name: np.asarray(one["bias"]) for name, one in params.items()}
  return kernels | {
    f"{name}.bias": biases[name]
    for name in ("layer_0", "output")
    if name in biases
  }


def read(network: nn.Module) -> dict[str, np.ndarray]:
  """The same of PyTorch's."""
  found = layers(network)
  kernels = {
    name: layer.weight.detach().permute(2, 3, 1, 0).float().numpy().copy()
    for name, layer in found.items()
  }
  return kernels | {
    f"{name}.bias": found[name].bias.detach().float().numpy().copy()
    for name in ("layer_0", "output")
    if name in found
  }
