"""AlexNet, LPIPS and Inception against PyTorch, with random weights."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan import errors
from astgan.features import alexnet, convert, inception, lpips, weights
from tests.features import foreign

pytestmark = pytest.mark.reference
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@pytest.fixture(scope="module")
def torch():
  return pytest.importorskip("torch", reason="needs the extra `reference`")


def to_torch(torch, images):
  return torch.tensor(np.asarray(images).transpose(0, 3, 1, 2))


def assert_close(found, expected, tolerance=1e-5):
  """Relative to the largest value."""
  expected = expected.detach().numpy()
  atol = tolerance * np.abs(expected).max()
  np.testing.assert_allclose(found, expected, rtol=0, atol=atol, strict=True)


def alexnet_layers(torch, arrays, images):
  """The outputs of the five ReLUs of the published network."""
  nn = torch.nn
  layers = [nn.Conv2d(3, 64, 11, stride=4, padding=2), nn.ReLU()]
  layers += [nn.MaxPool2d(3, stride=2)]
  layers += [nn.Conv2d(64, 192, 5, padding=2), nn.ReLU()]
  layers += [nn.MaxPool2d(3, stride=2)]
  for widths in ((192, 384), (384, 256), (256, 256)):
    layers += [nn.Conv2d(*widths, 3, padding=1), nn.ReLU()]
  network = nn.Sequential(*layers)
  network.load_state_dict({
    name.removeprefix("features."): torch.tensor(array)
    for name, array in arrays.items()
    if name.startswith("features.")
  })  # fmt: skip
  outputs, x = (
    [],
    to_torch(torch, (images - np.float32(MEAN)) / np.float32(STD)),
  )
  for layer in network:
    x = layer(x)
    if isinstance(layer, nn.ReLU):
      outputs.append(x)
  return outputs


@pytest.mark.parametrize("size", [(64, 64), (97, 75)])
def test_every_layer_of_alexnet_agrees(torch, size):
  arrays = foreign.torchvision_arrays("alexnet")
  images = np.random.default_rng(1).random((2, *size, 3), np.float32)
  expected = alexnet_layers(torch, arrays, images)
  _, params = convert.canonical(arrays)
  found = jax.jit(alexnet.apply)(params, jnp.asarray(images))
  for layer, output in zip(found.values(), expected, strict=True):
    assert_close(layer, output.permute(0, 2, 3, 1))


def vgg16_layers(torch, params, images):
  """The last ReLU of each of the five blocks."""
  pixels = (images - np.float32(MEAN)) / np.float32(STD)
  outputs, x = [], to_torch(torch, pixels)
  for block, depth in enumerate((2, 2, 3, 3, 3), start=1):
    if outputs:
      x = torch.nn.functional.max_pool2d(x, 2)
    for index in range(1, depth + 1):
      layer = jax.tree.map(np.asarray, params[f"conv{block}_{index}"])
      kernel = torch.tensor(layer["kernel"].transpose(3, 2, 0, 1))
      bias = torch.tensor(layer["bias"])
      x = torch.nn.functional.conv2d(x, kernel, bias, padding=1).relu()
    outputs.append(x)
  return outputs


@pytest.mark.parametrize("net", ["lpips_alexnet", "lpips_vgg16"])
@pytest.mark.parametrize("source", ["auto", "random"])
def test_lpips_agrees(torch, net, source):
  try:
    params = weights.load(net, source)
  except errors.UserError as error:
    pytest.skip(f"no pretrained weights: {error}")
  pair = np.random.default_rng(2).random((2, 3, 64, 80, 3), np.float32)
  if net == "lpips_vgg16":
    layers = [vgg16_layers(torch, params, images) for images in pair]
  else:
    positions = dict(zip(alexnet.KERNEL_SHAPES, (0, 3, 6, 8, 10), strict=True))
    arrays = {}
    for layer, position in positions.items():
      kernel, bias = params[layer]["kernel"], params[layer]["bias"]
      kernel = np.asarray(kernel).transpose(3, 2, 0, 1)
      arrays[f"features.{position}.weight"] = kernel
      arrays[f"features.{position}.bias"] = np.asarray(bias)
    layers = [alexnet_layers(torch, arrays, images) for images in pair]
  expected = 0
  for head, one, other in zip(lpips.HEADS, *layers, strict=True):
    one, other = (
      torch.nn.functional.normalize(x, dim=1, eps=1e-10) for x in (one, other)
    )
    kernel = np.asarray(params[head]["kernel"]).transpose(3, 2, 0, 1)
    weighted = torch.nn.functional.conv2d(
      (one - other) ** 2, torch.tensor(kernel)
    )
    expected = expected + weighted.mean((1, 2, 3))
  found = jax.jit(lpips.distance)(params, *map(jnp.asarray, pair))
  assert_close(found, expected)


@pytest.mark.parametrize("shape", [(64, 64), (40, 150)])
def test_inception_agrees(torch, shape):
  from tests.reference import inception_torch

  torch.manual_seed(0)
  network = inception_torch.Inception().eval()
  for name, array in network.state_dict().items():
    if name.endswith("conv.weight"):
      torch.nn.init.kaiming_normal_(array)
    elif name.endswith(("bn.weight", "running_var")):
      array.uniform_(0.5, 1.5)
    elif name.endswith(("bn.bias", "running_mean")):
      array.normal_(0, 0.1)
  arrays = {n: array.numpy() for n, array in network.state_dict().items()}
  arrays["fc.bias"] = np.zeros(1008, np.float32)
  net, params = convert.canonical(arrays)
  assert net == "inception"
  images = np.random.default_rng(3).random((2, *shape, 3), np.float32)
  with torch.no_grad():
    expected = network(to_torch(torch, images), 107)
  apply = jax.jit(inception.apply, static_argnames="side")
  assert_close(apply(params, jnp.asarray(images), side=107), expected)
