"""DCGAN in PyTorch, written from the paper and PyTorch's documentation.

Radford et al., 2015: strided 4x4 convolutions without biases, batch
normalisation but on the generator's last and the discriminator's first layer.
"""

import functools

import numpy as np
import torch
from torch import nn
from torch.nn import functional


class LayerNorm(nn.Module):
  """Over channels, rows and columns of each example."""

  def __init__(self, channels):
    super().__init__()
    self.weight = nn.Parameter(torch.ones(channels))
    self.bias = nn.Parameter(torch.zeros(channels))

  def forward(self, x):
    x = functional.layer_norm(x, x.shape[1:], eps=1e-5)
    return x * self.weight[:, None, None] + self.bias[:, None, None]


class UpsampledConv(nn.Conv2d):
  """Resizing, replication of the border, then a 3x3 convolution."""

  def __init__(self, before, after, mode):
    super().__init__(before, after, 3, bias=False)
    self.resize = nn.Upsample(scale_factor=2, mode=mode)

  def forward(self, x):
    return super().forward(functional.pad(self.resize(x), [1] * 4, "replicate"))


def make_generator(
  latent: int, size: int, width: int, upsample: str = "transposed"
) -> nn.Sequential:
  """[b latent 1 1] to [b 3 size size]."""

  def up(before, after):
    if upsample == "transposed":
      return nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False)
    return UpsampledConv(before, after, upsample)

  channels = width * size // 8
  modules = [nn.ConvTranspose2d(latent, channels, 4, 1, 0, bias=False)]
  while channels > width:
    modules += [nn.BatchNorm2d(channels), nn.ReLU()]
    modules += [up(channels, channels // 2)]
    channels //= 2
  modules += [nn.BatchNorm2d(width), nn.ReLU(), up(width, 3), nn.Tanh()]
  return nn.Sequential(*modules)


def make_discriminator(
  size: int,
  width: int,
  slope: float,
  norm: type[nn.Module] | None = nn.BatchNorm2d,
) -> nn.Sequential:
  """[b 3 size size] to [b 1 1 1]; without a norm there are biases."""
  halve = functools.partial(
    nn.Conv2d, kernel_size=4, stride=2, padding=1, bias=norm is None
  )
  modules = [halve(3, width), nn.LeakyReLU(slope)]
  channels = width
  while channels < width * size // 8:
    modules += [halve(channels, 2 * channels)]
    modules += [norm(2 * channels)] if norm else []
    modules += [nn.LeakyReLU(slope)]
    channels *= 2
  return nn.Sequential(*modules, nn.Conv2d(channels, 1, 4, 1, 0, bias=False))


def to_torch(images: np.ndarray) -> torch.Tensor:
  """NHWC to NCHW."""
  return torch.tensor(np.asarray(images)).permute(0, 3, 1, 2).contiguous()


def from_torch(images: torch.Tensor) -> np.ndarray:
  """NCHW to NHWC."""
  return images.detach().permute(0, 2, 3, 1).numpy()


def load(network: nn.Sequential, params: dict) -> None:
  """Gives the network the parameters of this package's."""
  with torch.no_grad():
    for ours, theirs in zip(flatten(params), network.parameters(), strict=True):
      theirs.copy_(torch.tensor(ours))


def read(network: nn.Sequential, *, gradients: bool = False) -> list:
  """The network's parameters or their gradients, as `flatten` gives them."""
  return [
    (p.grad if gradients else p).detach().numpy().copy()
    for p in network.parameters()
  ]


def flatten(params: dict) -> list[np.ndarray]:
  """This package's parameters, or a tree like them, in PyTorch's layout.

  They come in the order of the layers, as in `network.parameters()`.
  """
  arrays = []
  if "project" in params:
    arrays += [np.asarray(params["project"]).transpose(0, 3, 1, 2)]
  for i in range(9):
    for name in (f"up_{i}", f"down_{i}"):
      if name in params:
        arrays += [_turn(params[name]["kernel"])]
        if "bias" in params[name]:
          arrays += [np.asarray(params[name]["bias"])]
    if f"norm_{i}" in params:
      norm = params[f"norm_{i}"]
      arrays += [np.asarray(norm["scale"]), np.asarray(norm["bias"])]
  if "score" in params:
    arrays += [_turn(params["score"])]
  return arrays


def statistics(network: nn.Sequential) -> list[tuple[np.ndarray, np.ndarray]]:
  """Running mean and variance of each batch normalisation."""
  return [
    (module.running_mean.numpy().copy(), module.running_var.numpy().copy())
    for module in network
    if isinstance(module, nn.BatchNorm2d)
  ]


def _turn(kernel: np.ndarray) -> np.ndarray:
  """Rows, columns, image, response to response, image, rows, columns."""
  return np.asarray(kernel).transpose(3, 2, 0, 1)
