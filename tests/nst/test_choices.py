"""The images of a style that look most like a photograph."""

import numpy as np
import pytest

from astgan import nst
from astgan.data import images
from astgan.features import weights
from astgan.nst import choices, styles
from tests import pictures


@pytest.fixture(scope="module")
def params():
  return weights.load("vgg19", "random")


def flat(colour, seed):
  """An image of one colour, and a little noise."""
  noise = pictures.noise(48, 64, seed).astype(np.int32) // 16
  return np.uint8(np.clip(np.asarray(colour) + noise, 0, 255))


RED, GREEN, BLUE, DARK_RED = (
  flat(colour, seed)
  for seed, colour in enumerate(
    [(230, 10, 10), (10, 230, 10), (10, 10, 230), (150, 10, 10)]
  )
)


def test_distances_are_in_units_of_the_spread_of_the_style():
  looks = np.asarray([[0, 5, 1], [2, 5, 3], [4, 5, 8]], "float32")
  look = np.asarray([1, 7, 3], "float32")
  # The second channel is the same in all; the others have these deviations.
  first, third = np.sqrt(8 / 3), np.sqrt(26 / 3)
  expected = [
    (1 / first) ** 2 + (2 / third) ** 2,
    (1 / first) ** 2,
    (3 / first) ** 2 + (5 / third) ** 2,
  ]
  actual = choices.distances_to(look, looks)
  np.testing.assert_allclose(actual, expected, rtol=1e-12)


def test_looks_that_are_all_the_same_are_all_as_near():
  looks = np.ones((3, 2), "float32")
  actual = choices.distances_to(np.zeros(2, "float32"), looks)
  np.testing.assert_array_equal(actual, np.zeros(3))


def test_drawn_images_are_chosen_nearest_first(params):
  drawn = np.stack([GREEN, RED, BLUE, DARK_RED])
  style = styles.Generated(drawn, 64, {"digest": "1"})
  chooser = choices.Nearest(params, [style], count=2)
  (chosen,) = chooser.choose(params, flat((225, 12, 12), 9) / np.float32(255))
  np.testing.assert_array_equal(chosen.images, np.stack([RED, DARK_RED]))
  assert chosen.origin == style.origin


def test_unreadable_files_do_not_shift_the_others(params, tmp_path):
  (tmp_path / "0.png").write_bytes(b"not an image")
  for number, image in enumerate([GREEN, RED, BLUE], start=1):
    images.write(tmp_path / f"{number}.png", image)
  style = styles.Files(sorted(tmp_path.iterdir()), 64)
  chooser = choices.Nearest(params, [style], count=1)
  (chosen,) = chooser.choose(params, flat((10, 225, 10), 9) / np.float32(255))
  assert [path.name for path in chosen.paths] == ["1.png"]


def test_each_style_has_its_own_images(params):
  first = styles.Arrays([RED / np.float32(255), GREEN / np.float32(255)], 64)
  second = styles.Arrays([BLUE / np.float32(255)], 64)
  chooser = choices.Nearest(params, [first, second], count=1)
  chosen = chooser.choose(params, flat((10, 225, 10), 9) / np.float32(255))
  np.testing.assert_array_equal(chosen[0].images[0], first.images[1])
  np.testing.assert_array_equal(chosen[1].images[0], second.images[0])


def test_arrays_are_chosen_for_a_caller(params):
  group = [image / np.float32(255) for image in (BLUE, RED, GREEN)]
  photograph = flat((225, 12, 12), 9) / np.float32(255)
  (chosen,) = nst.nearest(photograph, group, count=1, params=params)
  np.testing.assert_array_equal(chosen, group[1])
  assert len(nst.nearest(photograph, group, count=3)) == 3


def test_a_count_of_none_is_refused(params):
  with pytest.raises(ValueError, match="at least 1, not 0"):
    nst.nearest(RED / np.float32(255), [RED / np.float32(255)], count=0)
