"""The network by hand, by its names and against its own definition."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan.features import vgg

pytestmark = pytest.mark.usefixtures("narrow")


@pytest.fixture
def params(narrow):
  return vgg.init(1, "vgg19")


@pytest.fixture
def images():
  return jax.random.uniform(jax.random.key(2), (2, 32, 32, 3))


def one_weight(params, colour):
  """conv1_1 gives 10 times the left neighbour's colour, plus one half."""
  kernel = jnp.zeros((3, 3, 3, 2)).at[1, 0, colour, 0].set(10.0)
  return params | {"conv1_1": {"kernel": kernel, "bias": jnp.array([0.5, 0.0])}}


def test_a_convolution_of_one_weight_is_the_number_worked_out_by_hand(params):
  params = one_weight(params, colour=1)
  params |= {"mean": jnp.array([9.0, 0.25, 9.0])}
  params |= {"scale": jnp.array([9.0, 0.5, 9.0])}
  images = jnp.zeros((1, 1, 3, 3)).at[0, 0, :, 1].set([0.5, 0.0, 1.0])
  features = vgg.apply(params, images, ("conv1_1",))["conv1_1"]
  # Left of the picture is the mean colour, which is 0 after the shift; then
  # (0.5 - 0.25) / 0.5 = 0.5 and (0.0 - 0.25) / 0.5 = -0.5.
  expected = [0.5, 10 * 0.5 + 0.5, 10 * -0.5 + 0.5]
  np.testing.assert_allclose(
    features[0, 0, :, 0], np.float32(expected), rtol=1e-6, strict=True
  )


def test_features_after_a_relu_are_those_before_it_cut_at_zero(params, images):
  features = vgg.apply(params, images, ("conv4_2", "relu4_2"))
  assert features["conv4_2"].min() < 0
  np.testing.assert_array_equal(
    features["relu4_2"], np.maximum(features["conv4_2"], 0), strict=True
  )


@pytest.mark.parametrize(
  ("net", "names"),
  [
    ("vgg19", ("conv_10", "conv4_2")),
    ("vgg16", ("conv_9", "conv4_2")),
    ("vgg19", ("conv_4", "conv2_2")),
    ("vgg19", ("conv_16", "conv5_4")),
    ("vgg16", ("conv_13", "conv5_3")),
    ("vgg19", ("block4_conv2", "relu4_2")),
    ("vgg16", ("block5_conv3", "relu5_3")),
  ],
)
def test_two_names_of_a_layer_give_the_same_features(net, names, images):
  params = vgg.init(1, net)
  features = vgg.apply(params, images, names)
  assert list(features) == list(names)
  np.testing.assert_array_equal(*features.values(), strict=True)


@pytest.mark.parametrize(("net", "count"), [("vgg16", 13), ("vgg19", 16)])
def test_a_net_has_as_many_convolutions_as_its_paper_says(net, count):
  layers = vgg.layers_by_tap(net).values()
  assert len({layer for layer in layers if layer.startswith("conv")}) == count


def test_max_pooling_keeps_the_largest_of_four_and_leaves_odd_edges_out():
  x = jnp.arange(15.0).reshape(1, 3, 5, 1)
  pooled = vgg.max_pool(x)[0, :, :, 0]
  np.testing.assert_array_equal(pooled, np.float32([[6, 8]]), strict=True)


def test_average_pooling_is_the_mean_of_four_and_leaves_odd_edges_out():
  x = jnp.arange(15.0).reshape(1, 3, 5, 1)
  pooled = vgg.average_pool(x)[0, :, :, 0]
  np.testing.assert_array_equal(pooled, np.float32([[3, 5]]), strict=True)


def test_max_pooling_sends_the_gradient_to_the_largest_only():
  x = jnp.array([[1.0, 4.0, 0.5], [2.0, 3.0, 9.0]])[None, :, :, None]
  gradient = jax.grad(lambda x: 7 * vgg.max_pool(x).sum())(x)[0, :, :, 0]
  np.testing.assert_array_equal(
    gradient, np.float32([[0, 7, 0], [0, 0, 0]]), strict=True
  )


