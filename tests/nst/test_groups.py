"""Means and variances of the descriptions of a group."""

import jax.numpy as jnp
import numpy as np
import pytest

from astgan.nst import groups, objective, tiles
from astgan.nst.terms import kernels
from tests.nst import toy

STYLE = toy.make_style()
IMAGES = [np.asarray(toy.draw(8, 6, 3, seed=seed)) for seed in range(5)]


def describe(images, *, measure=None, masks=None):
  group = groups.Group(toy.PARAMS, measure or objective.Whole(STYLE))
  for image, mask in zip(images, masks or [None] * 9, strict=False):
    group.add(image, mask=mask)
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


def test_a_merged_group_has_its_share_however_many_images_it_has():
  merged, other = (
    groups.Group(toy.PARAMS, objective.Whole(STYLE)) for _ in range(2)
  )
  for group, images in ((merged, IMAGES[:1]), (other, IMAGES[1:3])):
    for image in images:
      group.add(image)
  merged.merge(other, 0.4)
  (target,) = merged.targets()
  # The first image has 3 / 5, each of the others 1 / 5.
  close(target, describe([IMAGES[0]] * 3 + IMAGES[1:3]))


def test_images_of_different_shapes_are_one_group():
  other = np.asarray(toy.draw(4, 10, 3, seed=7))
  mixed = describe([IMAGES[0], other, IMAGES[1]])
  close(mixed, describe([other, *IMAGES[:2]]))


def test_a_mask_of_the_left_half_describes_the_left_half():
  mask = np.zeros((8, 6), "float32")
  mask[:, :4] = 1
  masked = describe([IMAGES[0]], masks=[mask])
  close(masked, describe([IMAGES[0][:, :4]]))


def test_pooled_groups_have_rows_by_their_shares():
  """Of images of 1, 2 and 3."""
  term = kernels.Gaussian(taps=("fine",), layer_weights=(1.0,))
  measure = objective.Whole(toy.make_style(term))
  params = {"fine": jnp.eye(3), "coarse": jnp.eye(3)}
  one, others = (groups.Group(params, measure) for _ in range(2))
  for group, value in ((one, 1), (others, 2), (others, 3)):
    group.add(np.full((8, 6, 3), value, "float32"))
  one.merge(others, 0.75)
  ((rows, _, _),) = (target["fine"] for target in one.targets())
  assert (rows == rows[:, :1]).all()
  # Of 1,024 rows the share has a standard deviation of less than 0.016.
  np.testing.assert_allclose(
    np.bincount(np.asarray(rows[:, 0], int))[1:] / len(rows),
    [1 / 4, 3 / 8, 3 / 8],
    atol=0.05,
  )


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
