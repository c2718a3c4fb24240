"""Time to the loss at which PyTorch's tutorial of style transfer ends.

  python -m tests.benchmarks.tutorial CONTENT STYLE [--size 512]

The tutorial's recipe in plain PyTorch, with its torch.optim.LBFGS, 300
evaluations from the photograph, against ours on the same objective and
images: conv_1 to conv_5 of VGG19 with a weight of 1,000,000, conv_4 with 1. We
stop where the loss of the other is reached. Painting from coarse to fine
(--coarsest) does not help here: L-BFGS has to learn each size anew.
One line of JSON says both times, without compilation. PyTorch is the extra
`reference`.

References: Jacq, Neural Transfer Using PyTorch, pytorch.org/tutorials.
"""

import argparse
import dataclasses
import json
import time

import jax
import jax.numpy as jnp
import numpy as np
import torch
from torch.nn import functional

from astgan import memory
from astgan.data import images
from astgan.features import weights
from astgan.nst import description, optimize, recipe, styles

LAYERS = ("conv_1", "conv_2", "conv_3", "conv_4", "conv_5")
CONVOLUTIONS = ("conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1")
CONTENT, STYLE_WEIGHT, EVALUATIONS = 3, 1_000_000, 300


def paint_theirs(params, photograph, style):
  """Seconds and the last loss of the tutorial's recipe."""

  def to_torch(array, *axes):
    return torch.tensor(np.asarray(array)).permute(*axes).contiguous()

  kernels = [to_torch(params[n]["kernel"], 3, 2, 0, 1) for n in CONVOLUTIONS]
  biases = [torch.tensor(np.asarray(params[n]["bias"])) for n in CONVOLUTIONS]
  mean, scale = (
    torch.tensor(np.asarray(params[n])).view(1, 3, 1, 1)
    for n in ("mean", "scale")
  )

  def extract(x):
    x, features = (x - mean) / scale, []
    for index, (kernel, bias) in enumerate(zip(kernels, biases, strict=True)):
      x = functional.conv2d(x, kernel, bias, padding=1)
      features.append(x)
      x = functional.relu(x)
      if index in (1, 3):
        x = functional.max_pool2d(x, 2)
    return features

  def gram(features):
    b, c, h, w = features.shape
    flat = features.view(c, h * w)
    return flat @ flat.T / (b * c * h * w)

  image = to_torch(photograph[None], 0, 3, 1, 2)
  with torch.no_grad():
    content = extract(image)[CONTENT]
    targets = [gram(f) for f in extract(to_torch(style[None], 0, 3, 1, 2))]
  image.requires_grad_(True)
  optimizer = torch.optim.LBFGS([image])
  losses = []

  def evaluate():
    features = extract(image)
    loss = functional.mse_loss(features[CONTENT], content)
    for feature, target in zip(features, targets, strict=True):
      loss = loss + STYLE_WEIGHT * functional.mse_loss(gram(feature), target)
    return loss

  def closure():
    with torch.no_grad():
      image.clamp_(0, 1)
    optimizer.zero_grad()
    loss = evaluate()
    loss.backward()
    losses.append(loss.item())
    return loss

  start = time.perf_counter()
  while len(losses) <= EVALUATIONS:
    optimizer.step(closure)
  seconds = time.perf_counter() - start
  with torch.no_grad():
    image.clamp_(0, 1)
    return seconds, evaluate().item()


def paint_ours(params, photograph, style, *, until, coarsest, steps):
  """Seconds until the loss is reached, the updates, and the last loss."""
  made = recipe.make(
    pooling="max",
    padding="zeros",
    style_terms=("gram",),
    style_layers=LAYERS,
    style_layer_weights=(),
    style_weight=STYLE_WEIGHT,
    content_terms=("features",),
    content_term_weights=(),
    content_layers=("conv_4",),
    optimizer="lbfgs",
    ema_decay=0.0,
    size=max(photograph.shape[:2]),
    coarsest=coarsest,
    coarsest_steps=0,
    steps=steps,
    margin=0,
  )
  finest = len(made.levels) - 1
  # At full size, as many as it takes.
  last_level = made.levels[-1]._replace(steps=max(steps, 1000 * (until > 0)))
  made = dataclasses.replace(made, levels=(*made.levels[:-1], last_level))
  last = {}

  def report(step, scalars, progress):
    last.update(step=step, loss=scalars["loss"])
    return progress.level == finest and scalars["loss"] <= until

  start = time.perf_counter()
  group = styles.Arrays([style], made.size)
  described = description.describe(made, params, [group])
  optimize.paint_one(
    jax.random.key(0),
    jnp.asarray(photograph)[None],
    recipe=made,
    params=params,
    style=described,
    report=report,
  )
  return time.perf_counter() - start, last["step"], last["loss"]


def main() -> None:
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument("content")
  parser.add_argument("style")
  parser.add_argument("--size", type=int, default=512)
  parser.add_argument("--coarsest", type=int, default=0)
  parser.add_argument("--steps", type=int, default=40)
  arguments = parser.parse_args()
  memory.keep_freed_blocks()
  photograph, style = (
    images.resize(images.read(path), arguments.size, arguments.size) / 255.0
    for path in (arguments.content, arguments.style)
  )
  photograph, style = np.float32(photograph), np.float32(style)
  params = weights.load("vgg19")
  theirs, loss = paint_theirs(params, photograph, style)
  options = {"coarsest": arguments.coarsest}
  # Compiles every level.
  paint_ours(params, photograph, style, until=0, steps=1, **options)
  ours, step, reached = paint_ours(
    params, photograph, style, until=loss, steps=arguments.steps, **options
  )
  line = {
    "size": arguments.size,
    "theirs_s": round(theirs, 1),
    "their_loss": loss,
    "ours_s": round(ours, 1),
    "our_loss": reached,
    "our_updates": step,
    "ratio": round(ours / theirs, 3),
  }
  print(json.dumps(line))


if __name__ == "__main__":
  main()
