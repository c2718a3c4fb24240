"""The network against numbers worked out by hand and its own definition."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan.features import nets, vgg

IMAGES = jax.random.uniform(jax.random.key(2), (2, 32, 32, 3))


@pytest.fixture
def params():
  return nets.init(1, "vgg19")


def test_a_convolution_of_one_weight_is_the_number_worked_out_by_hand(params):
  # The first output is 10 times the green of the left neighbour, plus 0.5.
  kernel = jnp.zeros((3, 3, 3, 2)).at[1, 0, 1, 0].set(10.0)
  params["conv1_1"] = {"kernel": kernel, "bias": jnp.array([0.5, 0.0])}
  params["mean"] = jnp.array([9.0, 0.25, 9.0])
  params["scale"] = jnp.array([9.0, 0.5, 9.0])
  images = jnp.zeros((1, 1, 3, 3)).at[0, 0, :, 1].set([0.5, 0.0, 1.0])
  features = vgg.apply(params, images, ("conv1_1",))["conv1_1"]
  # Zero padding, (0.5 - 0.25) / 0.5 = 0.5 and (0.0 - 0.25) / 0.5 = -0.5.
  expected = np.float32([0.5, 10 * 0.5 + 0.5, 10 * -0.5 + 0.5])
  np.testing.assert_allclose(
    features[0, 0, :, 0], expected, rtol=1e-6, strict=True
  )


def test_replicated_borders_leave_an_image_of_one_colour_without_a_frame(
  params,
):
  grey = jnp.full((1, 32, 32, 3), 0.7)
  (deep,) = vgg.apply(params, grey, ("conv2_2",), padding="replicate").values()
  np.testing.assert_allclose(
    deep, jnp.broadcast_to(deep[:, :1, :1], deep.shape), rtol=1e-5, strict=True
  )
  (framed,) = vgg.apply(params, grey, ("conv2_2",)).values()
  assert jnp.max(jnp.abs(framed - framed[:, 8:9, 8:9])) > 0.1


@pytest.mark.parametrize(
  ("net", "names"),
  [
    ("vgg19", ("conv_4", "conv2_2")),
    ("vgg19", ("conv_10", "conv4_2")),
    ("vgg19", ("conv_16", "conv5_4")),
    ("vgg19", ("block4_conv2", "relu4_2")),
    ("vgg16", ("conv_9", "conv4_2")),
    ("vgg16", ("conv_13", "conv5_3")),
    ("vgg16", ("block5_conv3", "relu5_3")),
  ],
)
def test_two_names_of_a_layer_give_the_same_features(net, names):
  features = vgg.apply(nets.init(1, net), IMAGES, names)
  np.testing.assert_array_equal(*features.values(), strict=True)


@pytest.mark.parametrize(
  ("pooling", "expected"), [("max", [[6, 8]]), ("average", [[3, 5]])]
)
def test_pooling_reduces_windows_to_one_value_and_drops_odd_edges(
  params, pooling, expected
):
  pool = vgg.POOLS[pooling]
  pooled = pool(jnp.arange(15.0).reshape(1, 3, 5, 1))[0, :, :, 0]
  np.testing.assert_array_equal(pooled, np.float32(expected), strict=True)
  taps = ("conv1_2", "relu1_2", "pool1")
  conv, relu, pooled = vgg.apply(params, IMAGES, taps, pooling=pooling).values()
  np.testing.assert_array_equal(relu, np.maximum(conv, 0), strict=True)
  np.testing.assert_array_equal(pooled, pool(relu), strict=True)


def test_the_network_ends_at_the_deepest_tap(params):
  shallow = {name: params[name] for name in params if name < "conv2_2"}
  shallow |= {name: params[name] for name in ("mean", "scale", "conv3_4")}
  apply = functools.partial(vgg.apply, taps=("relu1_1", "conv2_1"))
  program = str(jax.make_jaxpr(apply)(shallow, IMAGES))
  assert program.count("conv_general_dilated[") == 3
  assert vgg.apply(params, IMAGES, ()) == {}


@pytest.mark.parametrize(
  ("net", "tap", "reason"),
  [
    ("vgg19", "relu6_1", r"vgg19 has no layer 'relu6_1'.*pool5"),
    ("vgg16", "conv_14", r"conv_1\.\.conv_13 .*2, 2, 3, 3, 3"),
    ("vgg11", "conv_1", "vgg16, vgg19; got 'vgg11'"),
  ],
)
def test_an_unknown_net_or_tap_is_named_with_the_known_ones(net, tap, reason):
  with pytest.raises(ValueError, match=reason):
    vgg.check_taps(net, ("conv_1", tap))


@pytest.mark.parametrize(
  ("tap", "options", "reason"),
  [
    ("pool1", {"pooling": "mean"}, "max, average; got 'mean'"),
    ("pool1", {"padding": "same"}, "zeros, replicate; got 'same'"),
    ("conv5_1", {}, "40 x 15 .* pool4, which needs 16 pixels"),
  ],
)
def test_apply_refuses_what_it_cannot_compute(params, tap, options, reason):
  with pytest.raises(ValueError, match=reason):
    vgg.apply(params, jnp.zeros((1, 40, 15, 3)), (tap,), **options)
