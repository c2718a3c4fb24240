"""The objective against the papers' formulas in float64."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from astgan.nst import objective
from tests.nst import toy

close = functools.partial(np.testing.assert_allclose, strict=True)

PARAMS = toy.make_params()
PHOTOGRAPH = toy.draw(1, 8, 6, 3, seed=1)
IMAGE = toy.draw(1, 8, 6, 3, seed=2)
# Of other sizes than the photograph, and in arrays of one and of two.
PICTURES = [toy.draw(1, 4, 4, 3, seed=3), toy.draw(2, 10, 4, 3, seed=4) ** 2]


def evaluate(terms, pictures=PICTURES, image=IMAGE):
  targets = toy.make_targets(PARAMS, PHOTOGRAPH, pictures, terms)
  return objective.objective(
    image, PARAMS, targets, extract=toy.extract, terms=terms
  )


def gram(features):
  """[h w c] -> [c c], over h w c."""
  flat = features.reshape(-1, features.shape[-1])
  return flat.T @ flat / features.size


def style_by_the_formula(layer, pictures=PICTURES, image=IMAGE):
  """mean_i mean (G(X) - G(S_i))^2, picture by picture."""
  painted = gram(toy.extract_wide(PARAMS, image)[layer][0])
  distances = [
    np.mean((painted - gram(features)) ** 2)
    for batch in pictures
    for features in toy.extract_wide(PARAMS, batch)[layer]
  ]
  return np.mean(distances)


def content_by_the_formula(layer):
  painted = toy.extract_wide(PARAMS, IMAGE)[layer]
  target = toy.extract_wide(PARAMS, PHOTOGRAPH)[layer]
  return np.mean((painted - target) ** 2)


def test_style_loss_is_the_mean_over_the_pictures_summed_over_layers():
  _, losses = evaluate(toy.make_terms())
  expected = style_by_the_formula("fine") + style_by_the_formula("coarse")
  close(losses["style/loss"], np.float32(expected), rtol=1e-5)


def test_style_loss_keeps_its_constant_where_pictures_are_almost_alike():
  # The distance is all spread: the picture is the mean of two near it.
  base = toy.draw(1, 8, 6, 3, seed=2)
  pictures = [base * 1.001, base * 0.999]
  _, losses = evaluate(toy.make_terms(), pictures, base)
  expected = sum(
    style_by_the_formula(layer, pictures, base) for layer in ("fine", "coarse")
  )
  close(losses["style/loss"], np.float32(expected), rtol=1e-3)


def test_spread_does_not_cancel():
  base = toy.draw(1, 8, 6, 3, seed=2)
  pictures = [base, base * 1.0001, base * 0.9999]
  style = objective.style_targets(
    PARAMS, pictures, extract=toy.extract, terms=toy.make_terms()
  )["fine"]
  # From the same Gram matrices of float32, in float64.
  grams = np.stack(
    [
      objective.style_targets(
        PARAMS, [picture], extract=toy.extract, terms=toy.make_terms()
      )["fine"].mean[0]
      for picture in pictures
    ]
  ).astype("float64")
  expected = np.mean((grams - grams.mean(axis=0)) ** 2)
  close(style.spread, np.float32(expected), rtol=1e-5)


def test_style_layers_count_by_their_weights():
  _, losses = evaluate(toy.make_terms(style_layer_weights=(0.25, 2.0)))
  expected = 0.25 * style_by_the_formula("fine") + 2 * style_by_the_formula(
    "coarse"
  )
  close(losses["style/loss"], np.float32(expected), rtol=1e-5)


def test_content_loss_is_the_mean_square_summed_over_layers():
  _, losses = evaluate(toy.make_terms(content_layers=("fine", "coarse")))
  expected = content_by_the_formula("fine") + content_by_the_formula("coarse")
  close(losses["content/loss"], np.float32(expected), rtol=1e-5)


def test_variation_loss_is_that_of_the_picture():
  _, losses = evaluate(toy.make_terms())
  wide = np.asarray(IMAGE, "float64")
  expected = sum(np.mean(np.diff(wide, axis=axis) ** 2) for axis in (1, 2))
  close(losses["variation/loss"], np.float32(expected), rtol=1e-5)


def test_total_is_the_weighted_sum():
  total, losses = evaluate(
    toy.make_terms(content_weight=3.0, style_weight=5.0, variation_weight=7.0)
  )
  expected = (
    3 * losses["content/loss"]
    + 5 * losses["style/loss"]
    + 7 * losses["variation/loss"]
  )
  close(total, expected, rtol=1e-6)
  close(losses["loss"], total)


def test_style_does_not_depend_on_how_pictures_are_grouped():
  whole = [PICTURES[1], PICTURES[0]]
  split = [PICTURES[0], PICTURES[1][:1], PICTURES[1][1:]]
  terms = toy.make_terms()
  close(
    evaluate(terms, whole)[1]["style/loss"],
    evaluate(terms, split)[1]["style/loss"],
    rtol=1e-6,
  )


def test_a_step_costs_the_same_for_64_style_pictures_as_for_one():
  terms = toy.make_terms()

  def program(pictures):
    targets = toy.make_targets(PARAMS, PHOTOGRAPH, pictures, terms)
    gradient = jax.grad(
      functools.partial(objective.objective, extract=toy.extract, terms=terms),
      has_aux=True,
    )
    return str(jax.make_jaxpr(gradient)(IMAGE, PARAMS, targets))

  assert program([toy.draw(64, 8, 6, 3)]) == program([toy.draw(1, 8, 6, 3)])


def test_gradient_is_the_difference_quotient():
  terms = toy.make_terms(variation_weight=1.0)
  targets = toy.make_targets(PARAMS, PHOTOGRAPH, PICTURES, terms)
  with jax.enable_x64(True):
    wide = jax.tree.map(
      lambda x: jnp.asarray(np.asarray(x, "float64")), (PARAMS, targets)
    )

    @jax.jit
    def total(image):
      return objective.objective(
        image, *wide, extract=toy.extract, terms=terms
      )[0]

    check_grads(total, (np.asarray(IMAGE, "float64"),), order=1)


def test_a_style_without_pictures_is_refused():
  with pytest.raises(ValueError, match="at least one picture"):
    objective.style_targets(
      PARAMS, [], extract=toy.extract, terms=toy.make_terms()
    )


def test_weights_that_do_not_match_the_layers_are_refused():
  with pytest.raises(ValueError, match="2 style layers have 1 weights"):
    toy.make_terms(style_layer_weights=(1.0,))


def test_a_layer_of_both_kinds_is_tapped_once():
  assert toy.make_terms().taps == ("fine", "coarse")
