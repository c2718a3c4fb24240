"""The Inception of the Frechet distance in PyTorch, written from the paper.

Szegedy et al., 2015, figures 5, 6, 7 and 10, with the widths and names of
TensorFlow's release. Batch normalization is its own layer here.
"""

import torch
from torch import nn
from torch.nn import functional


class Conv(nn.Module):
  def __init__(self, inputs, outputs, kernel, stride=1, padding=0):
    super().__init__()
    self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
    self.bn = nn.BatchNorm2d(outputs, eps=0.001)

  def forward(self, x):
    return functional.relu(self.bn(self.conv(x)))


class Mixed(nn.Module):
  """A block: rows of (name, outputs, kernel), by the branch they belong to."""

  def __init__(self, inputs, rows, pool, stride=1):
    super().__init__()
    self.pool, self.stride, self.chains = pool, stride, []
    for row in rows:
      width, chain = inputs, []
      for index, (name, outputs, kernel) in enumerate(row):
        sides = kernel if isinstance(kernel, tuple) else (kernel, kernel)
        last = stride if index == len(row) - 1 else 1
        padding = 0 if last == 2 else tuple(side // 2 for side in sides)
        if name[-1] == "b":  # Beside the layer before it, not after it.
          width = outputs
        conv = Conv(width, outputs, sides, last, padding)
        self.add_module(name, conv)
        width = outputs
        chain.append(name)
      self.chains.append(chain)

  def forward(self, x):
    outputs = []
    for chain in self.chains:
      y = self.pooled(x) if chain[0] == "branch_pool" else x
      for name in chain[:-1] if chain[-1][-1] == "b" else chain:
        before, y = y, self.get_submodule(name)(y)
      outputs.append(y)
      if chain[-1][-1] == "b":
        outputs.append(self.get_submodule(chain[-1])(before))
    if self.stride == 2:
      pooled = functional.max_pool2d(x, 3, 2)
      return torch.cat([*outputs, pooled], 1)
    return torch.cat(outputs, 1)

  def pooled(self, x):
    if self.pool == "max":
      return functional.max_pool2d(x, 3, 1, 1)
    return functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False)


def figure_5(inputs, pooled):
  rows = [
    [("branch1x1", 64, 1)],
    [("branch5x5_1", 48, 1), ("branch5x5_2", 64, 5)],
    [(f"branch3x3dbl_{i}", w, k) for i, w, k in DOUBLE],
    [("branch_pool", pooled, 1)],
  ]
  return Mixed(inputs, rows, "average")


DOUBLE = ((1, 64, 1), (2, 96, 3), (3, 96, 3))
TALL, WIDE = (7, 1), (1, 7)


def figure_6(width):
  long = [width] * 4 + [192]
  kernels = [1, TALL, WIDE, TALL, WIDE]
  rows = [
    [("branch1x1", 192, 1)],
    [
      ("branch7x7_1", width, 1),
      ("branch7x7_2", width, WIDE),
      ("branch7x7_3", 192, TALL),
    ],
    [(f"branch7x7dbl_{i + 1}", long[i], kernels[i]) for i in range(5)],
    [("branch_pool", 192, 1)],
  ]
  return Mixed(768, rows, "average")


def figure_7(inputs, pool):
  rows = [
    [("branch1x1", 320, 1)],
    [
      ("branch3x3_1", 384, 1),
      ("branch3x3_2a", 384, (1, 3)),
      ("branch3x3_2b", 384, (3, 1)),
    ],
    [
      ("branch3x3dbl_1", 448, 1),
      ("branch3x3dbl_2", 384, 3),
      ("branch3x3dbl_3a", 384, (1, 3)),
      ("branch3x3dbl_3b", 384, (3, 1)),
    ],
    [("branch_pool", 192, 1)],
  ]
  return Mixed(inputs, rows, pool)


def figure_10(inputs, *rows):
  return Mixed(inputs, rows, None, stride=2)


class Inception(nn.Module):
  def __init__(self):
    super().__init__()
    self.Conv2d_1a_3x3 = Conv(3, 32, 3, 2)
    self.Conv2d_2a_3x3 = Conv(32, 32, 3)
    self.Conv2d_2b_3x3 = Conv(32, 64, 3, padding=1)
    self.pool_1 = nn.MaxPool2d(3, 2)
    self.Conv2d_3b_1x1 = Conv(64, 80, 1)
    self.Conv2d_4a_3x3 = Conv(80, 192, 3)
    self.pool_2 = nn.MaxPool2d(3, 2)
    self.Mixed_5b = figure_5(192, 32)
    self.Mixed_5c = figure_5(256, 64)
    self.Mixed_5d = figure_5(288, 64)
    self.Mixed_6a = figure_10(
      288,
      [("branch3x3", 384, 3)],
      [(f"branch3x3dbl_{i}", w, k) for i, w, k in DOUBLE],
    )
    for letter, width in zip("bcde", (128, 160, 160, 192), strict=True):
      self.add_module(f"Mixed_6{letter}", figure_6(width))
    self.Mixed_7a = figure_10(
      768,
      [("branch3x3_1", 192, 1), ("branch3x3_2", 320, 3)],
      [
        (f"branch7x7x3_{i}", 192, k)
        for i, k in enumerate((1, WIDE, TALL, 3), start=1)
      ],
    )
    self.Mixed_7b = figure_7(1280, "average")
    self.Mixed_7c = figure_7(2048, "max")

  def forward(self, images, side):
    """[b 3 h w] in [0, 1] to [b 2048]."""
    x = functional.interpolate(
      images, (side, side), mode="bilinear", align_corners=False
    )
    x = 2 * x - 1
    for layer in self.children():
      x = layer(x)
    return functional.adaptive_avg_pool2d(x, 1).flatten(1)
