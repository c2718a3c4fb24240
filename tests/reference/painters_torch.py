"""Painters of one pass in PyTorch, as losses of parameters by their names.

Written from the papers and PyTorch's documentation; parameters are ours, in
torch's axes. All images are NCHW, the trained ones in [-1, 1].
"""

import torch
from torch.nn import functional

BLOCKS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}


def load(variables):
  """Our tree of arrays in float64 by the same names; kernels become OIHW."""
  if isinstance(variables, dict):
    return {name: load(part) for name, part in variables.items()}
  tensor = torch.tensor(variables, dtype=torch.float64)
  return tensor.permute(3, 2, 0, 1).contiguous() if tensor.ndim == 4 else tensor


def conv(x, layer, *, mode, bias=True, **options):
  """As large as the inputs, which are padded as torch names it."""
  reach = layer["kernel"].shape[-1] // 2
  if mode == "zeros":
    options["padding"] = reach
  else:
    x = functional.pad(x, [reach] * 4, mode)
  bias = layer["bias"] if bias else None
  return functional.conv2d(x, layer["kernel"], bias, **options)


def see(net, images, taps):
  """Features by tap of images in [-1, 1], up to the deepest."""
  depths = BLOCKS["vgg19" if "conv3_4" in net else "vgg16"]
  mean, scale = (net[name][None, :, None, None] for name in ("mean", "scale"))
  x, found = ((images + 1) / 2 - mean) / scale, {}
  for block, depth in enumerate(depths, start=1):
    for i in range(1, depth + 1):
      name = f"{block}_{i}"
      x = functional.relu(conv(x, net[f"conv{name}"], mode="replicate"))
      if f"relu{name}" in taps:
        found[f"relu{name}"] = x
      if len(found) == len(taps):
        return found
    x = functional.max_pool2d(x, 2)
  raise ValueError(taps)


def translate(params, images, blocks):
  """Johnson's network, instance normalised, with resize convolutions."""

  def step(x, name, *, mode="zeros", **options):
    layer = params[name]
    x = conv(x, layer, mode=mode, bias=False, **options)
    return functional.instance_norm(
      x, weight=layer["scale"], bias=layer["bias"]
    )

  x = functional.relu(step(images, "input", mode="reflect"))
  for name in ("down_1", "down_2"):
    x = functional.relu(step(x, name, stride=2))
  for i in range(1, blocks + 1):
    y = functional.relu(step(x, f"block_{i}_1", mode="reflect"))
    x = x + step(y, f"block_{i}_2", mode="reflect")
  for name in ("up_1", "up_2"):
    x = functional.interpolate(x, scale_factor=2, mode="nearest")
    x = functional.relu(step(x, name, mode="replicate"))
  return torch.tanh(conv(x, params["output"], mode="reflect"))


def decode(params, features):
  """VGG19 backwards from relu{block}_1."""
  x, names = features, sorted(params, reverse=True)
  for name in names:
    block, i = int(name[4]), int(name[6])
    if name != names[0] and i == BLOCKS["vgg19"][block - 1]:
      x = functional.interpolate(x, scale_factor=2, mode="nearest")
    x = conv(x, params[name], mode="reflect")
    if name != names[-1]:
      x = functional.relu(x)
  return x


def gram(features):
  b, c, h, w = features.shape
  x = features.reshape(b, c, h * w)
  return x @ x.transpose(1, 2) / (c * h * w)


def moments(features):
  variance, mean = torch.var_mean(features, (2, 3), correction=0, keepdim=True)
  return mean, (variance + 1e-5).sqrt()


def total_variation(images):
  down = (images[:, :, 1:] - images[:, :, :-1]) ** 2
  return down.mean() + ((images[..., 1:] - images[..., :-1]) ** 2).mean()


def fast_loss(params, batch, draws, frozen, config):
  fields, images = config.loss, batch["photographs"]
  painted = translate(params["generator"], images, config.model.blocks)
  layer = fields.content_layer
  with torch.no_grad():
    kept = see(frozen["net"], images, (layer,))[layer]
  taps = {*fields.style_layers, layer}
  found = see(frozen["net"], painted, taps)
  loss = fields.content_weight * functional.mse_loss(found[layer], kept)
  loss = loss + fields.tv_weight * total_variation(painted / 2)
  for tap in fields.style_layers:
    difference = gram(found[tap]) - frozen["style"][tap]
    loss = loss + fields.style_weight * (difference**2).mean()
  return loss


def adain_loss(params, batch, draws, frozen, config):
  taps = [f"relu{i}_1" for i in range(1, 5)]
  with torch.no_grad():
    styles = see(frozen, batch["paintings"], taps)
    content = see(frozen, batch["photographs"], taps[-1:])[taps[-1]]
    mean, std = moments(content)
    to_mean, to_std = moments(styles[taps[-1]])
    target = (content - mean) / std * to_std + to_mean
  found = see(frozen, decode(params["decoder"], target), taps)
  content = functional.mse_loss(found[taps[-1]], target)
  style = sum(
    functional.mse_loss(one, other)
    for tap in taps
    for one, other in zip(
      moments(found[tap]), moments(styles[tap]), strict=True
    )
  )
  return config.loss.content_weight * content + config.loss.style_weight * style


def wct_loss(params, batch, draws, frozen, config):
  images = torch.cat([batch["paintings"], batch["photographs"]])
  loss = 0
  for block in config.model.blocks:
    tap = f"relu{block}_1"
    with torch.no_grad():
      original = see(frozen, images, (tap,))[tap]
    again = decode(params[f"{tap}_decoder"], original)
    found = see(frozen, again, (tap,))[tap]
    pixels = functional.mse_loss(again, images)
    features = functional.mse_loss(found, original) / (original**2).mean()
    loss = loss + config.loss.pixel_weight * pixels
    loss = loss + config.loss.feature_weight * features
  return loss


LOSSES = {"fast": fast_loss, "adain": adain_loss, "wct": wct_loss}
