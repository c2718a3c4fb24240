"""Extractors by name, and what they take from which network."""

import jax
import numpy as np
import pytest

from astgan import errors
from astgan.features import alexnet, extractors, nets, vgg

IMAGES = jax.random.uniform(jax.random.key(0), (3, 64, 64, 3))


def features_of(name, images=IMAGES):
  extractor = extractors.load(name, "random")
  return jax.jit(extractor.apply)(extractor.params, images)


@pytest.mark.parametrize(
  ("name", "tap"), [("vgg16_relu3", "relu3_3"), ("vgg19_relu5", "relu5_4")]
)
def test_a_block_of_vgg_is_the_mean_of_its_last_relu(name, tap):
  params = nets.init(0, extractors.net_of(name))
  expected = vgg.apply(params, IMAGES, (tap,))[tap].mean((1, 2))
  found = features_of(name)
  np.testing.assert_allclose(found, expected, rtol=1e-5, strict=True)


def test_alexnet_joins_the_deep_layers_of_resized_images():
  params = nets.init(0, "alexnet")
  resized = jax.image.resize(IMAGES, (3, 128, 128, 3), "bilinear")
  layers = alexnet.apply(params, resized)
  expected = [layers[f"relu{i}"].mean((1, 2)) for i in (3, 4, 5)]
  np.testing.assert_allclose(
    features_of("alexnet"), np.concatenate(expected, 1), rtol=1e-4, strict=True
  )


@pytest.mark.parametrize("name", extractors.names())
def test_every_extractor_gives_a_row_for_each_image(name):
  extractor = extractors.load(name, "random")
  assert extractor.name == name
  shape = jax.eval_shape(extractor.apply, extractor.params, IMAGES)
  assert (shape.ndim, shape.shape[0], shape.dtype) == (2, 3, "float32")


def test_products_are_of_whole_float32_on_every_device():
  extractor = extractors.load("random")
  program = jax.make_jaxpr(extractor.apply)(extractor.params, IMAGES)
  convolutions = str(program).split("conv_general_dilated[")[1:]
  assert all("Precision.HIGHEST" in text for text in convolutions)
  assert len(convolutions) == 12


@pytest.mark.parametrize(
  ("name", "weights", "reason"),
  [
    ("vgg16", "auto", r"'vgg16' is no feature network; .* vgg16_relu1, .*rand"),
    ("random", "a.pth", "random convolutions have no file; got a.pth"),
    ("inception", "auto", "of inception; download https.* and give its path"),
    ("alexnet_relu2", "no.pth", "weights of alexnet: no.pth: No such file"),
  ],
)
def test_what_cannot_be_loaded_is_said_in_one_line(name, weights, reason):
  with pytest.raises(errors.UserError, match=reason) as refused:
    extractors.load(name, weights)
  assert "\n" not in str(refused.value)
