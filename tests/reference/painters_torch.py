"""Painters of one pass in PyTorch, as losses of parameters by their names.

Written from the papers and PyTorch's documentation; parameters are ours, in
torch's axes. All images are NCHW, the trained ones in [-1, 1].
"""

import torch
from torch.nn import functional

RMS = (0.72, 3.2, 3.9, 12.6, 1.5)  # Of relu1_1 to relu5_1.
CHANNELS = (64, 128, 256, 512, 512)
BLOCKS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}


def load(variables):
  """Our tree of arrays in float64 by the same names; kernels become OIHW."""
  if isinstance(variables, dict):
    return {name: load(part) for name, part in variables.items()}
  if isinstance(variables, tuple):
    return tuple(load(part) for part in variables)
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


def encode(net, images, taps):
  """Features by tap, of a mean square about 1."""
  found = see(net, images, taps)
  return {tap: x / RMS[int(tap[4]) - 1] for tap, x in found.items()}


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
  names = sorted(params, reverse=True)
  x = features
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
  weights = fields.style_layer_weights or (1.0,) * len(fields.style_layers)
  for tap, weight in zip(fields.style_layers, weights, strict=True):
    style = frozen["style"][tap]
    if fields.style == "gram":
      distance = ((gram(found[tap]) - style) ** 2).mean()
    else:
      distance = wasserstein(found[tap], style)
    loss = loss + fields.style_weight * weight * distance
  return loss


def wasserstein(features, style):
  """The squared distance of the Gaussian of all examples to (nu, B^(1/2))."""
  nu, root, trace, floor = style
  pixels = features.permute(0, 2, 3, 1).flatten(0, 2)
  covariance = torch.cov(pixels.T, correction=0)
  values = torch.linalg.eigvalsh(root @ covariance @ root)
  squared = ((pixels.mean(0) - nu) ** 2).sum() + covariance.trace() + trace
  return (squared - 2 * (values.clamp(0) + floor).sqrt().sum()) / len(nu)


def style_loss(found, styles):
  return sum(
    functional.mse_loss(one, other)
    for tap in found
    for one, other in zip(
      moments(found[tap]), moments(styles[tap]), strict=True
    )
  )


def restyle(features, style):
  """The features with the means and deviations of the style."""
  (mean, std), (to_mean, to_std) = moments(features), moments(style)
  return (features - mean) / std * to_std + to_mean


def adain_loss(params, batch, draws, frozen, config):
  taps = [f"relu{i}_1" for i in range(1, 5)]
  with torch.no_grad():
    styles = encode(frozen, batch["paintings"], taps)
    features = encode(frozen, batch["photographs"], taps[-1:])[taps[-1]]
    target = restyle(features, styles[taps[-1]])
  found = encode(frozen, decode(params["decoder"], target), taps)
  content = functional.mse_loss(found[taps[-1]], target)
  style = style_loss(found, styles)
  again = decode(params["decoder"], features)
  pixels, fields = functional.mse_loss(again, batch["photographs"]), config.loss
  loss = fields.content_weight * content + fields.style_weight * style
  return loss + fields.pixel_weight * pixels


def relative_error(found, target):
  axes = (1, 2, 3)
  return (((found - target) ** 2).mean(axes) / (target**2).mean(axes)).mean()


def wct_loss(params, batch, draws, frozen, config):
  images = torch.cat([batch["paintings"], batch["photographs"]])
  loss = 0
  for block in config.model.blocks:
    tap = f"relu{block}_1"
    with torch.no_grad():
      original = encode(frozen, images, (tap,))[tap]
    again = decode(params[f"{tap}_decoder"], original)
    found = encode(frozen, again, (tap,))[tap]
    pixels = functional.mse_loss(again, images)
    features = relative_error(found, original)
    loss = loss + config.loss.pixel_weight * pixels
    loss = loss + config.loss.feature_weight * features
  return loss


def swap(content, style):
  """Chen and Schmidt's two layers: a convolution and a transposed one."""
  patches = functional.unfold(style, 3)[0].T.reshape(-1, style.shape[1], 3, 3)
  lengths = patches.flatten(1).norm(dim=1)[:, None, None, None]
  nearest = functional.conv2d(content, patches / lengths).argmax(1)
  chosen = functional.one_hot(nearest, len(patches)).permute(0, 3, 1, 2)
  chosen = chosen.to(patches)
  total = functional.conv_transpose2d(chosen, patches)
  ones = torch.ones_like(patches[:1, :1])
  return total / functional.conv_transpose2d(
    torch.ones_like(chosen[:, :1]), ones
  )


