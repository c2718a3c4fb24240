"""The objective against the formulas of the papers in float64."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from astgan.nst import objective
from tests.nst import toy

close = functools.partial(np.testing.assert_allclose, strict=True)

LAYERS = ("fine", "coarse")
IMAGE = toy.draw(1, 8, 6, 3, seed=2)
# Other sizes than the photograph, in arrays of one image and of two.
STYLE_IMAGES = [toy.draw(1, 4, 4, 3, seed=3), toy.draw(2, 10, 4, 3, seed=4)]


def bound(terms, style_images=STYLE_IMAGES):
  """The objective as a function of the image."""
  targets = toy.make_targets(style_images, terms)
  fixed = {"params": toy.PARAMS, "extract": toy.extract, "terms": terms}
  return functools.partial(objective.objective, targets=targets, **fixed)


def gram(features):
  """[h w c] -> [c c], divided by h w c."""
  flat = features.reshape(-1, features.shape[-1])
  return flat.T @ flat / features.size


def losses_by_the_formulas(layer):
  """mean (F(X) - F(C))^2 and mean_i mean (G(X) - G(S_i))^2."""
  painted = toy.extract_float64(IMAGE)[layer][0]
  content = toy.extract_float64(toy.PHOTOGRAPH)[layer][0]
  batches = [toy.extract_float64(images)[layer] for images in STYLE_IMAGES]
  grams = np.stack([gram(features) for batch in batches for features in batch])
  style = np.mean((gram(painted)[None] - grams) ** 2)
  return np.mean((painted - content) ** 2), style


def test_losses_and_their_weighted_sum_are_those_of_the_formulas():
  weights = {"content_weight": 3.0, "style_weight": 5.0, "tv_weight": 7.0}
  weights["style_layer_weights"] = (0.25, 2.0)
  terms = toy.make_terms(content_layers=LAYERS, **weights)
  total, losses = bound(terms)(IMAGE)
  contents, styles = zip(*map(losses_by_the_formulas, LAYERS), strict=True)
  content, style = sum(contents), np.dot(styles, [0.25, 2.0])
  pixels = np.asarray(IMAGE, "float64")
  tv = sum(np.mean(np.diff(pixels, axis=axis) ** 2) for axis in (1, 2))
  expected = [3 * content + 5 * style + 7 * tv, content, style, tv]
  names = ("loss", "content/loss", "style/loss", "tv/loss")
  actual = np.array([losses[name] for name in names])
  close(actual, np.float32(expected), rtol=1e-5)
  assert total == losses["loss"]


def test_the_variance_of_almost_equal_images_does_not_cancel():
  images = [IMAGE, IMAGE * 1.0001, IMAGE * 0.9999]

  def moments(images):
    return toy.make_targets(images, toy.make_terms()).style["fine"]

  # From the same float32 Gram matrices.
  grams = np.stack([moments([image]).mean[0] for image in images])
  expected = np.mean(np.var(grams.astype("float64"), axis=0))
  close(moments(images).variance, np.float32(expected), rtol=1e-5)


def test_a_step_costs_the_same_for_64_style_images_as_for_one():
  def program(count):
    function = bound(toy.make_terms(), [toy.draw(count, 8, 6, 3)])
    return str(jax.make_jaxpr(jax.grad(function, has_aux=True))(IMAGE))

  assert program(64) == program(1)


def test_the_gradient_is_the_difference_quotient():
  function = bound(toy.make_terms(tv_weight=1.0))
  with jax.enable_x64(True):
    wide = jax.tree.map(
      lambda x: jnp.asarray(np.asarray(x, "float64")),
      {name: function.keywords[name] for name in ("params", "targets")},
    )
    total = jax.jit(lambda image: function(image, **wide)[0])
    check_grads(total, (np.asarray(IMAGE, "float64"),), order=1)


def test_weights_that_do_not_match_the_layers_are_refused():
  with pytest.raises(ValueError, match="2 style layers have 1 weights"):
    toy.make_terms(style_layer_weights=(1.0,))
