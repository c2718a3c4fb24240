"""Means and variances of the descriptions of a group."""

import jax.numpy as jnp
import numpy as np
import pytest

from astgan.nst import groups, objective, tiles
from astgan.nst.terms import kernels
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


def rows_of(weights):
  """The rows of a pooled group: images of 1, 2 and 3."""
  term = kernels.Gaussian(taps=("fine",), layer_weights=(1.0,))
  measure = objective.Whole(toy.make_style(term))
  group = groups.Group({"fine": jnp.eye(3), "coarse": jnp.eye(3)}, measure)
  for value, weight in enumerate(weights, start=1):
    group.add(np.full((8, 6, 3), value, "float32"), weight=weight)
  ((rows, _, _),) = (target["fine"] for target in group.targets())
  assert (rows == rows[:, :1]).all()
  return np.bincount(np.asarray(rows[:, 0], int), minlength=4)[1:] / len(rows)


def test_a_pooled_group_has_rows_of_each_image_by_its_weight():
  # Of 1,024 rows the share has a standard deviation of less than 0.016.
  np.testing.assert_allclose(
    rows_of([1.0, 3.0, 4.0]), [1 / 8, 3 / 8, 1 / 2], atol=0.05
  )


def test_an_image_of_weight_zero_leaves_all_rows_to_the_others():
  np.testing.assert_array_equal(rows_of([0.0, 2.0, 0.0]), [0, 1, 0])


def test_tiles_describe_the_same():
  close(describe(IMAGES, measure=tiles.Tiled(STYLE, 2)), describe(IMAGES))


def test_groups_of_equal_terms_share_one_program():
  traced = []

  class Counted(kernels.Mean):
    def target(self, group):
      traced.append(self.taps)
      return super().target(group)

  for _ in range(2):
    term = Counted(taps=("fine",), layer_weights=(1.0,))
    describe(IMAGES[:1], measure=objective.Whole(toy.make_style(term)))
  assert len(traced) == 1


def test_a_group_of_nothing_is_refused():
  with pytest.raises(ValueError, match="at least one image"):
    describe([])
