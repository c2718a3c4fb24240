"""Weights of positions, and samples of them."""

import numpy as np
import pytest
from PIL import Image

from astgan import errors
from astgan.data import images
from astgan.nst import regions
from tests.nst import toy

SHAPE = (8, 6, 3)


def test_a_position_of_a_deeper_layer_weighs_what_its_pixels_do():
  mask = np.zeros((8, 6), "float32")
  mask[0, :3] = 1
  region = regions.make(toy.make_objective(), toy.PARAMS, SHAPE, mask)
  np.testing.assert_array_equal(region.weights["image"][0, :, :, 0], mask)
  expected = np.zeros((4, 3), "float32")
  expected[0, :2] = 0.5, 0.25
  np.testing.assert_array_equal(region.weights["coarse"][0, :, :, 0], expected)


def test_a_position_has_the_pixels_that_poolings_leave_it():
  # Three halvings of 31 rows leave 3 positions of 8 pixels, and drop 7 rows.
  mask = np.zeros((31, 16), "float32")
  mask[8:16] = 1
  np.testing.assert_array_equal(
    regions.reduce(mask, (3, 2)), np.float32([[0, 0], [1, 1], [0, 0]])
  )


def test_shares_of_regions_are_those_of_their_masks():
  one, other = np.zeros((8, 6), "float32"), np.ones((8, 6), "float32")
  one[:2] = 1
  split = regions.split(toy.make_objective(), toy.PARAMS, SHAPE, [one, other])
  assert [float(region.share) for region in split] == pytest.approx([0.2, 0.8])


def test_a_mask_that_vanishes_in_a_layer_is_refused():
  objective, empty = toy.make_objective(), np.zeros((8, 6), "float32")
  with pytest.raises(errors.UserError, match="style_masks: a mask covers no"):
    regions.make(objective, toy.PARAMS, SHAPE, empty)
  with pytest.raises(errors.UserError, match="masks: number 2 covers no"):
    regions.split(objective, toy.PARAMS, SHAPE, [empty + 1, empty])


def test_samples_are_drawn_in_proportion_to_their_weights():
  weights = np.zeros((4, 5))
  weights[1, 2], weights[3, 0] = 1, 3
  drawn = regions.sample((4, 5), 400, weights).tolist()
  assert drawn.count([1, 2]) == 100 and drawn.count([3, 0]) == 300


def test_samples_without_weights_are_spread_evenly():
  drawn = regions.sample((20, 30), 600)
  assert len(np.unique(drawn, axis=0)) > 350
  assert [sum(drawn[:, 0] // 5 == part) for part in range(4)] == [150] * 4


@pytest.fixture
def masks(tmp_path):
  for name, value in (("grey", 51), ("black", 0)):
    pixels = np.full((4, 4, 3), value, np.uint8)
    images.write(tmp_path / f"{name}.png", pixels)
  return tmp_path


def test_a_mask_file_is_its_brightness(masks):
  (mask,) = regions.masks_of("any", [str(masks / "grey.png")], (8, 8))
  np.testing.assert_allclose(mask, np.full((4, 4), 0.2, "f"), rtol=1e-6)


def test_what_is_transparent_in_a_mask_is_black(tmp_path):
  pixels = np.zeros((16, 4, 4), np.uint8)
  pixels[4:8] = (255, 255, 255, 255)
  pixels[8:12] = (255, 255, 255, 51)
  pixels[12:] = (0, 0, 0, 255)
  path = tmp_path / "layer.png"
  Image.fromarray(pixels).save(path)
  mask = regions.read(str(path))
  np.testing.assert_allclose(
    mask[:, 0], np.repeat([0, 1, 0.2, 0], 4), atol=4e-3
  )


def test_a_folder_has_a_mask_for_each_photograph_by_its_name(masks):
  (mask,) = regions.masks_of("grey", [str(masks)], (64, 64))
  assert mask[0, 0] == pytest.approx(0.2)
  with pytest.raises(errors.UserError, match="0 masks named pier"):
    regions.masks_of("pier", [str(masks)], (64, 64))


def test_a_mask_of_other_proportions_is_refused(masks):
  paths = [str(masks / "grey.png")]
  # A pixel is what rounding to a size may cost.
  assert regions.masks_of("any", paths, (63, 64))
  with pytest.raises(errors.UserError, match="4x4 pixels instead of 64x48"):
    regions.masks_of("any", paths, (48, 64))


def test_a_folder_of_masks_is_listed_once(masks, monkeypatch):
  images.write(masks / "black.png", np.full((4, 4, 3), 9, np.uint8))
  listed, find = [], images.find
  monkeypatch.setattr(images, "find", lambda x: listed.append(x) or find(x))
  regions.check({"grey": (64, 64), "black": (64, 64)}, [str(masks)])
  assert listed == [masks]


def test_a_black_mask_is_refused(masks):
  with pytest.raises(errors.UserError, match="black everywhere"):
    regions.read(str(masks / "black.png"))
