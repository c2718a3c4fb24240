"""The objective against the formulas of the papers in float64."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax.test_util import check_grads

from astgan.nst.terms import gram
from tests.nst import toy

close = functools.partial(np.testing.assert_allclose, strict=True)

IMAGE = toy.draw(1, 8, 6, 3, seed=2)
# Other sizes than the photograph, in arrays of one image and of two.
STYLE_IMAGES = [toy.draw(1, 4, 4, 3, seed=3), toy.draw(2, 10, 4, 3, seed=4)]


def bound(target, style, style_images=STYLE_IMAGES, **content):
  """The objective as a function of the image."""
  targets = toy.make_targets(style_images, style, **content)
  return functools.partial(target, params=toy.PARAMS, targets=targets)


def gram_of(features):
  """[h w c] -> [c c], divided by h w c."""
  flat = features.reshape(-1, features.shape[-1])
  return flat.T @ flat / features.size


def losses_by_the_formulas(layer):
  """mean (F(X) - F(C))^2 and mean_i mean (G(X) - G(S_i))^2."""
  painted = toy.extract_float64(IMAGE)[layer][0]
  content = toy.extract_float64(toy.PHOTOGRAPH)[layer][0]
  batches = [toy.extract_float64(images)[layer] for images in STYLE_IMAGES]
  grams = [gram_of(features) for batch in batches for features in batch]
  style = np.mean((gram_of(painted)[None] - np.stack(grams)) ** 2)
  return np.mean((painted - content) ** 2), style


def test_losses_and_their_weighted_sum_are_those_of_the_formulas():
  term = gram.Gram(taps=toy.LAYERS, layer_weights=(0.25, 2.0))
  style = toy.make_style(term, weight=5.0)
  layers = {"content_layers": toy.LAYERS}
  target = toy.make_objective(style, content_weight=3, tv_weight=7, **layers)
  total, losses = bound(target, style, **layers)(IMAGE)
  contents, styles = zip(*map(losses_by_the_formulas, toy.LAYERS), strict=True)
  content, style = sum(contents), np.dot(styles, [0.25, 2.0])
  pixels = np.asarray(IMAGE, "float64")
  tv = sum(np.mean(np.diff(pixels, axis=axis) ** 2) for axis in (1, 2))
  expected = [3 * content + 5 * style + 7 * tv, content, style, tv]
  names = ("loss", "content/loss", "style/loss", "tv/loss")
  actual = np.array([losses[name] for name in names])
  close(actual, np.float32(expected), rtol=1e-5)
  assert total == losses["loss"]


def test_a_step_costs_the_same_for_64_style_images_as_for_one():
  def program(count):
    images = [toy.draw(count, 8, 6, 3)]
    function = bound(toy.make_objective(), toy.make_style(), images)
    return str(jax.make_jaxpr(jax.grad(function, has_aux=True))(IMAGE))

  assert program(64) == program(1)


def test_the_gradient_is_the_difference_quotient():
  function = bound(toy.make_objective(tv_weight=1.0), toy.make_style())
  with jax.enable_x64(True):
    wide = jax.tree.map(
      lambda x: jnp.asarray(np.asarray(x, "float64")), function.keywords
    )
    total = jax.jit(lambda image: function.func(image, **wide)[0])
    check_grads(total, (np.asarray(IMAGE, "float64"),), order=1)
