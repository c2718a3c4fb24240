"""StyleGAN and ProGAN in PyTorch, written from the papers.

Karras et al., 2018, table 2; Karras et al., 2019, figure 1 and appendix C. As
in this package, generators and blurs pad by replication.
"""

import itertools
import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional

HE = math.sqrt(2)


def relu(x):
  return functional.leaky_relu(x, 0.2)


def pixel_norm(x):
  return x / torch.sqrt((x**2).mean(1, keepdim=True) + 1e-8)


def double(x):
  return functional.interpolate(x, scale_factor=2, mode="nearest")


def blur(x):
  taps = torch.tensor([1.0, 2.0, 1.0], dtype=x.dtype, device=x.device) / 4
  kernel = torch.outer(taps, taps).expand(x.shape[1], 1, 3, 3)
  x = functional.pad(x, (1, 1, 1, 1), mode="replicate")
  return functional.conv2d(x, kernel, groups=x.shape[1])


class Scaled(nn.Module):
  """A kernel [o i *sides] scaled by its fan-in, and a bias."""

  def __init__(self, *shape, gain=HE, rate=1.0):
    super().__init__()
    self.weight = nn.Parameter(torch.randn(shape) / rate)
    self.bias = nn.Parameter(torch.zeros(shape[0]))
    self.scale = rate * gain / math.sqrt(math.prod(shape[1:]))
    self.rate = rate

  def scaled(self):
    return self.scale * self.weight, self.rate * self.bias


class Dense(Scaled):
  def forward(self, x):
    return functional.linear(x, *self.scaled())


