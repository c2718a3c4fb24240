"""Held-out images: near-duplicates stay together."""

import numpy as np
import pytest
from PIL import Image

from astgan import errors
from astgan.data import held_out, images
from tests import pictures

SIDE = 32


def noise(count, seed=0):
  """Images of 16x16 random colours each, so that thumbnails differ."""
  draws = np.random.default_rng(seed)
  coarse = draws.integers(0, 256, (count, 16, 16, 3), np.uint8)
  return coarse.repeat(SIDE // 16, 1).repeat(SIDE // 16, 2)


def sides_of(array, share=0.4):
  """Whether each image is held out."""
  return np.isin(np.arange(len(array)), held_out.split(array, share).held_out)


def groups_of(array):
  digests = [image.tobytes() for image in array]
  return held_out.group(array, digests)


def test_a_share_of_zero_holds_nothing_out():
  sides = held_out.split(noise(5), 0)
  assert (sides.training.tolist(), len(sides.held_out)) == ([*range(5)], 0)


def test_every_image_is_on_one_side_and_the_share_holds_roughly():
  sides = held_out.split(noise(500), 0.2)
  both = np.concatenate(sides)
  np.testing.assert_array_equal(np.sort(both), np.arange(500), strict=True)
  # Binomial: 100 with a standard deviation of 9.
  assert 70 < len(sides.held_out) < 130


def test_a_side_depends_neither_on_the_order_nor_on_other_images():
  array = noise(60)
  sides = sides_of(array)
  order = np.random.default_rng(1).permutation(60)
  np.testing.assert_array_equal(sides_of(array[order]), sides[order])
  more = np.concatenate([noise(30, seed=2), array])
  np.testing.assert_array_equal(sides_of(more)[30:], sides)


def alter(image, how):
  """The image darker, in grey, blurred or mirrored."""
  if how == "darker":
    return (image * 0.6).astype(np.uint8)
  if how == "mirrored":
    return image[:, ::-1]
  if how == "grey":
    grey = Image.fromarray(image).convert("L").convert("RGB")
    return np.asarray(grey)
  return images.resize(images.resize(image, 16, 16), SIDE, SIDE)


@pytest.mark.parametrize("how", ["darker", "grey", "blurred", "mirrored"])
def test_altered_copies_are_on_the_side_of_their_original(how):
  array = noise(40)
  copies = np.stack([alter(image, how) for image in array])
  sides = sides_of(np.concatenate([array, copies]))
  np.testing.assert_array_equal(sides[:40], sides[40:], strict=True)
  assert 0 < sides.sum() < 80


def test_equal_images_without_any_edge_are_one_group():
  flat = np.full((4, SIDE, SIDE, 3), 7, np.uint8)
  flat[3] = 9
  np.testing.assert_array_equal(groups_of(flat), [0, 0, 0, 3])


def test_what_all_landscapes_share_does_not_make_them_near():
  # The same sky over the same land, other things on it.
  array = noise(20) // 4
  array[:, : SIDE // 2] += 190
  assert len(set(groups_of(array).tolist())) == 20


def test_groups_are_those_of_all_pairs_across_chunks(monkeypatch):
  array = noise(30)
  array[25] = alter(array[3], "darker")
  array[11] = alter(array[25], "grey")
  array[12] = alter(array[29], "mirrored")
  whole = groups_of(array)
  monkeypatch.setattr(held_out, "CHUNK", 7)
  np.testing.assert_array_equal(groups_of(array), whole, strict=True)
  assert len({*whole[[3, 11, 25]]}) == 1 and whole[12] == whole[29]
  assert len({*whole.tolist()}) == 27


def test_a_group_of_many_is_held_out_as_often_as_one_image():
  # 200 groups of four equal images.
  sides = sides_of(noise(200).repeat(4, axis=0), share=0.2)
  assert 20 < sides.sum() / 4 < 60


def test_an_image_near_to_a_mirrored_one_is_not_in_its_group():
  draws = np.random.default_rng(0)
  image = draws.integers(-60, 60, (SIDE, SIDE, 1)).repeat(3, axis=2)
  other = draws.integers(-60, 60, (SIDE, SIDE, 1)).repeat(3, axis=2)
  # By half: the cosine is 0.7, which makes near-duplicates of unmirrored ones.
  halfway = np.stack([image, (image + other) / 1.4]) + 128
  array = halfway.clip(0, 255).astype(np.uint8)
  assert len({*groups_of(array)}) == 1
  array[1] = array[1, :, ::-1]
  assert len({*groups_of(array)}) == 2


@pytest.mark.parametrize(
  ("share", "at_least", "told"),
  [(1e-6, 1, "holds out none of 20"), (0.5, 16, "fewer than a batch of 16")],
)
def test_a_side_with_too_few_images_is_refused(share, at_least, told):
  with pytest.raises(errors.UserError, match=told) as caught:
    held_out.split(noise(20), share, at_least=at_least)
  assert f"config.data.hold_out={share}" in str(caught.value)
  assert "\n" not in str(caught.value)


@pictures.needs_shared
def test_few_paintings_are_near_duplicates():
  files = images.find(pictures.SHARED / "paintings" / "monet")
  squares = [images.centre_square(images.read(file)) for file in files]
  array = np.stack([images.resize(square, 64, 64) for square in squares])
  sizes = np.unique(groups_of(array), return_counts=True)[1]
  assert 5 <= np.sum(sizes > 1) <= 20 and sizes.max() <= 6
