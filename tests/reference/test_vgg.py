"""The feature networks against the same networks built in plain PyTorch."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan import errors
from astgan.features import convert, families, files, vgg, weights
from tests.features import foreign

pytestmark = pytest.mark.reference

# Table 1 of the paper; M is a pooling.
PLAN = {
  "vgg16": "64 64 M 128 128 M 256 256 256 M 512 512 512 M 512 512 512 M",
  "vgg19": (
    "64 64 M 128 128 M 256 256 256 256 M 512 512 512 512 M 512 512 512 512 M"
  ),
}
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@pytest.fixture(scope="module")
def torch():
  return pytest.importorskip("torch", reason="needs the extra `reference`")


@pytest.fixture(scope="module", params=["vgg16", "vgg19"])
def network(request):
  """A net and torchvision's arrays with random weights, at full width."""
  return request.param, foreign.torchvision_arrays(request.param)


VARIANTS = pytest.mark.parametrize(
  ("pooling", "padding"), [("max", "zeros"), ("average", "replicate")]
)


def to_torch(torch, images):
  return torch.tensor(np.asarray(images).transpose(0, 3, 1, 2))


def outputs_by_tap(torch, net, arrays, images, pooling, padding):
  """The outputs of the published layers for normalized images, NCHW."""
  pool = {"max": torch.nn.MaxPool2d, "average": torch.nn.AvgPool2d}[pooling]
  layers, inputs = [], 3
  for word in PLAN[net].split():
    if word == "M":
      layers.append(pool(2, 2))
    else:
      layers.append(
        torch.nn.Conv2d(inputs, int(word), 3, padding=1, padding_mode=padding)
      )
      layers.append(torch.nn.ReLU())
      inputs = int(word)
  network = torch.nn.Sequential(*layers)
  state = {name[9:]: torch.tensor(array) for name, array in arrays.items()}
  network.load_state_dict(state)
  mean, std = (images.new_tensor(v)[:, None, None] for v in (MEAN, STD))
  outputs, x = [], (images - mean) / std
  for layer in network.to(images.dtype):
    outputs.append(x := layer(x))
  taps = dict.fromkeys(vgg.layers_by_tap(net).values())
  return dict(zip(taps, outputs, strict=True))


def assert_close(found, expected, tolerance=1e-5, name=""):
  """Compares NHWC to torch's NCHW, relative to the largest value."""
  expected = expected.detach().numpy().transpose(0, 2, 3, 1)
  atol = tolerance * np.abs(expected).max()
  np.testing.assert_allclose(
    found, expected, rtol=0, atol=atol, strict=True, err_msg=name
  )


@VARIANTS
@pytest.mark.parametrize("size", [(64, 64), (77, 51)])
def test_every_layer_agrees_with_torch(torch, network, pooling, padding, size):
  net, arrays = network
  images = np.random.default_rng(1).random((1, *size, 3), np.float32)
  expected = outputs_by_tap(
    torch, net, arrays, to_torch(torch, images), pooling, padding
  )
  _, params = convert.canonical(arrays)
  apply = functools.partial(
    vgg.apply, taps=list(expected), pooling=pooling, padding=padding
  )
  found = jax.jit(apply)(params, jnp.asarray(images))
  for tap, output in expected.items():
    assert_close(found[tap], output, name=tap)


@pytest.fixture
def double_precision():
  """Lets JAX make float64 arrays."""
  jax.config.update("jax_enable_x64", True)
  yield
  jax.config.update("jax_enable_x64", False)


@pytest.mark.usefixtures("double_precision")
def test_the_gradient_of_the_pixels_agrees_with_torch(torch, network):
  # In float32 a value that rounds to the other side of a ReLU's zero changes
  # the gradient of its whole receptive field; in float64 no value does.
  net, arrays = network
  # One variant each: in float64 they are slow.
  pooling, padding = {
    "vgg16": ("average", "replicate"),
    "vgg19": ("max", "zeros"),
  }[net]
  images = np.random.default_rng(2).random((1, 35, 33, 3))
  pixels = to_torch(torch, images).requires_grad_()
  outputs = outputs_by_tap(torch, net, arrays, pixels, pooling, padding)
  taps = ("conv1_1", "relu2_1", "conv3_2", "pool4", "relu5_1")
  sum((outputs[tap] ** 2).mean() for tap in taps).backward()
  _, params = convert.canonical(arrays)
  # float64 copies of the float32 weights, and the constants in float64.
  params = jax.tree.map(jnp.float64, params)
  params |= {"mean": jnp.float64(MEAN), "scale": jnp.float64(STD)}

  def loss(images):
    found = vgg.apply(params, images, taps, pooling=pooling, padding=padding)
    return sum(jnp.mean(found[tap] ** 2) for tap in taps)

  gradient = jax.jit(jax.grad(loss))(jnp.asarray(images))
  assert_close(gradient, pixels.grad, 1e-12)


@pytest.mark.parametrize("legacy", [False, True])
def test_files_of_torch_save_are_read(torch, tmp_path, legacy):
  module = torch.nn.Conv2d(3, 4, 3)
  state = module.state_dict()
  path = tmp_path / "a.pth"
  torch.save(state, path, _use_new_zipfile_serialization=not legacy)
  found = files.read(path)
  assert found.keys() == state.keys()
  for name, tensor in state.items():
    np.testing.assert_array_equal(found[name], tensor.numpy(), strict=True)


@pytest.mark.parametrize("net", ["vgg16", "vgg19"])
def test_pretrained_features_agree_with_torch(torch, net):
  try:
    params = weights.load(net)
  except errors.UserError as error:
    pytest.skip(f"no pretrained weights: {error}")
  arrays = {}
  for layer, (kernel, bias) in families.torchvision_names(net).items():
    arrays[kernel] = np.asarray(params[layer]["kernel"]).transpose(3, 2, 0, 1)
    arrays[bias] = np.asarray(params[layer]["bias"])
  images = np.random.default_rng(3).random((1, 64, 64, 3), np.float32)
  # Images that torch's normalization maps to what these parameters expect.
  pixels = (images - np.asarray(params["mean"])) / np.asarray(params["scale"])
  pixels = pixels * np.float32(STD) + np.float32(MEAN)
  pixels = to_torch(torch, pixels)
  expected = outputs_by_tap(torch, net, arrays, pixels, "max", "zeros")
  found = vgg.apply(params, jnp.asarray(images), list(expected))
  for tap, output in expected.items():
    assert_close(found[tap], output, name=tap)
