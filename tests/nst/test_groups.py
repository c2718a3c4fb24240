"""Means and variances of the descriptions of a group."""

import numpy as np
import pytest

from astgan.nst import groups, objective, tiles
from tests.nst import toy

STYLE = toy.make_style()
IMAGES = [np.asarray(toy.draw(8, 6, 3, seed=seed)) for seed in range(5)]


def describe(images, *, measure=None, weights=None, masks=None):
  group = groups.Group(toy.PARAMS, measure or objective.Whole(STYLE))
  weights, masks = weights or [1.0] * 9, masks or [None] * 9
  for image, weight, mask in zip(images, weights, masks, strict=False):
    group.add(image, weight=weight, mask=mask)
  (target,) = group.targets()
  return target


def close(one, other, rtol=1e-5):
  for layer in toy.LAYERS:
    for part in ("mean", "variance"):
      np.testing.assert_allclose(
        getattr(one, part)[layer],
        getattr(other, part)[layer],
        rtol=rtol,
        strict=True,
      )


def test_the_variance_of_almost_equal_images_does_not_cancel():
  images = [IMAGES[0] * np.float32(factor) for factor in (1, 1.0001, 0.9999)]
  # From the same float32 Gram matrices.
  grams = np.stack([describe([image]).mean["fine"] for image in images])
  expected = np.mean(np.var(grams.astype("float64"), axis=0))
  np.testing.assert_allclose(
    describe(images).variance["fine"], np.float32(expected), rtol=1e-5
  )


def test_a_weight_of_three_is_an_image_three_times():
  one, other = IMAGES[:2]
  close(
    describe([one, other], weights=[3.0, 1.0]), describe([one] * 3 + [other])
  )


def test_images_of_different_shapes_are_one_group():
  other = np.asarray(toy.draw(4, 10, 3, seed=7))
  mixed = describe([IMAGES[0], other, IMAGES[1]])
  close(mixed, describe([other, *IMAGES[:2]]))


def test_a_mask_of_the_left_half_describes_the_left_half():
  mask = np.zeros((8, 6), "float32")
  mask[:, :4] = 1
  masked = describe([IMAGES[0]], masks=[mask])
  close(masked, describe([IMAGES[0][:, :4]]))


def test_tiles_describe_the_same():
  close(describe(IMAGES, measure=tiles.Tiled(STYLE, 2)), describe(IMAGES))


def test_a_group_of_nothing_is_refused():
  with pytest.raises(ValueError, match="at least one image"):
    describe([])
