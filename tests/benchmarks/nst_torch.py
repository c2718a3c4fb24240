"""The same step in plain PyTorch, as one would write it there.

Started by `tests.benchmarks.nst`, never together with JAX in one process.
"""

import torch
from torch import nn
from torch.nn import functional

from tests.benchmarks import timing

BLOCKS = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 1))
# Of all ReLUs: relu1_1, relu2_1, relu3_1, relu4_1, relu5_1 and relu4_2.
STYLE = (0, 2, 4, 8, 12)
CONTENT = 9
STYLE_WEIGHT = 50_000.0
LEARNING_RATE = 0.02


class VGG19(nn.Module):
  """The first 13 convolutions; returns what follows their ReLUs."""

  def __init__(self):
    super().__init__()
    self.blocks = nn.ModuleList()
    channels = 3
    for width, depth in BLOCKS:
      block = nn.ModuleList()
      for _ in range(depth):
        block.append(nn.Conv2d(channels, width, 3, padding=1))
        nn.init.kaiming_normal_(block[-1].weight)
        nn.init.zeros_(block[-1].bias)
        channels = width
      self.blocks.append(block)
    mean, deviation = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1))
    self.register_buffer("deviation", torch.tensor(deviation).view(1, 3, 1, 1))

  def forward(self, images):
    x = (images - self.mean) / self.deviation
    features = []
    for number, block in enumerate(self.blocks):
      if number:
        x = functional.max_pool2d(x, 2)
      for convolution in block:
        x = functional.relu(convolution(x))
        features.append(x)
    return features


def gram(features):
  b, c, h, w = features.shape
  flat = features.reshape(b, c, h * w)
  return flat @ flat.mT / (c * h * w)


def make_step(size, device, *, compiled, repeat):
  """A call makes `repeat` steps and returns when they are done."""
  torch.manual_seed(0)
  net = VGG19().to(device, memory_format=torch.channels_last)
  net.requires_grad_(False)

  def draw(side):
    image = torch.rand(1, 3, side, side, device=device)
    return image.to(memory_format=torch.channels_last)

  photograph = draw(size)
  with torch.no_grad():
    content_target = net(photograph)[CONTENT]
    style_features = net(draw(64))
    style_targets = [gram(style_features[layer]) for layer in STYLE]
  image = photograph.clone(memory_format=torch.channels_last)
  image.requires_grad_(True)
  optimizer = torch.optim.Adam([image], lr=LEARNING_RATE)

  def objective(image):
    features = net(image)
    content = functional.mse_loss(features[CONTENT], content_target)
    style = sum(
      functional.mse_loss(gram(features[layer]), target)
      for layer, target in zip(STYLE, style_targets, strict=True)
    )
    return content + STYLE_WEIGHT * style

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


if __name__ == "__main__":
  timing.serve_torch(make_step, "size")
