"""System `fewshot` in PyTorch, as functions of parameters by their names.

Written from the papers of FastGAN and Projected GAN and PyTorch's
documentation; parameters are ours, in torch's axes.
"""

import torch
from torch.nn import functional


def load(variables):
  """Our tree of arrays as tensors by the same names."""
  if isinstance(variables, dict):
    return {name: load(part) for name, part in variables.items()}
  return to_torch(variables)


def to_torch(array):
  """HWIO kernels become OIHW; others keep their axes."""
  tensor = torch.tensor(array)
  return tensor.permute(3, 2, 0, 1).contiguous() if tensor.ndim == 4 else tensor


def batch_norm(x, params):
  return functional.batch_norm(
    x, None, None, params["scale"], params["bias"], training=True
  )


def upsample_conv(x, kernel):
  x = functional.interpolate(x, scale_factor=2, mode="bilinear")
  return conv(x, kernel)


def conv(x, kernel):
  return functional.conv2d(functional.pad(x, [1] * 4, "replicate"), kernel)


def generate(params, latents, noise, size):
  """[b z] to [b 3 size size]; `project` has our axes z h w c as OIHW.

  The noise is [b side side] by side.
  """
  latents = latents / latents.pow(2).mean(1, keepdim=True).sqrt()
  # [z h w c] was taken for HWIO, so it is now [c w z h].
  project = params["project"].permute(2, 0, 3, 1)  # [z c h w]
  x = torch.einsum("bz,zchw->bchw", latents, project)
  x = functional.glu(batch_norm(x, params["norm_4"]), 1)
  features, side = {4: x}, 4
  while side < size:
    side *= 2
    x = upsample_conv(x, params[f"up_{side}"]["kernel"])
    strength = params[f"noise_{side}"][None, :, None, None]
    x = x + strength * noise[side][:, None]
    x = functional.glu(batch_norm(x, params[f"norm_{side}"]), 1)
    if side >= 64:
      gate = functional.adaptive_avg_pool2d(features[side // 16], 4)
      gate = functional.conv2d(gate, params[f"squeeze_{side}"]["kernel"])
      gate = functional.silu(gate)[:, :, 0, 0]
      gate = torch.sigmoid(gate @ params[f"excite_{side}"]["kernel"])
      x = x * gate[:, :, None, None]
    features[side] = x
  return torch.tanh(conv(x, params["output"]["kernel"]))


def normalise(kernel, u):
  """The kernel over its largest singular value, and u after an iteration."""
  matrix = kernel.permute(2, 3, 1, 0).reshape(-1, len(kernel))  # [h w i, o]
  with torch.no_grad():
    v = functional.normalize(matrix @ u, dim=0)
    u = functional.normalize(matrix.T @ v, dim=0)
  return kernel / (v @ matrix @ u), u


def score(params, vectors, inputs):
  """Logits by head, and the vectors of spectral normalisation afterwards."""
  logits, moved = {}, {}

  def linear(x, name, **options):
    kernel, u = normalise(params[name]["kernel"], vectors[name]["kernel"])
    moved[name] = {"kernel": u}
    return functional.conv2d(x, kernel, **options)

  for head, x in inputs.items():
    i = 0
    while x.shape[-1] > 8:
      x = linear(x, f"{head}_{i}", stride=2, padding=1)
      if i or head != "pixels":
        x = batch_norm(x, params[f"{head}_norm_{i}"])
      x = functional.leaky_relu(x, 0.2)
      i += 1
    logits[head] = linear(x, f"{head}_logits")[:, 0]
  return logits, moved


def features(net, images):
  """The last ReLUs of a VGG's first two blocks, of images in [-1, 1]."""
  mean, scale = (net[name][None, :, None, None] for name in ("mean", "scale"))
  x, found = ((images + 1) / 2 - mean) / scale, {}
  for block in (1, 2):
    for i in (1, 2):
      layer = net[f"conv{block}_{i}"]
      x = functional.conv2d(x, layer["kernel"], layer["bias"], padding=1)
      x = functional.relu(x)
    found[f"relu{block}_2"] = x
    x = functional.avg_pool2d(x, 2)
  return found


def see(projection, found, moments):
  """The features, standardised by mean and deviation, and projected."""
  seen, mixed = {}, None
  for layer, x in reversed(found.items()):
    mean, deviation = moments[layer]
    scale = torch.maximum(deviation, torch.quantile(deviation, 0.5) / 10)
    mean, scale = (part[None, :, None, None] for part in (mean, scale))
    x = torch.einsum(
      "bchw,co->bohw", (x - mean) / scale, projection[layer]["C"]
    )
    if mixed is not None:
      mixed = torch.einsum("bchw,co->bohw", mixed, projection[layer]["M"])
      x = x + functional.interpolate(mixed, scale_factor=2, mode="nearest")
    seen[layer] = mixed = x
  return seen


def moments(batches):
  """Mean and standard deviation of each channel by layer, of some batches."""
  found = {}
  for layer in batches[0]:
    x = torch.cat([batch[layer] for batch in batches])
    found[layer] = (x.mean((0, 2, 3)), x.std((0, 2, 3), correction=0))
  return found
