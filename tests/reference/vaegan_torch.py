"""VAE-GAN in PyTorch, written from the paper and PyTorch's documentation.

Larsen et al., 2016, table 1 and algorithm 1.
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional

# The order of the layers; this package's kernels of fully connected layers
# take rows, columns and channels, in this order.
LAYERS = {
  "encoder": "down_0 norm_0 down_1 norm_1 down_2 norm_2 connect norm_3 mean"
  " log_variance",
  "decoder": "project norm_0 up_0 norm_1 up_1 norm_2 up_2 norm_3 paint",
  "discriminator": "look down_0 norm_0 down_1 norm_1 down_2 norm_2 connect"
  " norm_3 score",
}


class Flat(nn.Module):
  """[b c h w] to [b hwc]."""

  def forward(self, x):
    return x.permute(0, 2, 3, 1).flatten(1)


class Unflat(nn.Module):
  """[b hhc] to [b c h h]."""

  def __init__(self, side):
    super().__init__()
    self.side = side

  def forward(self, x):
    return x.unflatten(1, (self.side, self.side, -1)).permute(0, 3, 1, 2)


class Heads(nn.Module):
  """Means and log variances."""

  def __init__(self, units, latent):
    super().__init__()
    self.mean = nn.Linear(units, latent)
    self.log_variance = nn.Linear(units, latent)

  def forward(self, x):
    return self.mean(x), self.log_variance(x)


def halve(before, after):
  return nn.Conv2d(before, after, 5, 2, 2, bias=False)


def double(before, after):
  return nn.ConvTranspose2d(
    before, after, 5, 2, 2, output_padding=1, bias=False
  )


def normed(layer, channels):
  """The layer, batch normalisation and a ReLU."""
  flat = isinstance(layer, nn.Linear)
  norm = (nn.BatchNorm1d if flat else nn.BatchNorm2d)(channels)
  return [layer, norm, nn.ReLU()]


def make_networks(
  size: int, width: int, latent: int, units: int
) -> dict[str, nn.Sequential]:
  """By name; the discriminator's first part ends at the features."""
  side, w = size // 8, width
  inputs = 4 * w * side**2
  encoder = nn.Sequential(
    *normed(halve(3, w), w),
    *normed(halve(w, 2 * w), 2 * w),
    *normed(halve(2 * w, 4 * w), 4 * w),
    Flat(),
    *normed(nn.Linear(inputs, units, bias=False), units),
    Heads(units, latent),
  )
  decoder = nn.Sequential(
    *normed(nn.Linear(latent, inputs, bias=False), inputs),
    Unflat(side),
    *normed(double(4 * w, 4 * w), 4 * w),
    *normed(double(4 * w, 2 * w), 2 * w),
    *normed(double(2 * w, w // 2), w // 2),
    nn.Conv2d(w // 2, 3, 5, 1, 2),
    nn.Tanh(),
  )
  to_features = nn.Sequential(
    nn.Conv2d(3, w // 2, 5, 1, 2),
    nn.ReLU(),
    *normed(halve(w // 2, 2 * w), 2 * w),
    *normed(halve(2 * w, 4 * w), 4 * w),
    halve(4 * w, 4 * w),
  )
  to_logits = nn.Sequential(
    nn.BatchNorm2d(4 * w),
    nn.ReLU(),
    Flat(),
    *normed(nn.Linear(inputs, 8 * w, bias=False), 8 * w),
    nn.Linear(8 * w, 1),
  )
  discriminator = nn.Sequential(to_features, to_logits)
  return {
    "encoder": encoder, "decoder": decoder, "discriminator": discriminator
  }  # fmt: skip


def update(networks, optimizers, real, noise, latents, gamma):
  """One update of all networks; returns the losses.

  The reconstruction is a sum over features and a mean over the batch; real and
  generated images weigh the same.
  """
  to_features, to_logits = networks["discriminator"]
  mean, log_variance = networks["encoder"](real)
  z = mean + torch.exp(log_variance / 2) * noise
  images = real, networks["decoder"](z), networks["decoder"](latents)
  features = [to_features(x) for x in images]
  logits = [to_logits(x) for x in features]
  variance = log_variance.exp()
  prior = -0.5 * (1 + log_variance - mean**2 - variance).sum(1).mean()
  difference = features[1] - features[0].detach()
  reconstruction = 0.5 * (difference**2).sum((1, 2, 3)).mean()
  fakes = torch.cat(logits[1:])
  gan = functional.binary_cross_entropy_with_logits(
    logits[0], torch.ones_like(logits[0])
  ) + functional.binary_cross_entropy_with_logits(
    fakes, torch.zeros_like(fakes)
  )
  objectives = {
    "encoder": prior + reconstruction,
    "decoder": gamma * reconstruction - gan,
    "discriminator": gan,
  }
  gradients = {
    name: torch.autograd.grad(
      objectives[name], list(network.parameters()), retain_graph=True
    )
    for name, network in networks.items()
  }
  for name, network in networks.items():
    for parameter, gradient in zip(
      network.parameters(), gradients[name], strict=True
    ):
      parameter.grad = gradient
    optimizers[name].step()
  return {
    "encoder/prior_loss": prior.detach(),
    "encoder/reconstruction_loss": reconstruction.detach(),
    "discriminator/loss": gan.detach(),
  }


def flatten(name: str, params: dict) -> list[np.ndarray]:
  """A network's parameters in PyTorch's layout and order."""
  arrays = []
  for layer in LAYERS[name].split():
    leaves = {key: np.asarray(leaf) for key, leaf in params[layer].items()}
    if "kernel" in leaves:
      kernel = leaves["kernel"]
      is_flat = kernel.ndim == 2 or layer == "connect"
      arrays.append(
        kernel.reshape(-1, kernel.shape[-1]).T
        if is_flat
        else kernel.transpose(3, 2, 0, 1)
      )
    arrays += [leaves[key] for key in ("scale", "bias") if key in leaves]
  return arrays


def load(network: nn.Module, arrays: list[np.ndarray]) -> None:
  """Gives the network parameters that `flatten` made."""
  with torch.no_grad():
    for theirs, ours in zip(network.parameters(), arrays, strict=True):
      theirs.copy_(torch.tensor(ours))
