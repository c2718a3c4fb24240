"""Every family of weights answers a picture as the original did."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan.features import convert, vgg
from tests.features import foreign

pytestmark = pytest.mark.usefixtures("narrow")


def test_places_in_torchvisions_list_are_the_published_ones():
  names = convert.torchvision_names("vgg19")
  places = [int(kernel.split(".")[1]) for kernel, _ in names.values()]
  # Printed by torchvision.models.vgg19().features.
  assert places == [
    *(0, 2, 5, 7, 10, 12, 14, 16),
    *(19, 21, 23, 25, 28, 30, 32, 34),
  ]


def test_the_third_papers_feature_29_is_the_last_relu_of_vgg16():
  kernel, _ = convert.torchvision_names("vgg16")["conv5_3"]
  assert kernel == "features.28.weight"  # And 29 is its ReLU.


@pytest.mark.parametrize("net", ["vgg16", "vgg19"])
@pytest.mark.parametrize(
  "arrays", [foreign.torchvision_arrays, foreign.keras_arrays]
)
def test_the_net_is_told_by_its_layers(net, arrays):
  found, params = convert.canonical(arrays(net))
  assert found == net
  assert len(params) == sum(vgg.BLOCKS[net]) + 2


def test_keras_pixels_are_bgr_less_the_mean_and_its_answers_are_divided():
  arrays = foreign.keras_arrays("vgg16")
  _, params = convert.canonical(arrays)
  rgb = np.array([0.2, 0.9, 0.4])
  bgr = rgb[::-1] * 255 - [103.939, 116.779, 123.68]
  # Far from the edges every pixel of a plain picture sees all nine weights.
  kernel, bias = arrays["block1_conv1.kernel"], arrays["block1_conv1.bias"]
  original = kernel.sum((0, 1)).T @ bgr + bias
  images = jnp.broadcast_to(jnp.float32(rgb), (1, 5, 5, 3))
  answer = vgg.apply(params, images, ("conv1_1",))["conv1_1"][0, 2, 2]
  np.testing.assert_allclose(answer, np.float32(original / 57.375), rtol=1e-5)


def test_dividing_keras_input_and_biases_divides_every_layer():
  _, params = convert.canonical(foreign.keras_arrays("vgg19"))
  undivided = jax.tree.map(jnp.asarray, params)
  for layer in vgg.kernels("vgg19"):
    undivided[layer] = {
      "kernel": params[layer]["kernel"],
      "bias": params[layer]["bias"] * 57.375,
    }
  undivided |= {"scale": params["scale"] / 57.375}
  images = jax.random.uniform(jax.random.key(0), (1, 32, 32, 3))
  taps = ("conv1_2", "relu3_4", "pool4")
  divided = vgg.apply(params, images, taps)
  original = vgg.apply(undivided, images, taps)
  for tap in taps:
    np.testing.assert_allclose(
      divided[tap] * 57.375, original[tap], rtol=1e-3, atol=1e-3, strict=True
    )


def test_torchvision_pixels_are_normalised_by_imagenets_mean_and_deviation():
  arrays = foreign.torchvision_arrays("vgg16")
  _, params = convert.canonical(arrays)
  rgb = np.array([0.2, 0.9, 0.4])
  normal = (rgb - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
  kernel, bias = arrays["features.0.weight"], arrays["features.0.bias"]
  original = kernel.sum((2, 3)) @ normal + bias
  images = jnp.broadcast_to(jnp.float32(rgb), (1, 5, 5, 3))
  answer = vgg.apply(params, images, ("conv1_1",))["conv1_1"][0, 2, 2]
  np.testing.assert_allclose(answer, np.float32(original), rtol=1e-5)


def test_our_own_names_come_back_as_they_were():
  _, params = convert.canonical(foreign.keras_arrays("vgg19"))
  net, again = convert.canonical(convert.flatten(params))
  assert net == "vgg19"
  jax.tree.map(np.testing.assert_array_equal, again, params)


def test_a_classifier_behind_the_convolutions_is_ignored():
  arrays = foreign.torchvision_arrays("vgg16")
  arrays["classifier.0.weight"] = np.zeros((4, 4), np.float32)
  assert convert.canonical(arrays)[0] == "vgg16"


def test_batch_normalised_vgg_is_refused():
  arrays = {
    f"features.{place}.weight": np.zeros((2, 2, 3, 3), np.float32)
    for place in (0, 3, 7, 10, 14, 17, 20, 23, 27, 30, 33, 36, 40, 43, 46, 49)
  }
  with pytest.raises(ValueError, match=r"not VGG16's or VGG19's \(features\.0"):
    convert.canonical(arrays)


def test_no_arrays_are_no_network():
  with pytest.raises(ValueError, match="no kernels"):
    convert.canonical({})


def test_a_kernel_of_another_shape_is_named():
  arrays = foreign.torchvision_arrays("vgg16")
  arrays["features.10.weight"] = np.zeros((4, 3, 5, 5), np.float32)
  with pytest.raises(
    ValueError,
    match=r"conv3_1.kernel of vgg16 .* \(3, 3, 3, 4\); got \(5, 5, 3, 4\)",
  ):
    convert.canonical(arrays)


def test_a_missing_bias_is_named():
  arrays = foreign.torchvision_arrays("vgg16")
  del arrays["features.10.bias"]
  with pytest.raises(ValueError, match=r"no array 'features\.10\.bias'"):
    convert.canonical(arrays)


def test_weights_that_are_not_finite_are_named():
  arrays = foreign.torchvision_arrays("vgg16")
  arrays["features.10.bias"][1] = np.nan
  with pytest.raises(ValueError, match=r"conv3_1.bias .* not finite"):
    convert.canonical(arrays)


@pytest.mark.parametrize("part", ["kernel", "bias"])
def test_the_digest_notices_the_last_bit_of_any_number(part):
  _, params = convert.canonical(foreign.keras_arrays("vgg16"))
  before = convert.digest(params)
  array = params["conv5_3"][part].copy()
  array.flat[3] = np.nextafter(array.flat[3], np.float32(9))
  params["conv5_3"][part] = array
  assert convert.digest(params) != before


def test_the_digest_does_not_depend_on_how_arrays_lie_in_memory():
  _, params = convert.canonical(foreign.torchvision_arrays("vgg16"))
  copied = jax.tree.map(np.ascontiguousarray, params)
  assert convert.digest(params) == convert.digest(copied)
