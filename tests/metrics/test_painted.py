"""The numbers of painted pictures: their names, means and formulas."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan.data import paired
from astgan.features import lpips, nets, vgg
from astgan.metrics import painted, style
from tests import pictures

PAIRS = [
  paired.Pair(pictures.noise(32, 48, seed), pictures.noise(32, 48, seed + 1))
  for seed in (0, 2)
]
STYLE = [pictures.noise(32, 48, seed) // 2 for seed in (4, 5)]


@pytest.fixture(scope="module")
def params():
  """Random weights; those of VGG have 2 to 6 channels."""
  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(vgg, "CHANNELS", (2, 3, 4, 5, 6))
    names = ("lpips_vgg16", "lpips_alexnet", "vgg19")
    return {name: nets.init(i, name) for i, name in enumerate(names)}


@pytest.fixture(scope="module")
def measured(params):
  return painted.measure(PAIRS, STYLE, measures=painted.NETS, params=params)


def test_all_pictures_together_have_the_mean_of_each(measured):
  first, second = measured.each
  expected = {name: (first[name] + second[name]) / 2 for name in first}
  found = {name: measured.together[name] for name in first}
  assert found == pytest.approx(expected, rel=1e-12)
  assert measured.together.keys() - first.keys() == {
    "artfid_vgg19_relu5_1_positions"
  }


def test_style_distances_stand_under_their_measure_and_layer(measured, params):
  first, _ = measured.each
  found = style.compare(params["vgg19"], [PAIRS[0].painted], STYLE)
  assert first["gram_vgg19_relu2_1"] == pytest.approx(found.each[0, 0, 1])
  assert first["wasserstein_vgg19_relu4_1_group"] == pytest.approx(
    found.group[0, 1, 3]
  )


@pytest.mark.parametrize("net", painted.LPIPS)
def test_lpips_is_that_of_each_picture_to_its_photograph(measured, params, net):
  photographs, pictures = (
    jnp.stack([jnp.asarray(image) for image in side]).astype("float32") / 255
    for side in zip(*PAIRS, strict=True)
  )
  expected = jax.jit(lpips.distance)(params[net], photographs, pictures)
  found = [one[net] for one in measured.each]
  np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_artfid_follows_the_formula_of_the_paper(measured, params):
  together = measured.together
  images = [pair.painted for pair in PAIRS]
  pooled = style.compare(params["vgg19"], images, STYLE).pooled
  expected = (1 + together["lpips_alexnet"]) * (1 + pooled)
  found = together["artfid_vgg19_relu5_1_positions"]
  assert found == pytest.approx(expected, rel=1e-6)


def test_colours_by_hand():
  def grey(*rows):
    return np.repeat(np.array(rows, np.uint8)[:, None, None], 3, axis=2)

  pairs = [paired.Pair(grey(0, 0, 0, 255), grey(0, 100, 200, 255))]
  numbers, _ = painted.measure(
    pairs, [grey(0, 0), grey(0, 100, 200, 200)], measures=["colours"], params={}
  )
  # The style is 5/8 black, 1/8 and 2/8 of two greys.
  assert numbers == {"colours_content": 0.5, "colours_style_group": 0.375}


def test_what_is_not_asked_for_is_not_there(params):
  nets = {name: params[name] for name in painted.NETS["artfid"]}
  found = painted.measure(PAIRS, STYLE, measures=["artfid"], params=nets)
  assert list(found.together) == ["artfid_vgg19_relu5_1_positions"]
