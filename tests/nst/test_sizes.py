"""Sizes of a painting, and the memory that it needs."""

import math

import pytest

from astgan import errors
from astgan.nst import network, objective, recipe, sizes, tiles

NETWORK = network.Network()


def test_the_pyramid_grows_by_the_square_root_of_two():
  assert sizes.pyramid(512, 128) == (128, 181, 256, 362, 512)
  # The nearest number of levels, ending at the size asked for.
  assert sizes.pyramid(300, 128) == (150, 212, 300)
  assert sizes.pyramid(300, 0) == sizes.pyramid(300, 300) == (300,)


# Kernels of 3 reach s pixels in the block of stride s: two convolutions of
# blocks 1 and 2 before those of block 3.
@pytest.mark.parametrize(
  ("tap", "stride", "reach"),
  [("relu1_1", 1, 1), ("pool1", 2, 2), ("conv3_1", 4, 2 + 4 + 4)]
  + [("relu5_1", 16, 2 + 4 + 16 + 32 + 16)],
)
def test_a_layer_sees_what_its_convolutions_reach(tap, stride, reach):
  assert NETWORK.geometry(tap) == (stride, reach)


def choose(shape, available, tile=0):
  made = recipe.make()
  return sizes.choose(
    made.objective(),
    shape,
    optimizer=made.optimizer,
    tile=tile,
    available=available,
  )


def test_a_painting_is_tiled_where_memory_is_short():
  assert isinstance(choose((256, 256), 2**32), objective.Whole)
  tiled = choose((2048, 2048), 3 * 2**30)
  assert isinstance(tiled, tiles.Tiled)
  assert tiled.side in sizes.TILES
  assert choose((256, 256), 2**32, tile=64).side == 64


def test_tiles_that_do_not_fit_are_refused():
  assert choose((2048, 2048), 3 * 2**30, tile=128).side == 128
  with pytest.raises(errors.UserError, match=r"paint\.tile=2048"):
    choose((2048, 2048), 3 * 2**30, tile=2048)


def test_a_size_that_fits_no_tiles_is_refused_with_the_largest_that_does():
  with pytest.raises(errors.UserError, match=r"paint\.size=9000") as caught:
    choose((9000, 6000), 2**31)
  largest = int(str(caught.value).rsplit(" ", 1)[1])
  assert isinstance(choose((largest, largest * 2 // 3), 2**31), tiles.Tiled)
  assert largest > 1000 and math.isfinite(largest)
