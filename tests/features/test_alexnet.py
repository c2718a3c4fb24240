"""AlexNet and LPIPS against numbers worked out by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan.features import alexnet, lpips, nets

IMAGES = jax.random.uniform(jax.random.key(3), (4, 31, 40, 3))


@pytest.fixture(scope="module")
def params():
  """Untrained parameters; the heads weigh all channels by 1."""
  params = nets.init(1, "lpips_alexnet")
  for head in lpips.HEADS:
    params[head]["kernel"] = jnp.ones_like(params[head]["kernel"])
  return params


def test_the_first_layer_sees_every_fourth_window_of_padded_pixels(params):
  kernel = jnp.zeros((11, 11, 3, 64)).at[2, 2, 1, 5].set(2.0)
  params = params | {"conv1": {"kernel": kernel, "bias": jnp.full(64, 0.25)}}
  found = alexnet.apply(params, IMAGES, ("relu1",))["relu1"][..., 5]
  green = (IMAGES[:, ::4, ::4, 1] - 0.456) / 0.224
  expected = jax.nn.relu(2 * green + 0.25)[:, :7, :9]
  np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5, strict=True)


def test_every_layer_has_its_shape(params):
  found = alexnet.apply(params, IMAGES)
  shapes = [layer.shape[1:] for layer in found.values()]
  assert shapes[:2] == [(7, 9, 64), (3, 4, 192)]
  assert shapes[2:] == [(1, 1, 384), (1, 1, 256), (1, 1, 256)]


def test_unknown_taps_and_small_images_are_refused(params):
  with pytest.raises(ValueError, match="relu5; got 'relu6'"):
    alexnet.apply(params, IMAGES, ("relu6",))
  with pytest.raises(ValueError, match="31 pixels a side; got 30 x 40"):
    alexnet.apply(params, IMAGES[:, 1:])


def test_the_distance_of_unit_weights_is_twice_one_minus_the_cosine(params):
  features = alexnet.apply(params, IMAGES)
  others = alexnet.apply(params, IMAGES[::-1])
  expected = 0
  for tap in alexnet.TAPS:
    a, b = np.asarray(features[tap]), np.asarray(others[tap])
    norms = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    expected += (2 - 2 * (a * b).sum(-1) / norms).mean((1, 2))
  found = lpips.distance(params, IMAGES, IMAGES[::-1])
  np.testing.assert_allclose(found, expected, rtol=1e-3, strict=True)


@pytest.mark.parametrize("net", ["lpips_alexnet", "lpips_vgg16"])
def test_equal_images_are_at_no_distance_and_pairs_have_no_order(net):
  params, distance = nets.init(1, net), jax.jit(lpips.distance)
  equal = distance(params, IMAGES, IMAGES)
  np.testing.assert_array_equal(equal, np.zeros(4, "f4"), strict=True)
  pair = IMAGES, IMAGES[::-1]
  there, back = distance(params, *pair), distance(params, *pair[::-1])
  assert np.abs(there).min() > 1e-3
  np.testing.assert_allclose(there, back, rtol=1e-5, strict=True)


def test_features_that_are_all_0_have_a_finite_gradient(params):
  # Those of the mean colour, as there are no biases.
  images = jnp.broadcast_to(params["mean"], (1, 32, 32, 3))

  def distance(images):
    return lpips.distance(params, images, jnp.ones_like(images))[0]

  gradient = jax.jit(jax.grad(distance))(images)
  assert jnp.isfinite(gradient).all()
