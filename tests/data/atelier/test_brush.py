import numpy as np

from astgan.data.atelier import brush

GREY = np.full((128, 128, 3), 0.5, np.float32)


def painted(*rows, side=256):
  rng = np.random.default_rng(0)
  return brush.paint(rng, GREY, np.concatenate(rows), side)


def test_a_stroke_covers_its_centre_and_nothing_far_from_it():
  red = brush.strokes(0.25, 0.75, 0.2, 0.1, 0.0, (1.0, 0.0, 0.0))
  picture = painted(red).astype(int)
  # Relief and grain move a colour by at most 11 of 255.
  np.testing.assert_allclose(picture[192, 64], [255, 0, 0], atol=11)
  np.testing.assert_allclose(picture[64, 192], [127, 127, 127], atol=11)


def test_a_stroke_runs_along_its_angle_clockwise_from_the_x_axis():
  # 45 degrees: from the upper left to the lower right.
  white = brush.strokes(0.5, 0.5, 0.8, 0.04, np.pi / 4, (1.0, 1.0, 1.0))
  picture = painted(white).mean(-1)
  along = picture[96, 96], picture[144, 144]
  across = picture[96, 160], picture[160, 96]
  assert min(along) > 200
  assert max(across) < 150


def test_a_later_stroke_lies_over_an_earlier_one():
  red = brush.strokes(0.5, 0.5, 0.4, 0.4, 0.0, (1.0, 0.0, 0.0))
  blue = brush.strokes(0.5, 0.5, 0.2, 0.2, 0.0, (0.0, 0.0, 1.0))
  assert painted(red, blue)[128, 128, 2] > 200
  assert painted(blue, red)[128, 128, 0] > 200


def test_numbers_and_arrays_make_as_many_strokes_as_they_broadcast_to():
  x = np.linspace(0, 1, 5)
  rows = brush.strokes(x, 0.5, 0.1, 0.1, 0.0, np.ones((3, 1, 3)))
  assert rows.shape == (15, 8)
  assert rows.dtype == np.float32


def test_strokes_cover_only_the_part_asked_for_in_its_own_colours():
  picture = GREY.copy()
  picture[:64] = (0.2, 0.4, 0.8)
  upper = np.zeros((128, 128), bool)
  upper[:64] = True
  rows = brush.cover(
    np.random.default_rng(0),
    picture,
    np.zeros((128, 128), np.float32),
    upper,
    length=0.06,
    width=0.02,
    broken=0.0,
  )
  assert rows[:, 1].max() < 0.5
  np.testing.assert_allclose(
    rows[:, 5:], np.tile([0.2, 0.4, 0.8], (len(rows), 1)), atol=1e-6
  )


def test_a_heap_of_dabs_is_lit_on_the_side_of_the_light():
  at = np.array([0.5])
  light, dark = np.ones((1, 3)), np.zeros((1, 3))
  rows = brush.dabs(
    np.random.default_rng(0), at, at, 0.2 * at, 0.2 * at, 400, light, dark,
    (1.0, 0.0), size=0.3, angle=0.0,
  )  # fmt: skip
  right = rows[:, 0] > 0.5
  assert rows[right, 5].mean() > rows[~right, 5].mean() + 0.2
