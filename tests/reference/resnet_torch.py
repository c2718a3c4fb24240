"""WGAN-GP's residual networks in PyTorch, written from the paper.

Gulrajani et al., 2017, appendix. Every step is its own layer here, and resized
images are padded by replication.
"""

import itertools

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from tests.reference.dcgan_torch import LayerNorm, UpsampledConv


class Up(nn.Module):
  def __init__(self, before, after):
    super().__init__()
    self.norm_1, self.norm_2 = nn.BatchNorm2d(before), nn.BatchNorm2d(after)
    self.conv_1 = UpsampledConv(before, after, "nearest")
    self.conv_2 = nn.Conv2d(after, after, 3, padding=1)
    self.shortcut = nn.Conv2d(before, after, 1)

  def forward(self, x):
    shortcut = self.shortcut(functional.interpolate(x, scale_factor=2))
    x = self.conv_1(functional.relu(self.norm_1(x)))
    return shortcut + self.conv_2(functional.relu(self.norm_2(x)))


class Down(nn.Module):
  def __init__(self, before, after):
    super().__init__()
    self.norm_1, self.norm_2 = LayerNorm(before), LayerNorm(before)
    self.conv_1 = nn.Conv2d(before, before, 3, padding=1, bias=False)
    self.conv_2 = nn.Conv2d(before, after, 3, padding=1)
    self.shortcut = nn.Conv2d(before, after, 1)

  def forward(self, x):
    y = self.conv_1(functional.relu(self.norm_1(x)))
    y = self.conv_2(functional.relu(self.norm_2(y)))
    return functional.avg_pool2d(self.shortcut(x) + y, 2)


class Rows(nn.Module):
  """[b h w c], flattened, to [b c h w]."""

  def forward(self, x):
    return x.reshape(len(x), 4, 4, -1).permute(0, 3, 1, 2)


class Flat(nn.Module):
  """[b c h w] to [b h w c], flattened."""

  def forward(self, x):
    return x.permute(0, 2, 3, 1).flatten(1)


def make_generator(latent_dim: int, channels: tuple) -> nn.Sequential:
  """[b z] to [b 3 h w]; `channels` are those of each side from 4."""
  blocks = {
    f"block_{i}": Up(*pair)
    for i, pair in enumerate(itertools.pairwise(channels), 1)
  }
  return _name(
    input=nn.Linear(latent_dim, 16 * channels[0]), rows=Rows(), **blocks,
    norm=nn.BatchNorm2d(channels[-1]), relu=nn.ReLU(),
    output=nn.Conv2d(channels[-1], 3, 3, padding=1), tanh=nn.Tanh(),
  )  # fmt: skip


def make_discriminator(channels: tuple) -> nn.Sequential:
  """[b 3 h w] to [b 1]; `channels` are those of each side down to 4."""
  blocks = {
    f"block_{i}": Down(*pair)
    for i, pair in enumerate(itertools.pairwise(channels), 1)
  }
  return _name(
    input=nn.Conv2d(3, channels[0], 3, padding=1), **blocks, flat=Flat(),
    output=nn.Linear(16 * channels[-1], 1),
  )  # fmt: skip


def _name(**modules):
  network = nn.Sequential()
  for name, module in modules.items():
    network.add_module(name, module)
  return network


def flatten(params: dict) -> dict[str, np.ndarray]:
  """This package's parameters, or a tree like them, as PyTorch names them."""
  arrays = {}
  for name, leaf in params.items():
    if isinstance(leaf, dict):
      inner = flatten(leaf)
      arrays |= {f"{name}.{key}": value for key, value in inner.items()}
    elif name == "kernel":
      turn = (1, 0) if np.ndim(leaf) == 2 else (3, 2, 0, 1)
      arrays["weight"] = np.asarray(leaf).transpose(turn)
    else:
      arrays["weight" if name == "scale" else "bias"] = np.asarray(leaf)
  return arrays


def read(network: nn.Module, *, gradients: bool) -> dict[str, np.ndarray]:
  """The network's parameters or their gradients, as `flatten` gives them."""
  return {
    name: (p.grad if gradients else p).detach().numpy()
    for name, p in network.named_parameters()
  }


def load(network: nn.Module, params: dict) -> None:
  """Gives the network the parameters of this package's."""
  arrays = {name: torch.tensor(a) for name, a in flatten(params).items()}
  for name, p in network.named_parameters():
    p.data.copy_(arrays.pop(name))
  assert not arrays
