"""The feature networks against the same networks built in plain PyTorch."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan import errors
from astgan.features import convert, files, vgg, weights
from tests.features import foreign

pytestmark = pytest.mark.reference

PLAN = {
  "vgg16": "64 64 M 128 128 M 256 256 256 M 512 512 512 M 512 512 512 M",
  "vgg19": (
    "64 64 M 128 128 M 256 256 256 256 M 512 512 512 512 M 512 512 512 512 M"
  ),
}


@pytest.fixture(scope="module")
def torch():
  return pytest.importorskip("torch", reason="needs the extra `reference`")


def sequence(torch, net, arrays, pooling):
  """The published list of layers, with torchvision's names and weights."""
  pool = {"max": torch.nn.MaxPool2d, "average": torch.nn.AvgPool2d}[pooling]
  layers, before = [], 3
  for word in PLAN[net].split():
    if word == "M":
      layers.append(pool(2, 2))
    else:
      layers += [torch.nn.Conv2d(before, int(word), 3, padding=1)]
      layers += [torch.nn.ReLU()]
      before = int(word)
  features = torch.nn.Sequential(*layers)
  features.load_state_dict(
    {
      name.removeprefix("features."): torch.tensor(array)
      for name, array in arrays.items()
    }
  )
  return features


def run(features, images):
  """Every convolution's, ReLU's and pooling's output, in the order made."""
  mean = images.new_tensor([0.485, 0.456, 0.406])[:, None, None]
  deviation = images.new_tensor([0.229, 0.224, 0.225])[:, None, None]
  x = (images - mean) / deviation
  outputs = []
  for layer in features:
    x = layer(x)
    outputs.append(x)
  return outputs


def taps_in_order(net):
  """The layers' names in the order of torchvision's list."""
  return list(dict.fromkeys(vgg.layers_by_tap(net).values()))


def assert_close(found, expected, name, tolerance=1e-5):
  """Within so much of the layer's largest value."""
  expected = expected.detach().numpy()
  if expected.ndim == 4:
    expected = expected.transpose(0, 2, 3, 1)
  np.testing.assert_allclose(
    found,
    expected,
    rtol=0,
    atol=tolerance * np.abs(expected).max(),
    strict=True,
    err_msg=name,
  )


@pytest.fixture(scope="module", params=["vgg16", "vgg19"])
def network(request):
  """A net's name and torchvision's arrays of random weights, full width."""
  return request.param, foreign.torchvision_arrays(request.param)


@pytest.mark.parametrize("pooling", ["max", "average"])
@pytest.mark.parametrize("size", [(64, 64), (77, 51)])
def test_every_layer_agrees_with_torch(torch, network, pooling, size):
  net, arrays = network
  images = np.random.default_rng(1).random((1, *size, 3), np.float32)
  features = sequence(torch, net, arrays, pooling)
  with torch.no_grad():
    expected = run(features, torch.tensor(images.transpose(0, 3, 1, 2)))
  _, params = convert.canonical(arrays)
  taps = taps_in_order(net)
  found = jax.jit(
    lambda params, images: vgg.apply(params, images, taps, pooling=pooling)
  )(params, jnp.asarray(images))
  assert len(taps) == len(expected)
  for tap, output in zip(taps, expected, strict=True):
    assert_close(found[tap], output, tap)


@pytest.fixture
def double_precision():
  """Arrays may be float64."""
  jax.config.update("jax_enable_x64", True)
  yield
  jax.config.update("jax_enable_x64", False)


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize("pooling", ["max", "average"])
@pytest.mark.parametrize("size", [(64, 64), (77, 51)])
def test_the_gradient_to_the_pixels_agrees_with_torch(
  torch, network, pooling, size
):
  # In float32 a value that rounds to the other side of a ReLU's zero changes
  # the gradient of all the pixels it sees; in float64 there is none here.
  net, arrays = network
  images = np.random.default_rng(2).random((1, *size, 3))
  features = sequence(torch, net, arrays, pooling).double()
  pixels = torch.tensor(images.transpose(0, 3, 1, 2), requires_grad=True)
  taps = ("conv1_1", "relu2_1", "conv3_2", "pool4", "relu5_1")
  outputs = dict(zip(taps_in_order(net), run(features, pixels), strict=True))
  sum((outputs[tap] ** 2).mean() for tap in taps).backward()
  _, params = convert.canonical(arrays)
  # The numbers that torch was given, rounded as it was given them.
  params |= {"mean": vgg.IMAGENET_MEAN, "scale": vgg.IMAGENET_DEVIATION}
  params = {
    name: jax.tree.map(jnp.float64, value)
    if isinstance(value, dict)
    else jnp.float64(value)
    for name, value in params.items()
  }

  def loss(images):
    found = vgg.apply(params, images, taps, pooling=pooling)
    return sum(jnp.mean(found[tap] ** 2) for tap in taps)

  gradient = jax.jit(jax.grad(loss))(jnp.asarray(images))
  assert_close(gradient, pixels.grad, "gradient", 1e-12)


@pytest.mark.parametrize("legacy", [False, True])
def test_files_of_torch_save_are_read(torch, tmp_path, network, legacy):
  _, arrays = network
  path = tmp_path / "a.pth"
  state = {name: torch.tensor(array) for name, array in arrays.items()}
  torch.save(state, path, _use_new_zipfile_serialization=not legacy)
  read = files.read(path)
  assert read.keys() == arrays.keys()
  for name, expected in arrays.items():
    np.testing.assert_array_equal(read[name], expected, strict=True)


def test_a_modules_own_state_is_read(torch, tmp_path):
  module = torch.nn.Conv2d(3, 4, 3)
  torch.save(module.state_dict(), tmp_path / "a.pth")
  read = files.read(tmp_path / "a.pth")
  np.testing.assert_array_equal(
    read["weight"], module.weight.detach().numpy(), strict=True
  )


@pytest.mark.parametrize("net", ["vgg16", "vgg19"])
def test_pretrained_features_agree_with_torch(torch, net):
  try:
    params = weights.load(net)
  except errors.UserError as error:
    pytest.skip(f"no pretrained weights: {error}")
  # The preprocessing goes into torch's first layer as a shift of the pixels.
  arrays = {}
  for layer, (kernel, bias) in convert.torchvision_names(net).items():
    arrays[kernel] = np.asarray(params[layer]["kernel"]).transpose(3, 2, 0, 1)
    arrays[bias] = np.asarray(params[layer]["bias"])
  images = np.random.default_rng(3).random((1, 64, 64, 3), np.float32)
  shifted = (images - np.asarray(params["mean"])) / np.asarray(params["scale"])
  pixels = shifted * np.float32(vgg.IMAGENET_DEVIATION)
  pixels += np.float32(vgg.IMAGENET_MEAN)
  features = sequence(torch, net, arrays, "max")
  with torch.no_grad():
    pixels = torch.tensor(pixels.transpose(0, 3, 1, 2))
    expected = run(features, pixels)
  taps = taps_in_order(net)
  found = vgg.apply(params, jnp.asarray(images), taps)
  for tap, output in zip(taps, expected, strict=True):
    assert_close(found[tap], output, tap)
