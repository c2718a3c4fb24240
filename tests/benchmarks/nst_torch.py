"""The step of `tests.benchmarks.nst` in plain PyTorch, in its own process."""

import sys

import torch
from torch import nn
from torch.nn import functional

from tests.benchmarks import timing

BLOCKS = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 1))
# Of all ReLUs: relu1_1, relu2_1, relu3_1, relu4_1, relu5_1 and relu4_2.
STYLE = (0, 2, 4, 8, 12)
CONTENT = 9


def make_vgg19():
  """The layers up to relu5_1."""
  layers, channels = [], 3
  for width, depth in BLOCKS:
    for _ in range(depth):
      layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
      nn.init.kaiming_normal_(layers[-2].weight)
      channels = width
    layers.append(nn.MaxPool2d(2))
  return nn.Sequential(*layers[:-1])


def gram(features):
  b, c, h, w = features.shape
  flat = features.reshape(b, c, h * w)
  return flat @ flat.mT / (c * h * w)


def make_extract(device):
  """Features of all layers, of images in [0, 1]."""
  torch.manual_seed(0)
  net = make_vgg19().to(device, memory_format=torch.channels_last)
  net.requires_grad_(False)
  mean = torch.tensor([0.485, 0.456, 0.406], device=device).view(1, 3, 1, 1)
  std = torch.tensor([0.229, 0.224, 0.225], device=device).view(1, 3, 1, 1)

  def extract(images):
    x, features = (images - mean) / std, []
    for layer in net:
      x = layer(x)
      if isinstance(layer, nn.ReLU):
        features.append(x)
    return features

  return extract


def draw(side, device):
  image = torch.rand(1, 3, side, side, device=device)
  return image.to(memory_format=torch.channels_last)


def make_step(size, device, *, compiled, repeat):
  """A call makes `repeat` steps and returns when they are done."""
  extract = make_extract(device)
  image = draw(size, device)
  with torch.no_grad():
    content_target = extract(image)[CONTENT]
    style_features = extract(draw(64, device))
    style_targets = [gram(style_features[layer]) for layer in STYLE]
  image.requires_grad_(True)
  optimizer = torch.optim.Adam([image], lr=0.02)

  def objective(image):
    features = extract(image)
    content = functional.mse_loss(features[CONTENT], content_target)
    style = sum(
      functional.mse_loss(gram(features[layer]), target)
      for layer, target in zip(STYLE, style_targets, strict=True)
    )
    return content + 50_000.0 * style

  if compiled:
    objective = torch.compile(objective)

  def step():
    for _ in range(repeat):
      optimizer.zero_grad(set_to_none=True)
      objective(image).backward()
      optimizer.step()
      with torch.no_grad():
        image.clamp_(0, 1)
    if device == "cuda":
      torch.cuda.synchronize()

  return step


def make_pass(size, device, *, compiled, repeat):
  """A call sends an image through the network, `repeat` times."""
  extract = make_extract(device)
  if compiled:
    extract = torch.compile(extract)
  image = draw(size, device)

  @torch.no_grad()
  def one():
    for _ in range(repeat):
      extract(image)
    if device == "cuda":
      torch.cuda.synchronize()

  return one


if __name__ == "__main__":
  makers = {"step": make_step, "description": make_pass}
  timing.serve_torch(makers[sys.argv[sys.argv.index("--serve") + 1]], "size")
