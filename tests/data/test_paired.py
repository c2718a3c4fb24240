"""Photographs and paintings: by stem, in one shape, or refused."""

import pathlib

import numpy as np
import pytest

from astgan import errors
from astgan.data import images, paired
from tests import pictures

SIDES = {"longer_side": 48, "min_side": 16}


def paths(*names):
  return [pathlib.Path(name) for name in names]


def write(path, *sides):
  images.write(path, pictures.noise(*sides))
  return path


def test_paintings_go_with_the_photographs_of_their_stems():
  photographs = paths("a.jpg", "b.jpg", "c.jpg", "c.png")
  found = paired.match(photographs, paths("x/b.png", "x/a.png"))
  assert found == {
    "b": tuple(paths("b.jpg", "x/b.png")),
    "a": tuple(paths("a.jpg", "x/a.png")),
  }


@pytest.mark.parametrize(
  ("photographs", "paintings", "line"),
  [
    (
      ["a.jpg"],
      ["b.png"],
      "b.png: no photograph is called b; add it or rename",
    ),
    (["a.jpg", "a.png"], ["x/a.png"], "a.jpg and a.png share a name; rename"),
    (["a.jpg"], ["x/a.png", "y/a.png"], "x/a.png and y/a.png share a name"),
  ],
)
def test_what_makes_no_pair_is_refused(photographs, paintings, line):
  with pytest.raises(errors.UserError, match=line):
    paired.match(paths(*photographs), paths(*paintings))


def test_a_pair_has_the_shape_of_the_photograph_at_that_size(tmp_path):
  photograph = write(tmp_path / "photograph.png", 60, 100)
  painting = write(tmp_path / "painting.png", 31, 50)  # 30 but for rounding.
  pair = paired.read(photograph, painting, **SIDES)
  expected = images.fit(images.read(photograph), 48)
  np.testing.assert_array_equal(pair.photograph, expected, strict=True)
  expected = images.resize(images.read(painting), 29, 48)
  np.testing.assert_array_equal(pair.painted, expected, strict=True)


@pytest.mark.parametrize(
  ("photograph", "painting", "line"),
  [
    ((60, 100), (32, 50), "has 50 x 32 pixels, but .* has 50 x 30; name the"),
    ((60, 100), (100, 60), "has 60 x 100 pixels, but .* has 100 x 60"),
    ((20, 100), (20, 100), "its shorter one has 10 pixels, 16 are needed"),
  ],
)
def test_other_shapes_are_refused(tmp_path, photograph, painting, line):
  photograph = write(tmp_path / "photograph.png", *photograph)
  painting = write(tmp_path / "painting.png", *painting)
  with pytest.raises(errors.UserError, match=line):
    paired.read(photograph, painting, **SIDES)