@pytest.mark.parametrize("pooling", ["max", "average"])
def test_pooling_is_the_one_asked_for(params, images, pooling):
  taps = ("relu1_2", "pool1")
  features = vgg.apply(params, images, taps, pooling=pooling)
  expected = vgg.POOLS[pooling](features["relu1_2"])
  np.testing.assert_array_equal(features["pool1"], expected, strict=True)


def test_sizes_halve_rounded_down_at_every_pooling(params):
  taps = ("pool1", "pool2", "pool3", "pool4", "pool5")
  features = vgg.apply(params, jnp.zeros((1, 47, 66, 3)), taps)
  sizes = [features[tap].shape[1:3] for tap in taps]
  assert sizes == [(23, 33), (11, 16), (5, 8), (2, 4), (1, 2)]


def test_the_network_ends_at_the_deepest_tap(params, images):
  apply = functools.partial(vgg.apply, taps=("relu1_1", "conv2_1"))
  program = str(jax.make_jaxpr(apply)(params, images))
  assert program.count("conv_general_dilated[") == 3


def test_deeper_weights_are_not_read(params, images):
  expected = vgg.apply(params, images, ("pool3",))
  shallow = {
    name: value for name, value in params.items() if name[:5] != "conv4"
  }
  features = vgg.apply(shallow, images, ("pool3",))
  np.testing.assert_array_equal(
    features["pool3"], expected["pool3"], strict=True
  )


def test_no_taps_are_no_features(params, images):
  assert vgg.apply(params, images, ()) == {}


def test_a_jitted_program_traced_once_gives_the_same(params, images):
  traces = []

  @jax.jit
  def features(params, images):
    traces.append(1)
    return vgg.apply(params, images, ("pool5",))["pool5"]

  first = features(params, images)
  features(params, images + 1)
  expected = vgg.apply(params, images, ("pool5",))["pool5"]
  np.testing.assert_allclose(first, expected, rtol=1e-4, atol=1e-5, strict=True)
  assert len(traces) == 1


def test_pictures_of_a_batch_do_not_meet(params, images):
  both = vgg.apply(params, images, ("conv5_1",))["conv5_1"]
  second = vgg.apply(params, images[1:], ("conv5_1",))["conv5_1"]
  np.testing.assert_allclose(
    both[1:], second, rtol=1e-4, atol=1e-6, strict=True
  )


def test_untrained_kernels_keep_the_size_of_activations(monkeypatch):
  monkeypatch.setattr(vgg, "CHANNELS", (64, 64, 64, 64, 64))
  params = vgg.init(0, "vgg19")
  deviation = np.std(params["conv3_2"]["kernel"])
  np.testing.assert_allclose(deviation, np.sqrt(2 / (9 * 64)), rtol=0.02)


@pytest.mark.parametrize(
  ("net", "tap"),
  [
    ("vgg19", "relu6_1"),
    ("vgg16", "conv4_4"),
    ("vgg16", "conv_14"),
    ("vgg19", "conv_0"),
    ("vgg19", "29"),
    ("vgg19", "pool6"),
    ("vgg19", ""),
  ],
)
def test_an_unknown_tap_is_named_with_the_known_ones(net, tap):
  with pytest.raises(ValueError, match=rf"{net} has no layer '{tap}'.*pool5"):
    vgg.check_taps(net, ("conv_1", tap))


def test_the_range_of_the_counted_layers_is_said():
  with pytest.raises(ValueError, match=r"conv_1\.\.conv_13 .*2, 2, 3, 3, 3"):
    vgg.check_taps("vgg16", ("conv_14",))


def test_apply_refuses_an_unknown_tap(params, images):
  with pytest.raises(ValueError, match="no layer 'conv_17'"):
    vgg.apply(params, images, ("conv_17",))


def test_an_unknown_net_is_named():
  with pytest.raises(ValueError, match=r"vgg16, vgg19; got 'vgg11'"):
    vgg.check_taps("vgg11", ("conv_1",))


def test_an_unknown_pooling_is_named(params, images):
  with pytest.raises(ValueError, match="max, average; got 'mean'"):
    vgg.apply(params, images, ("pool1",), pooling="mean")


def test_pictures_too_small_for_a_pooling_are_refused(params):
  images = jnp.zeros((1, 40, 15, 3))
  with pytest.raises(ValueError, match=r"40 x 15 .* pool4: 16 a side"):
    vgg.apply(params, images, ("conv5_1",))
