"""A margin that is painted around a painting, and cut off."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan import nst
from astgan.data import images
from astgan.features import weights
from astgan.nst import description, margin, optimize, styles, stylize
from tests.nst import toy

FIELDS = {
  "style_layers": ("relu1_1", "relu2_1"),
  "style_layer_weights": (),
  "style_weight": 1e3,
  "content_layers": ("relu2_1",),
  "coarsest": 0,
  "steps": 3,
}
WIDTH = 8


def test_a_margin_is_a_mirror_image_and_is_cut_off():
  image = jnp.asarray([[1, 2, 3], [4, 5, 6]], jnp.float32)[None, :, :, None]
  extended = margin.extend(image, 1)
  expected = [
    [1, 1, 2, 3, 3],
    [1, 1, 2, 3, 3],
    [4, 4, 5, 6, 6],
    [4, 4, 5, 6, 6],
  ]
  np.testing.assert_array_equal(extended[0, :, :, 0], expected)
  np.testing.assert_array_equal(margin.cut(extended, 1), image)
  np.testing.assert_array_equal(margin.cut(image, 0), image)


def test_a_mask_is_as_large_as_the_image_with_its_margin():
  mask = np.asarray([[0.0, 1.0]], "float32")
  extended = margin.extend_mask(mask, (4, 8), 2)
  assert extended.shape == (8, 12)
  np.testing.assert_allclose(extended[:, :2], 0)
  np.testing.assert_allclose(extended[:, -2:], 1)


def paint(photograph, *, size, width, style_of=None):
  """A painting, and the style that it was painted in."""
  recipe = nst.make(**FIELDS, size=size, margin=width)
  params = weights.load("vgg19", "random")
  if style_of is None:
    group = styles.Arrays([np.asarray(toy.draw(48, 48, 3, seed=1)) ** 3], 48)
    style = description.describe(recipe, params, [group])
  else:
    style = style_of._replace(targets={size: style_of.targets[64]})
  painting = optimize.paint_one(
    *(jax.random.key(0), photograph),
    recipe=recipe,
    params=params,
    style=style,
  )
  return painting, style


def test_a_painting_with_a_margin_is_the_middle_of_a_larger_one():
  photograph = toy.draw(1, 48, 64, 3)
  painted, style = paint(photograph, size=64, width=WIDTH)
  assert painted.shape == photograph.shape
  larger, _ = paint(
    margin.extend(photograph, WIDTH), size=80, width=0, style_of=style
  )
  np.testing.assert_array_equal(painted, margin.cut(larger, WIDTH))
  without, _ = paint(photograph, size=64, width=0)
  assert np.abs(np.asarray(painted) - np.asarray(without)).max() > 1e-3


def test_a_next_size_begins_with_the_middle_of_the_one_before():
  recipe = nst.make(**(FIELDS | {"coarsest": 32}), size=64, margin=WIDTH)
  optimizer = recipe.optimizer
  inner = jnp.broadcast_to(jnp.linspace(0, 1, 32)[:, None], (1, 24, 32, 3))
  # What lies in the margin of one size is in none of the next.
  state = stylize.init(
    margin.extend(inner, WIDTH) * 0 + 0.5, ("loss",), optimizer=optimizer
  )
  sides = ((0, 0), (WIDTH, WIDTH), (WIDTH, WIDTH), (0, 0))
  average = jnp.pad(inner, sides, constant_values=9.0)
  state = state._replace(average=average, average_weight=jnp.float32(1))
  resized = stylize.resize(state, (48, 64), optimizer=optimizer, width=WIDTH)
  expected = jax.image.resize(inner, (1, 48, 64, 3), "linear")
  np.testing.assert_allclose(
    resized.image, margin.extend(expected, WIDTH), atol=1e-6
  )


@pytest.mark.parametrize("init", ["image", "style"])
def test_an_image_to_start_from_ends_where_the_photograph_does(tmp_path, init):
  ramp = np.linspace(0, 1, 64, dtype="float32")[:, None]
  ramp = np.broadcast_to(ramp, (48, 64, 3))
  images.write(tmp_path / "ramp.png", np.uint8(np.round(ramp * 255)))
  # Losses of no weight change nothing.
  recipe = nst.make(
    **(FIELDS | {"style_weight": 0.0}),
    content_weight=0.0,
    size=64,
    margin=WIDTH,
    init=str(tmp_path / "ramp.png") if init == "image" else "style",
  )
  painted = nst.transfer(
    np.asarray(toy.draw(48, 64, 3)),
    [ramp],
    recipe=recipe,
    params=weights.load("vgg19", "random"),
  )
  np.testing.assert_allclose(painted, ramp, atol=0.01)
