import numpy as np
import pytest

from astgan.data.atelier import (
  canvas,
  palettes,
  scenery,
  staffage,
  subjects,
  trees,
)


def landscape(light="noon", land="spring", sun=(0.7, 0.2)):
  manner = palettes.MANNERS["impressionist"]
  return canvas.Scene(
    np.random.default_rng(0),
    manner,
    palettes.LIGHTS[light],
    palettes.LANDS[land],
    0.5,
    sun,
  )


def test_the_shares_of_the_subjects_add_up_to_one():
  shares = [share for _, share, _ in subjects.SUBJECTS]
  np.testing.assert_allclose(sum(shares), 1.0)


@pytest.mark.parametrize("subject", [row[0] for row in subjects.SUBJECTS])
@pytest.mark.parametrize("land", palettes.LANDS)
def test_every_subject_can_be_painted_in_every_land(subject, land):
  picture = landscape(light="gold", land=land)
  subjects.heavens(picture)
  subject(picture)
  rows = np.concatenate(picture.layers)
  assert len(rows) > 800
  assert np.isfinite(rows).all()


@pytest.mark.parametrize("light", palettes.LIGHTS)
def test_every_light_makes_a_sky_that_is_lighter_than_black(light):
  picture = landscape(light=light)
  subjects.heavens(picture)
  assert picture.colour.min() > 0
  assert picture.colour.max() <= 1


@pytest.mark.parametrize("name", palettes.MANNERS)
def test_a_manner_names_lights_and_lands_that_exist(name):
  manner = palettes.MANNERS[name]
  assert set(manner.lights) <= set(palettes.LIGHTS)
  assert set(manner.lands) <= set(palettes.LANDS)


@pytest.mark.parametrize("kind", [*trees.CROWNS, "bare", "conifer"])
def test_a_tree_stands_on_its_foot_and_is_as_tall_as_asked(kind):
  foot, tall = np.array([0.8]), np.array([0.5])
  x = np.array([0.5])
  rows = trees.trees(landscape(), kind, x, foot, tall, count=30)
  top = rows[:, 1].min()
  assert 0.8 - 1.15 * 0.5 < top < 0.8 - 0.55 * 0.5
  assert rows[:, 1].max() < 0.83


def test_a_mirror_image_lies_as_far_below_the_shore_as_its_object_above():
  picture = landscape()
  rows = staffage.houses(picture, 0.5, 0.5, 0.1)
  image = staffage.reflected(picture, rows, 0.6)
  np.testing.assert_allclose(image[:, 1] - 0.6, 0.6 - rows[:, 1], rtol=1e-5)


def test_ground_is_as_near_as_the_foot_that_stands_on_it():
  picture = landscape()
  near = np.array([0.1, 0.5, 1.0])
  np.testing.assert_allclose(picture.nearness(picture.foot(near)), near)


def test_far_things_take_the_colour_of_the_lower_sky():
  picture = landscape()
  # noon: 0.6 x horizon (214, 224, 216) + 0.4 x middle (144, 184, 214).
  air = np.array([186.0, 208.0, 215.2]) / 255
  np.testing.assert_allclose(picture.hazed(np.zeros(3), 1.0), air, rtol=1e-5)


def test_a_lake_mirrors_the_sky_over_it():
  picture = landscape(sun=(0.7, 0.1))
  picture.colour[:64] = (0.2, 0.4, 0.8)
  scenery.water(picture, canvas.y > 0.5, waves=0.0)
  sky, lake = picture.colour[:64].mean((0, 1)), picture.colour[64:].mean((0, 1))
  assert np.abs(sky - lake).max() < 0.15
