"""Compositions: what each kind of landscape shows, from far to near."""

import collections

import numpy as np

from astgan.data.landscapes import figures, scenery, trees
from astgan.data.landscapes.scene import Scene, look_up, x, y

# The share of the landscapes; the range of the horizon from the upper edge; the
# probability and the height of mountains; the probabilities of a forest, trees
# in front and boats; the number of groups of trees and how near they stand; the
# kinds of mountains if not those of the land.
Composition = collections.namedtuple(
  "Composition",
  "share horizon mountains height forest front boats groups near kinds",
  defaults=[0, 4, 0.25, ""],
)
PEAKS, COAST = "alps alps peak", "headland headland hills peak"
COMPOSITIONS = {
  "sea": Composition(0.18, (0.28, 0.72), 0.5, 0.3, 0, 0.1, 0.8, 0, 0, COAST),
  "lake": Composition(0.18, (0.35, 0.62), 0.85, 0.35, 0.6, 0.5, 0.4, 3, 0),
  "river": Composition(0.13, (0.28, 0.55), 0.6, 0.3, 0.6, 0.5),
  "meadow": Composition(0.11, (0.35, 0.75), 0.6, 0.25, 0.6, 0.6),
  "crops": Composition(0.1, (0.25, 0.5), 0.6, 0.25, 0.6, 0.35),
  "avenue": Composition(0.08, (0.35, 0.65), 0.5, 0.2, 0.6, 0),
  "wood": Composition(0.08, (0.4, 0.65), 0.4, 0.2, 1, 0, 0, 9, 0.6),
  "peaks": Composition(0.14, (0.55, 0.75), 1, 0.55, 1, 0.4, 0, 4, 0.2, PEAKS),
}


def compose(rng: np.random.Generator, style, light, land) -> Scene:
  """A landscape of one of the kinds, with all its strokes."""
  shares = [row.share for row in COMPOSITIONS.values()]
  kind = rng.choice([*COMPOSITIONS], p=shares)
  row = COMPOSITIONS[kind]
  scene = Scene(rng, style, light, land, rng.uniform(*row.horizon))
  scenery.sky(scene)
  if scene.light.body and rng.random() < 0.8:
    figures.sun(scene)
  if rng.random() < 0.35:
    figures.clouds(scene)
  if rng.random() < row.mountains:
    rock = rng.choice((row.kinds or scene.land.mountains).split())
    count = 1 if kind == "sea" else rng.integers(1, 4)
    scenery.mountains(scene, rock, count, row.height * rng.uniform(0.5, 1))
  if rng.random() < row.forest:
    scenery.forest(scene, rng.uniform(0.03, 0.12))
  if rng.random() < 0.3:
    scenery.mist(scene)
  way = np.zeros_like(scene.wet)
  if kind in ("sea", "lake"):
    scenery.water(scene, y > scene.horizon, 0.7 if kind == "sea" else 0.3)
    # A shore below the lower edge is out of sight.
    shore = rng.uniform(0.75, 1.15) + rng.uniform(-0.3, 0.3) * (x[0] - 0.5)
    shore += 0.05 * scene.skyline(2, octaves=4)
    scenery.ground(scene, shore)
  else:
    scenery.ground(scene, scene.horizon, furrows=kind == "crops")
  if kind == "river":
    way, middle = scenery.course(scene, rng.uniform(0.14, 0.42))
    scenery.water(scene, way, 0.3)
  elif kind == "avenue" or (kind == "wood" and rng.random() < 0.5):
    way, middle = scenery.course(scene, rng.uniform(0.07, 0.18))
    earth = scene.lit(scene.land.earth, 0.8)
    scene.lay(way, scene.hazed(earth, 0.4 * (1 - scene.nearness) ** 3), 0.2)
  scene.cover()
  dry = (y > scene.horizon) & ~scene.wet & ~way

  if scene.light.body or rng.random() < 0.2:
    figures.glints(scene)
  near = rng.uniform(0.02, 0.2)
  place = rng.uniform(0.1, 0.9), scene.ground_y(near)
  if rng.random() < 0.45 and look_up(dry, *place):
    figures.houses(scene, *place, 0.035 + 0.35 * near)
  shore = scene.ground_y(0.02) if kind == "lake" else 2.0
  trees.groups(scene, row.groups, row.near, shore)
  if kind == "avenue":
    near = np.geomspace(0.04, rng.uniform(0.35, 0.7), rng.integers(4, 8))
    place = np.interp(scene.ground_y(near), y[:, 0], middle)
    off = rng.uniform(0.25, 0.4) * (near + 0.04)
    place, near = np.append(place - off, place + off), np.tile(near, 2)
    trees.plant(scene, place, near, np.full(len(near), rng.uniform(1.4, 2.6)))
  if rng.random() < row.boats:
    figures.boats(scene)
  figures.meadow(scene, dry)
  if rng.random() < row.front:
    trees.foreground(scene)
  return scene