def style_swap_loss(params, batch, draws, frozen, config):
  tap = f"relu{config.model.block}_1"
  images = torch.cat([batch["paintings"], batch["photographs"]])
  with torch.no_grad():
    features = encode(frozen, images, (tap,))[tap]
    styles, contents = features.split(len(features) // 2)
    pairs = zip(contents, styles, strict=True)
    swapped = [swap(one[None], other[None]) for one, other in pairs]
    target = torch.cat([features, *swapped])
  again = decode(params["decoder"], target)
  found = encode(frozen, again, (tap,))[tap]
  loss = relative_error(found, target)
  pixels = functional.mse_loss(again[: len(images)], images)
  loss = loss + config.loss.pixel_weight * pixels
  return loss + config.loss.tv_weight * total_variation(again)


def dense(x, layer):
  return x @ layer["kernel"] + layer["bias"]


def covariances(params, features):
  x = features - features.mean((2, 3), keepdim=True)
  for i in range(3):
    x = conv(x, params[f"conv_{i}"], mode="reflect")
    x = functional.relu(x) if i < 2 else x
  x = x.flatten(2)
  return (x @ x.transpose(1, 2) / x.shape[2]).flatten(1)


def stvae_loss(params, batch, draws, frozen, config):
  taps = [f"relu{i}_1" for i in range(1, 5)]
  with torch.no_grad():
    styles = encode(frozen, batch["paintings"], taps)
    content = encode(frozen, batch["photographs"], taps[-1:])[taps[-1]]
  net, style = params["transform"], styles[taps[-1]]
  x = torch.cat(
    [style.mean((2, 3)), covariances(net["of_style"], style)], dim=1
  )
  x = functional.relu(dense(x, net["hidden"]))
  mean, log_variance = dense(x, net["mean"]), dense(x, net["log_variance"])
  latents = mean + (log_variance / 2).exp() * draws["noise"]
  hidden = functional.relu(dense(latents, net["decoded"]))
  size = config.model.channels
  own = covariances(net["of_content"], content)
  matrices = (
    dense(hidden, net["style_matrix"]),
    dense(own, net["content_matrix"]),
  )
  of_style, of_content = (
    torch.eye(size, dtype=x.dtype) + matrix.reshape(-1, size, size)
    for matrix in matrices
  )
  x = content - content.mean((2, 3), keepdim=True)
  x = dense(x.flatten(2).transpose(1, 2), net["compress"])  # [b, p, size]
  x = dense(x @ (of_style @ of_content).transpose(1, 2), net["expand"])
  x = x + dense(hidden, net["style_mean"])[:, None]
  changed = x.transpose(1, 2).reshape(content.shape)
  painted = decode(params["decoder"], changed)
  again = decode(params["decoder"], content)
  found = encode(frozen, painted, taps)
  prior = (mean**2 + log_variance.exp() - log_variance - 1).mean() / 2
  fields = config.loss
  loss = fields.content_weight * functional.mse_loss(found[taps[-1]], content)
  loss = loss + fields.style_weight * style_loss(found, styles)
  loss = loss + fields.pixel_weight * functional.mse_loss(
    again, batch["photographs"]
  )
  restored = restyle(changed, content)
  loss = loss + fields.feature_weight * relative_error(restored, content)
  return loss + fields.prior_weight * prior


def draw_layer(inputs, outputs, size=3, **others):
  kernel = torch.randn(outputs, inputs, size, size)
  kernel *= (2 / (inputs * size**2)) ** 0.5
  return {"kernel": kernel, "bias": torch.zeros(outputs), **others}


def draw_vgg(net):
  """An untrained network by our names."""
  params = {"mean": torch.full((3,), 0.45), "scale": torch.full((3,), 0.225)}
  inputs = 3
  for block, depth in enumerate(BLOCKS[net]):
    for i in range(depth):
      params[f"conv{block + 1}_{i + 1}"] = draw_layer(inputs, CHANNELS[block])
      inputs = CHANNELS[block]
  return params


def draw_translator(width, blocks):
  """Johnson's network, untrained."""
  plan = {"input": (3, width, 9), "down_1": (width, 2 * width, 3)}
  plan["down_2"] = (2 * width, 4 * width, 3)
  for i in range(1, blocks + 1):
    for j in (1, 2):
      plan[f"block_{i}_{j}"] = (4 * width, 4 * width, 3)
  plan |= {"up_1": (4 * width, 2 * width, 3), "up_2": (2 * width, width, 3)}
  params = {
    name: draw_layer(*shape, scale=torch.ones(shape[1]))
    for name, shape in plan.items()
  }
  return params | {"output": draw_layer(width, 3, 9)}


def draw_decoder(block):
  """An untrained decoder of VGG's widths: each layer's, turned round."""
  params = {}
  for name, layer in draw_vgg("vgg19").items():
    if name.startswith("conv") and name <= f"conv{block}_1":
      outputs, inputs = layer["kernel"].shape[:2]
      params[name] = draw_layer(outputs, inputs)
  return params


def draw_transform(latent_dim, size):
  """The map of features of a style's latent, untrained."""

  def draw_dense(inputs, outputs):
    kernel = torch.randn(inputs, outputs) / inputs**0.5
    return {"kernel": kernel, "bias": torch.zeros(outputs)}

  params = {
    "hidden": draw_dense(512 + size**2, 1024),
    "mean": draw_dense(1024, latent_dim),
    "log_variance": draw_dense(1024, latent_dim),
    "decoded": draw_dense(latent_dim, 1024),
    "style_matrix": draw_dense(1024, size**2),
    "style_mean": draw_dense(1024, 512),
    "content_matrix": draw_dense(size**2, size**2),
    "compress": draw_dense(512, size),
    "expand": draw_dense(size, 512),
  }
  for name in ("of_style", "of_content"):
    plan = ((512, 256), (256, 128), (128, size))
    params[name] = {
      f"conv_{i}": draw_layer(*shape) for i, shape in enumerate(plan)
    }
  return params


def draw(name, config):
  """Untrained parameters of a system, and what is frozen."""
  frozen = draw_vgg("vgg19")
  model = config.model
  if name == "fast":
    frozen = {"net": draw_vgg(config.features.net), "style": {}}
    for tap in config.loss.style_layers:
      channels = CHANNELS[int(tap[4]) - 1]
      frozen["style"][tap] = torch.rand(channels, channels)
    return {"generator": draw_translator(model.width, model.blocks)}, frozen
  if name == "wct":
    return {
      f"relu{block}_1_decoder": draw_decoder(block) for block in model.blocks
    }, frozen
  params = {"decoder": draw_decoder(model.block if "block" in model else 4)}
  if name == "stvae":
    params["transform"] = draw_transform(model.latent_dim, model.channels)
  return params, frozen


LOSSES = {
  "stvae": stvae_loss,
  "fast": fast_loss,
  "adain": adain_loss,
  "wct": wct_loss,
  "style_swap": style_swap_loss,
}
