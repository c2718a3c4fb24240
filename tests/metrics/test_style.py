"""Style distances against the losses, and against scipy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg

from astgan.features import nets, vgg
from astgan.losses import perceptual
from astgan.metrics import style
from tests import pictures

PICTURES = [pictures.noise(64, 64, 0), pictures.noise(64, 64, 1) // 2]
STYLE = [pictures.noise(64, 64, 2) // 2, pictures.noise(64, 96, 3) // 3]


@pytest.fixture(scope="module")
def params():
  """VGG19 with 2 to 6 channels."""
  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(vgg, "CHANNELS", (2, 3, 4, 5, 6))
    return nets.init(0, "vgg19")


@pytest.fixture(scope="module")
def compared(params):
  return style.compare(params, PICTURES, STYLE)


def features(params, image):
  images = jnp.asarray(image[None]).astype("float32") / 255
  apply = jax.jit(vgg.apply, static_argnums=2)
  found = apply(params, images, style.LAYERS)
  return [found[layer] for layer in style.LAYERS]


def grams(params, image):
  return [perceptual.gram(layer) for layer in features(params, image)]


def points(params, image):
  """Features at all positions, by layer."""
  return [
    np.asarray(layer, np.float64).reshape(-1, layer.shape[-1])
    for layer in features(params, image)
  ]


def wasserstein(a, b):
  covariances = [np.cov(x, rowvar=False) for x in (a, b)]
  root = scipy.linalg.sqrtm(covariances[0] @ covariances[1])
  trace = np.trace(covariances[0] + covariances[1] - 2 * root.real)
  return (np.sum((a.mean(0) - b.mean(0)) ** 2) + trace) / len(root)


def assert_close(found, expected):
  np.testing.assert_allclose(found, expected, rtol=1e-4, strict=True)


def test_gram_distances_are_the_style_loss_of_each_layer(params, compared):
  expected = [
    [
      perceptual.batch_style(gram, jnp.concatenate(group))[0]
      for gram, *group in zip(
        *(grams(params, image) for image in (picture, *STYLE)), strict=True
      )
    ]
    for picture in PICTURES
  ]
  assert_close(compared.each[:, 0], np.array(expected, np.float64))


def test_pictures_in_blocks_have_the_same_distances(params, compared):
  found = style.compare(params, PICTURES, STYLE, block=1)
  jax.tree.map(np.testing.assert_array_equal, found[:2], compared[:2])
  np.testing.assert_allclose(found.pooled, compared.pooled, rtol=1e-9)


def test_the_gram_matrix_of_a_group_is_the_mean(params, compared):
  expected = [
    [
      perceptual.style(gram, (a + b) / 2)[0]
      for gram, a, b in zip(
        *(grams(params, image) for image in (picture, *STYLE)), strict=True
      )
    ]
    for picture in PICTURES
  ]
  assert_close(compared.group[:, 0], np.array(expected, np.float64))


def test_wasserstein_distances_agree_with_the_matrix_square_root(
  params, compared
):
  expected = [
    [
      (wasserstein(x, a) + wasserstein(x, b)) / 2
      for x, a, b in zip(
        *(points(params, image) for image in (picture, *STYLE)), strict=True
      )
    ]
    for picture in PICTURES
  ]
  assert_close(compared.each[:, 1], np.array(expected))


def test_the_gaussian_of_a_group_is_that_of_all_positions(params, compared):
  first, second, a, b = (points(params, i) for i in (*PICTURES, *STYLE))
  groups = [np.concatenate(pair) for pair in zip(a, b, strict=True)]
  expected = [
    [wasserstein(x, group) for x, group in zip(picture, groups, strict=True)]
    for picture in (first, second)
  ]
  assert_close(compared.group[:, 1], np.array(expected))
  painted = np.concatenate([first[-1], second[-1]])
  frechet = 6 * wasserstein(painted, groups[-1])  # Of all 6 channels.
  np.testing.assert_allclose(compared.pooled, frechet, rtol=1e-4)


def test_an_image_has_no_distance_to_itself(params, compared):
  found = style.compare(params, PICTURES[:1], PICTURES[:1])
  for distances in (found.each, found.group):
    assert np.all(distances < 1e-9 * compared.each[:1])


def test_features_of_one_value_have_a_distance(params):
  black = np.zeros((32, 32, 3), np.uint8)
  white = black + np.uint8(255)
  found = style.compare(params, [black], [white])
  assert np.isfinite(found.each).all()


def test_a_style_without_images_is_refused(params):
  with pytest.raises(ValueError, match="at least one image"):
    style.compare(params, PICTURES, [])
