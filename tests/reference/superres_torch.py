"""Super-resolution in PyTorch, as a loss of parameters by their names.

Written from the papers and PyTorch's documentation; parameters are ours, in
torch's axes. All images are NCHW in [-1, 1].
"""

import torch
from torch.nn import functional

from tests.reference import painters_torch


def resize(images, factor):
  return functional.interpolate(
    images,
    scale_factor=factor,
    mode="bicubic",
    antialias=True,
    align_corners=False,
  )


def sharpen(params, images):
  """The autoencoder with additive skips, and the sum at its end."""

  def step(name, x):
    x = painters_torch.conv(x, params[name], mode="replicate")
    return functional.relu(x)

  x, skipped = images, []
  for level in (1, 2):
    x = step(f"down_{level}_2", step(f"down_{level}_1", x))
    skipped.append(x)
    x = functional.max_pool2d(x, 2)
  x = step("middle", x)
  for level in (2, 1):
    x = functional.interpolate(x, scale_factor=2, mode="nearest")
    x = step(f"up_{level}_2", step(f"up_{level}_1", x)) + skipped.pop()
  details = painters_torch.conv(x, params["output"], mode="replicate")
  return images + details


def judge(params, images):
  """Logits of patches."""

  def conv(name, x, stride):
    layer = params[name]
    return functional.conv2d(x, layer["kernel"], layer["bias"], stride, 1)

  x = functional.leaky_relu(conv("layer_0", images, 2), 0.2)
  for i, stride in ((1, 2), (2, 2), (3, 1)):
    x = functional.instance_norm(conv(f"layer_{i}", x, stride))
    x = functional.leaky_relu(x, 0.2)
  return conv("output", x, 1)


def cross_entropy(logits, label):
  labels = torch.full_like(logits, label)
  return functional.binary_cross_entropy_with_logits(logits, labels)


def loss(params, batch, draws, frozen, config):
  """What both networks minimise, each through its own parameters."""
  fields, real = config.loss, batch["paintings"]
  blurred = resize(resize(real, 1 / config.model.factor), config.model.factor)
  sharp = sharpen(params["generator"], blurred)
  total = fields.pixel_weight * functional.mse_loss(sharp, real)
  if fields.feature_weight:
    tap = fields.feature_layer
    seen = [painters_torch.see(frozen, x, (tap,))[tap] for x in (sharp, real)]
    total = total + fields.feature_weight * functional.mse_loss(*seen)
  if fields.adversarial_weight:
    critic = params["discriminator"]
    still = {
      name: {key: leaf.detach() for key, leaf in layer.items()}
      for name, layer in critic.items()
    }
    adversarial = cross_entropy(judge(still, sharp), 1.0)
    total = total + fields.adversarial_weight * adversarial
    total = total + cross_entropy(judge(critic, real), 1.0)
    total = total + cross_entropy(judge(critic, sharp.detach()), 0.0)
  return total


def draw(width):
  """Random parameters of the autoencoder."""
  channels = {"middle": (2 * width, 4 * width), "output": (width, 3)}
  for level, before in ((1, 3), (2, width)):
    channels[f"down_{level}_1"] = (before, level * width)
    channels[f"down_{level}_2"] = (level * width, level * width)
    channels[f"up_{level}_1"] = (2 * level * width, level * width)
    channels[f"up_{level}_2"] = (level * width, level * width)
  return {
    "generator": {
      name: {
        "kernel": 0.05 * torch.randn(after, before, 3, 3),
        "bias": torch.zeros(after),
      }
      for name, (before, after) in channels.items()
    }
  }
