"""STROTSS against scipy in float64."""

import numpy as np
import pytest
from scipy.spatial import distance

from astgan.nst import objective, regions
from astgan.nst.terms import sampled, transport
from tests.nst import toy

STYLE = toy.draw(1, 10, 4, 3, seed=5) ** 2
WEIGHTS = {"fine": 0.5, "coarse": 2.0}
LAYERS = {"taps": toy.LAYERS, "layer_weights": tuple(WEIGHTS.values())}


def samples(images):
  """[n c] at the sampled positions, by layer."""
  return {
    layer: values[0][tuple(regions.sample(values.shape[1:3], sampled.SIZE).T)]
    for layer, values in toy.extract_float64(images).items()
  }


def test_relaxed_emd_is_the_larger_of_two_means_of_nearest_distances():
  one, other, expected = samples(toy.PHOTOGRAPH), samples(STYLE), 0.0
  for layer, weight in WEIGHTS.items():
    costs = distance.cdist(one[layer], other[layer], "cosine")
    expected += weight * max(costs.min(0).mean(), costs.min(1).mean())
  actual = toy.style_loss(transport.RelaxedEMD(**LAYERS), [STYLE])
  assert actual == pytest.approx(expected, rel=1e-3)


def test_self_similarity_compares_normalised_distances():
  photograph, expected = toy.PHOTOGRAPH**2, 0.0
  one, other = samples(toy.PHOTOGRAPH), samples(photograph)
  for layer, weight in WEIGHTS.items():
    ours, theirs = (
      distance.cdist(rows[layer], rows[layer], "cosine")
      for rows in (one, other)
    )
    difference = ours / ours.sum(0) - theirs / theirs.sum(0)
    expected += weight * np.abs(difference).sum(0).mean()
  item = objective.Item("content", 1.0, transport.SelfSimilarity(**LAYERS))
  target = objective.Objective(toy.Network(), (item,))
  shape = toy.PHOTOGRAPH.shape[1:]
  targets = objective.Targets(
    content=target.features(toy.PARAMS, photograph),
    items=(None,),
    everywhere=regions.make(target, toy.PARAMS, shape),
  )
  loss, _ = target(toy.PHOTOGRAPH, toy.PARAMS, targets)
  assert float(loss) == pytest.approx(expected, rel=1e-3)
