"""The same update in plain PyTorch, as one would write it there.

Started by `tests.benchmarks.train`, never together with JAX in one process.
"""

import torch
from torch import nn
from torch.nn import functional

from tests.benchmarks import timing


def make_generator():
  layers = []
  channels = 100
  for index, width in enumerate((512, 256, 128, 64)):
    stride, padding = (1, 0) if index == 0 else (2, 1)
    layers += [
      nn.ConvTranspose2d(channels, width, 4, stride, padding, bias=False),
      nn.BatchNorm2d(width),
      nn.ReLU(inplace=True),
    ]
    channels = width
  last = nn.ConvTranspose2d(channels, 3, 4, 2, 1, bias=False)
  return nn.Sequential(*layers, last, nn.Tanh())


def make_discriminator():
  layers = [nn.Conv2d(3, 64, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, True)]
  channels = 64
  for width in (128, 256, 512):
    layers += [
      nn.Conv2d(channels, width, 4, 2, 1, bias=False),
      nn.BatchNorm2d(width),
      nn.LeakyReLU(0.2, inplace=True),
    ]
    channels = width
  last = nn.Conv2d(channels, 1, 4, 1, 0, bias=False)
  return nn.Sequential(*layers, last, nn.Flatten(0))


def make_update(batch, device, *, compiled, repeat):
  """A call makes `repeat` updates and returns when they are done."""
  torch.manual_seed(0)
  layout = {"device": device, "memory_format": torch.channels_last}
  generator = make_generator().to(**layout)
  discriminator = make_discriminator().to(**layout)
  generate, judge = generator, discriminator
  if compiled:
    generate, judge = torch.compile(generator), torch.compile(discriminator)
  adam = {"lr": 2e-4, "betas": (0.5, 0.999)}
  generator_optimizer = torch.optim.Adam(generator.parameters(), **adam)
  discriminator_optimizer = torch.optim.Adam(discriminator.parameters(), **adam)
  shape = (2048, 3, 64, 64)
  pictures = torch.randint(0, 256, shape, dtype=torch.uint8).to(**layout)
  real = torch.ones(batch, device=device)
  fake = torch.zeros(batch, device=device)
  loss = functional.binary_cross_entropy_with_logits

  def update():
    for _ in range(repeat):
      indices = torch.randint(0, len(pictures), (batch,), device=device)
      images = pictures[indices].float() / 127.5 - 1
      discriminator_optimizer.zero_grad(set_to_none=True)
      loss(judge(images), real).backward()
      fakes = generate(torch.randn(batch, 100, 1, 1, device=device))
      loss(judge(fakes.detach()), fake).backward()
      discriminator_optimizer.step()
      generator_optimizer.zero_grad(set_to_none=True)
      loss(judge(fakes), real).backward()
      generator_optimizer.step()
    if device == "cuda":
      torch.cuda.synchronize()

  return update


if __name__ == "__main__":
  timing.serve_torch(make_update, "batch")