class Conv(Scaled):
  def forward(self, x):
    kernel, bias = self.scaled()
    return functional.conv2d(x, kernel, bias, padding=kernel.shape[-1] // 2)


class Replicated(Scaled):
  """A 3x3 convolution whose border is replicated."""

  def forward(self, x):
    kernel, bias = self.scaled()
    x = functional.pad(x, (1, 1, 1, 1), mode="replicate")
    return functional.conv2d(x, kernel, bias)


class Up(Scaled):
  """Nearest resizing, a convolution and, if asked, a blur."""

  def __init__(self, *shape, blurs):
    super().__init__(*shape)
    self.blurs = blurs

  def forward(self, x):
    kernel, bias = self.scaled()
    # A pixel more on each side, for the blur.
    x = functional.pad(double(x), (2, 2, 2, 2), mode="replicate")
    x = functional.conv2d(x, kernel)
    if self.blurs:
      taps = torch.tensor([1.0, 2.0, 1.0], dtype=x.dtype, device=x.device) / 4
      taps = torch.outer(taps, taps).expand(x.shape[1], 1, 3, 3)
      x = functional.conv2d(x, taps, groups=x.shape[1])
    else:
      x = x[..., 1:-1, 1:-1]
    return x + bias[:, None, None]


class Finish(nn.Module):
  """Noise, a leaky ReLU, instance normalisation and a style."""

  def __init__(self, channels, latent):
    super().__init__()
    self.strength = nn.Parameter(torch.zeros(channels))
    self.style = Dense(2 * channels, latent, gain=1.0)

  def forward(self, x, w, noise):
    x = relu(x + self.strength[:, None, None] * noise[:, None])
    x = functional.instance_norm(x, eps=1e-5)
    scale, bias = self.style(w)[..., None, None].chunk(2, 1)
    return x * (1 + scale) + bias


class Generator(nn.Module):
  def __init__(self, channels, latent, has_styles):
    super().__init__()
    self.has_styles, first = has_styles, channels[0]
    self.layers, self.finish = nn.ModuleList(), nn.ModuleList()
    if has_styles:
      self.mapping = nn.Sequential(
        *[Dense(latent, latent, rate=0.01) for _ in range(8)]
      )
      self.constant = nn.Parameter(torch.ones(first, 4, 4))
      self.bias = nn.Parameter(torch.zeros(first))
    else:
      self.project = Dense(first * 16, latent, gain=HE / 4)
      self.project.bias = nn.Parameter(torch.zeros(first))
    for before, after in zip((None, *channels), channels, strict=False):
      if before:
        self.layers.append(Up(after, before, 3, 3, blurs=has_styles))
      self.layers.append(Replicated(after, after, 3, 3))
      if has_styles:
        self.finish.extend(Finish(after, latent) for _ in range(2))
    self.to_rgb = nn.ModuleList(Conv(3, c, 1, 1, gain=1.0) for c in channels)

  def map(self, z):
    x = pixel_norm(z)
    for layer in self.mapping:
      x = relu(layer(x))
    return x

  def start(self, inputs):
    if self.has_styles:
      x = self.constant + self.bias[:, None, None]
      return x.expand(len(inputs), *x.shape)
    kernel, bias = self.project.scaled()
    x = functional.linear(pixel_norm(inputs), kernel)
    return x.unflatten(1, (-1, 4, 4)) + bias[:, None, None]

  def forward(self, inputs, noises, sides, share):
    """Images of w for each layer, [b layers w], or of z."""
    layers, images = iter(self.layers), []
    x = self.start(inputs)
    for i in range(2 * sides):
      if i:
        x = next(layers)(x)
      if self.has_styles:
        x = self.finish[i](x, inputs[:, i], noises[i])
      else:
        x = pixel_norm(relu(x))
      if i % 2:
        images.append(self.to_rgb[i // 2](x))
    if sides == 1:
      return images[0]
    return (1 - share) * double(images[-2]) + share * images[-1]


class Discriminator(nn.Module):
  def __init__(self, channels, blurs):
    super().__init__()
    self.blurs, first = blurs, channels[0]
    self.from_rgb = nn.ModuleList(Conv(c, 3, 1, 1) for c in channels)
    self.convs, self.downs = nn.ModuleList(), nn.ModuleList()
    for after, before in itertools.pairwise(channels):
      self.convs.append(Conv(before, before, 3, 3))
      self.downs.append(Conv(after, before, 3, 3))
    self.conv_4 = Conv(first, first + 1, 3, 3)
    self.connect = Dense(first, 16 * first)
    self.output = Dense(1, first, gain=1.0)

  def forward(self, images, sides, share):
    x = relu(self.from_rgb[sides - 1](images))
    for i in range(sides - 2, -1, -1):
      x = relu(self.convs[i](x))
      x = blur(x) if self.blurs else x
      kernel, bias = self.downs[i].scaled()
      x = functional.conv2d(x, kernel, padding=1)
      x = relu(functional.avg_pool2d(x, 2) + bias[:, None, None])
      if i == sides - 2:
        half = relu(self.from_rgb[i](functional.avg_pool2d(images, 2)))
        x = (1 - share) * half + share * x
    group = math.gcd(len(x), 4)
    parts = x.unflatten(0, (-1, group))
    deviation = torch.sqrt(parts.var(1, correction=0) + 1e-8).mean((1, 2, 3))
    deviation = deviation.repeat_interleave(group)[:, None, None, None]
    x = torch.cat([x, deviation.expand(-1, 1, 4, 4)], 1)
    x = relu(self.connect(relu(self.conv_4(x)).flatten(1)))
    return self.output(x)[:, 0]


def update(nets, optimizers, real, draws, *, sides, share, gamma, every):
  """One update of both networks; returns losses and the mean w.

  Args:
    nets, optimizers: of generator and discriminator.
    real: images [b c h w].
    draws: z; and, where the generator has styles, further z, the layers that
      have the first, and noise by layer.
    sides, share: how many there are, and how much of the last is shown.
    gamma, every: of R1; no penalty where `every` is 0.
  """
  generator, discriminator = nets["generator"], nets["discriminator"]
  inputs, noises, mean = draws["latents"], None, None
  if generator.has_styles:
    w = generator.map(torch.cat([inputs, draws["others"]]))
    first, second = w[:, None].expand(-1, 2 * sides, -1).chunk(2)
    places = torch.arange(2 * sides, device=w.device)
    is_first = places < draws["crossover"][:, None]
    inputs = torch.where(is_first[..., None], first, second)
    noises, mean = draws["noise"], w.mean(0).detach()
  if sides > 1:
    real = (1 - share) * double(functional.avg_pool2d(real, 2)) + share * real
  fakes = generator(inputs, noises, sides, share)
  real = real.requires_grad_(bool(every))
  real_logits = discriminator(real, sides, share)
  fake_logits = discriminator(fakes.detach(), sides, share)
  loss = functional.softplus(-real_logits) + functional.softplus(fake_logits)
  objective = losses = loss.mean()
  if every:
    (slopes,) = torch.autograd.grad(real_logits.sum(), real, create_graph=True)
    penalty = gamma / 2 * (slopes**2).sum((1, 2, 3)).mean()
    objective = objective + every * penalty
  optimizers["discriminator"].zero_grad(set_to_none=True)
  objective.backward()
  optimizers["discriminator"].step()
  generator_loss = functional.softplus(
    -discriminator(fakes, sides, share)
  ).mean()
  optimizers["generator"].zero_grad(set_to_none=True)
  generator_loss.backward()
  optimizers["generator"].step()
  return losses.detach(), generator_loss.detach(), mean


def flatten(params: dict) -> dict[str, np.ndarray]:
  """This package's parameters by the names and in the layouts of PyTorch's."""
  arrays = {}

  def add(name, layer):
    kernel = np.asarray(layer["kernel"])
    if kernel.ndim == 2:
      kernel = kernel.T
    elif name == "connect":
      kernel = kernel.transpose(3, 2, 0, 1).reshape(kernel.shape[-1], -1)
    elif name == "project":
      kernel = kernel.transpose(3, 1, 2, 0).reshape(-1, len(kernel))
    else:
      kernel = kernel.transpose(3, 2, 0, 1)
    arrays[f"{name}.weight"] = kernel
    arrays[f"{name}.bias"] = np.asarray(layer["bias"])

  for i, layer in enumerate(params.get("mapping", {}).values()):
    add(f"mapping.{i}", layer)
  params = params.get("synthesis", params)
  for name, layer in params.items():
    kind, _, number = name.rpartition("_")
    if name == "constant":
      arrays[name] = np.asarray(layer).transpose(2, 0, 1)
    elif name == "bias":
      arrays[name] = np.asarray(layer)
    elif kind == "noise":
      arrays[f"finish.{number}.strength"] = np.asarray(layer)
    elif kind == "style":
      add(f"finish.{number}.style", layer)
    elif name in ("conv_4", "connect", "output", "project") and (
      "connect" in params or name == "project"
    ):
      add(name, layer)
    else:
      place = int(math.log2(int(number))) - 2
      is_generator = "to_rgb_4" in params
      lists = {
        "conv": ("layers", 2 * place) if is_generator else ("convs", place - 1),
        "up": ("layers", 2 * place - 1),
        "down": ("downs", place - 1),
        "to_rgb": ("to_rgb", place),
        "from_rgb": ("from_rgb", place),
      }
      add(".".join(map(str, lists[kind])), layer)
  return arrays


def load(net: nn.Module, params: dict) -> None:
  """Gives the network this package's parameters."""
  arrays = {k: torch.tensor(v) for k, v in flatten(params).items()}
  net.load_state_dict(arrays)


def read(net: nn.Module) -> dict[str, np.ndarray]:
  """The network's parameters by name, float32."""
  return {
    name: p.detach().float().numpy().copy()
    for name, p in net.named_parameters()
  }
