"""Products of features against sums written out in float64."""

import numpy as np
import pytest

from astgan.nst.terms import gram_variants, quantiles, registry
from tests.nst import toy

STYLE = toy.draw(1, 10, 4, 3, seed=5) ** 2
WEIGHTS = {"fine": 0.5, "coarse": 2.0}


def moved(x, down, across):
  """[h w c] with replicated borders: the value at p + (down, across)."""
  padded = np.pad(x, ((1, 1), (1, 1), (0, 0)), mode="edge")
  height, width = x.shape[:2]
  return padded[1 + down :, 1 + across :][:height, :width]


def blurred(x):
  parts = [
    (2 - abs(down)) * (2 - abs(across)) * moved(x, down, across)
    for down in (-1, 0, 1)
    for across in (-1, 0, 1)
  ]
  return sum(parts) / 16


def cube(x):
  lines = x @ np.asarray(quantiles.directions(x.shape[-1], 24), "float64")
  return np.einsum("hwi,hwj,hwk->ijk", lines, lines, lines) / lines.size


def gram_of(x, y):
  return np.einsum("hwi,hwj->ij", x, y) / (x.shape[0] * x.shape[1] * y.shape[2])


@pytest.mark.parametrize(
  "name, describe",
  [
    ("gram_shifted", lambda x: gram_of(x - 1, x - 1)),
    ("gram_amplified", lambda x: gram_of(x**2, x**2)),
    ("gram_blurred", lambda x: gram_of(x, blurred(x))),
    (
      "gram_adjacent",
      lambda x: np.stack([gram_of(x, moved(x, *p)) for p in ((1, 0), (0, 1))]),
    ),
    ("gram_cube", cube),
  ],
)
def test_it_is_the_distance_of_the_products(name, describe):
  painted, style = map(toy.extract_float64, (toy.PHOTOGRAPH, STYLE))
  expected = sum(
    weight * np.mean((describe(painted[tap][0]) - describe(style[tap][0])) ** 2)
    for tap, weight in WEIGHTS.items()
  )
  term = registry.style(
    name,
    taps=toy.LAYERS,
    layer_weights=tuple(WEIGHTS.values()),
    normalize="hwc",
  )
  assert toy.style_loss(term, [STYLE]) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("order", [1, -1])
def test_a_chain_repeats_the_coarser_layer(order):
  taps = toy.LAYERS[::order]

  def describe(image):
    features = toy.extract_float64(image)
    coarse = features["coarse"][0].repeat(2, axis=0).repeat(2, axis=1)
    layers = {"fine": features["fine"][0], "coarse": coarse}
    return gram_of(*(layers[tap] for tap in taps))

  expected = 3 * np.mean((describe(toy.PHOTOGRAPH) - describe(STYLE)) ** 2)
  term = gram_variants.Chain(taps=taps, layer_weights=(1.0, 3.0))
  assert toy.style_loss(term, [STYLE]) == pytest.approx(expected, rel=1e-4)


def test_a_chain_of_one_layer_is_refused():
  term = gram_variants.Chain(taps=("fine",), layer_weights=(1.0,))
  with pytest.raises(ValueError, match="at least two layers"):
    toy.style_loss(term, [STYLE])
