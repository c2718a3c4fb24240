"""Weights of every family respond to an image as the original network did."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan.features import convert, families, vgg
from tests.features import foreign

assert_allclose = functools.partial(np.testing.assert_allclose, strict=True)
RGB = np.array([0.2, 0.9, 0.4])


def test_positions_in_torchvisions_list_are_the_published_ones():
  names = families.torchvision_names("vgg19")
  # From torchvision.models.vgg19().features.
  positions = " ".join(kernel.split(".")[1] for kernel, _ in names.values())
  assert positions == "0 2 5 7 10 12 14 16 19 21 23 25 28 30 32 34"


@pytest.mark.parametrize("net", ["vgg16", "vgg19"])
@pytest.mark.parametrize("family", ["torchvision", "keras"])
def test_the_net_is_found_by_its_layers_and_survives_flattening(net, family):
  arrays = getattr(foreign, f"{family}_arrays")(net)
  arrays["classifier.0.weight"] = np.zeros((4, 4), np.float32)  # Ignored.
  found, params = convert.canonical(arrays)
  assert (found, len(params)) == (net, sum(vgg.BLOCKS[net]) + 2)
  kernel = foreign.keras_arrays(net)["block2_conv1.kernel"]  # HWIO.
  foreign.assert_same(params["conv2_1"]["kernel"], kernel)
  found, again = convert.canonical(convert.flatten(params))
  assert found == net
  foreign.assert_same(again, params)


def first_layer(arrays):
  """conv1_1 where a pixel of a uniform image sees all nine weights."""
  _, params = convert.canonical(arrays)
  images = jnp.full((1, 5, 5, 3), jnp.float32(RGB))
  return vgg.apply(params, images, ("conv1_1",))["conv1_1"][0, 2, 2]


def test_keras_pixels_are_bgr_minus_the_mean_and_activations_are_divided():
  arrays = foreign.keras_arrays("vgg16")
  kernel, bias = arrays["block1_conv1.kernel"], arrays["block1_conv1.bias"]
  pixels = RGB[::-1] * 255 - [103.939, 116.779, 123.68]
  expected = np.float32((pixels @ kernel.sum((0, 1)) + bias) / 57.375)
  assert_allclose(first_layer(arrays), expected, rtol=1e-5)


def test_torchvision_pixels_are_normalized_by_imagenets_mean_and_deviation():
  arrays = foreign.torchvision_arrays("vgg16")
  kernel, bias = arrays["features.0.weight"], arrays["features.0.bias"]
  pixels = (RGB - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
  expected = np.float32(kernel.sum((2, 3)) @ pixels + bias)
  assert_allclose(first_layer(arrays), expected, rtol=1e-5)


def test_dividing_the_input_and_the_biases_divides_every_layer():
  _, params = convert.canonical(foreign.keras_arrays("vgg19"))
  original = {
    layer: {**params[layer], "bias": params[layer]["bias"] * 57.375}
    for layer in vgg.kernel_shapes("vgg19")
  }
  original |= {"mean": params["mean"], "scale": params["scale"] / 57.375}
  images = jax.random.uniform(jax.random.key(0), (1, 32, 32, 3))
  taps = ("conv1_2", "relu3_4", "pool4")
  divided = vgg.apply(params, images, taps)
  for tap, expected in vgg.apply(original, images, taps).items():
    assert_allclose(divided[tap] * 57.375, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
  ("name", "array", "reason"),
  [
    ("10.weight", None, r"\(features\.0.* are none of vgg16"),
    ("10.weight", np.zeros((4, 3, 5, 5)), r"\(3, 3, 3, 4\); got \(5, 5, 3, 4"),
    ("10.bias", None, r"no array 'features\.10\.bias'"),
    ("10.bias", np.full(4, np.nan), r"conv3_1.bias .* not finite"),
  ],
)
def test_arrays_that_are_not_a_vgg_are_refused(name, array, reason):
  arrays = foreign.torchvision_arrays("vgg16") | {f"features.{name}": array}
  with pytest.raises(ValueError, match=reason):
    convert.canonical({n: a for n, a in arrays.items() if a is not None})
  with pytest.raises(ValueError, match="no kernels"):
    convert.canonical({})


def test_the_digest_depends_on_every_bit_and_not_on_memory_order():
  _, params = convert.canonical(foreign.torchvision_arrays("vgg16"))
  copy = jax.tree.map(lambda array: np.array(array, order="C"), params)
  assert convert.digest(copy) == convert.digest(params)
  for array in copy["conv5_3"].values():
    before = convert.digest(copy)
    array.flat[3] = np.nextafter(array.flat[3], np.float32(9))
    assert convert.digest(copy) != before
