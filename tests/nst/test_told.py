"""Painters that are told their style, and what the door refuses."""

import json
from typing import NamedTuple

import flax.linen as nn
import numpy as np
import pytest

from astgan import errors, sampling
from astgan.data import images
from astgan.nst import paint
from astgan.systems import upscalers
from configs import nst
from tests import pictures

PHOTOGRAPH = pictures.noise(40, 48)


class Tinted(NamedTuple):
  """Mixes a colour into photographs."""

  colour: np.ndarray
  strength: float
  params: dict

  directions, smallest = ("painting",), 33

  def paint(self, pixels, direction, *, tile=0):
    assert direction == "painting" and tile in (0, 16)
    mixed = (1 - self.strength) * pixels + self.strength * self.colour
    return mixed.astype("float32")


class Tinter(NamedTuple):
  """Told a style, it takes the weighted mean of the means of its groups."""

  params: dict

  directions, smallest = ("painting",), 33

  def tell(self, groups, *, strength):
    means = [
      weight * np.mean([image.mean((0, 1)) for image in images], axis=0)
      for weight, images in groups
    ]
    return Tinted(np.sum(means, axis=0), strength, self.params)


class Same(nn.Module):
  """Leaves enlarged images as they are."""

  def __call__(self, images):
    return images


@pytest.fixture
def folder(tmp_path, monkeypatch, trained):
  """A photograph, style images of one colour each, and runs of painters."""
  load = sampling.load
  known = Tinted(np.float32([1, 1, 1]), 1.0, {"painting": {}})
  samplers = {
    "told": Tinter({"painting": {"x": np.ones(1)}}),
    "knows": known,
    "upscaler": upscalers.Upscaler(Same(), {"x": np.ones(1)}, 2),
  }

  def fake(path, **options):
    if path.name in samplers:
      return sampling.Trained(3, samplers[path.name], path)
    return load(path, **options)

  monkeypatch.setattr(sampling, "load", fake)
  for name in samplers:
    (tmp_path / name).mkdir()
    (tmp_path / name / "config.json").write_text('{"task": "train"}')
  (tmp_path / "generator").symlink_to(trained)
  (tmp_path / "group").mkdir()
  images.write(tmp_path / "pier.png", PHOTOGRAPH)
  for name, colour in {
    "group/red.png": (200, 0, 0),
    "group/green.png": (0, 200, 0),
    "blue.png": (0, 0, 240),
  }.items():
    colour = np.uint8(colour)
    images.write(tmp_path / name, np.broadcast_to(colour, (32, 32, 3)))
  return tmp_path


def run(folder, workdir="run", **changes):
  """The painting; paths of the changes are in the folder."""
  config = nst.get_config()
  named = {"content": "pier.png", "painter": "told"} | changes
  for name, value in named.items():
    if isinstance(value, str) and value and name != "direction":
      named[name] = str(folder / value)
    elif name == "styles":
      named[name] = tuple(str(folder / one) for one in value)
  config.paint.update({"size": 48} | named)
  paint.paint(config, folder / workdir)
  return images.read(folder / workdir / "painted" / "pier.png")


def assert_colour(actual, colour):
  expected = np.broadcast_to(np.uint8(colour), actual.shape)
  np.testing.assert_allclose(actual.astype(int), expected, atol=1)


def test_the_mean_of_a_folder_is_told(folder):
  assert_colour(run(folder, style="group", tile=16), (100, 100, 0))
  assert (folder / "run" / "style.png").exists()


def test_several_styles_are_weighed_however_many_images_they_have(folder):
  actual = run(folder, style="group", styles=("blue.png",), blend=(3.0, 1.0))
  assert_colour(actual, (75, 75, 60))


def test_half_the_strength_is_half_the_style(folder):
  actual = run(folder, style="blue.png", strength=0.5)
  expected = (PHOTOGRAPH + np.array([0.0, 0.0, 240.0])) / 2
  np.testing.assert_allclose(actual, expected, atol=1)


def test_a_generator_draws_the_style_that_is_told(folder):
  run(folder, style="generator", style_batch=2)
  told = json.loads((folder / "run" / "style.json").read_text())
  assert told["direction"] == "painting" and told["step"] == 3
  assert told["styles"][0]["images"] == 2


def test_what_it_draws_is_enlarged_before_it_is_told(folder):
  run(folder, style="generator", style_batch=1)
  small = images.read(folder / "run" / "style.png")
  fields = {"style_batch": 1, "upscale": "upscaler"}
  run(folder, "large", style="generator", **fields)
  large = images.read(folder / "large" / "style.png")
  assert large.shape[:2] == (2 * small.shape[0], 2 * small.shape[1])
  told = json.loads((folder / "large" / "style.json").read_text())
  assert told["styles"][0]["upscale"]["step"] == 3


def test_a_painter_that_knows_its_style_is_named_like_others(folder):
  assert_colour(run(folder, painter="knows"), (255, 255, 255))


def test_another_style_is_refused_in_the_same_folder(folder):
  run(folder, style="blue.png")
  images.write(folder / "blue.png", pictures.noise(32, 32))
  with pytest.raises(errors.UserError, match="--workdir"):
    run(folder, style="blue.png")


@pytest.mark.parametrize(
  ("changes", "told"),
  [
    ({}, "told is told its style, and paint.style is empty"),
    ({"painter": "", "style": "told"}, "name the run by paint.painter"),
    ({"painter": "knows", "style": "blue.png"}, "knows its style; leave"),
    ({"painter": "generator", "style": "blue.png"}, "did not train a painter"),
    ({"painter": "group"}, "config.json"),
    ({"painter": "upscaler"}, "did not train a painter"),
    ({"painter": "", "style": "upscaler"}, "trained no generator; enlarge"),
    ({"style": "generator", "upscale": "knows"}, "trained no upscaler; paint"),
    ({"style": "blue.png", "upscale": "upscaler"}, "no style is a generator"),
    ({"painter": "knows", "upscale": "upscaler"}, "no style is a generator"),
    ({"style": "knows"}, "has no images to tell"),
    ({"style": "blue.png", "strength": 1.5}, "paint.strength is .* at most 1"),
    ({"painter": "knows", "strength": 0.5}, "paint.strength=0.5 is for"),
    ({"painter": "", "style": "blue.png", "strength": 0.5}, "strength=0.5 is"),
    ({"style": "blue.png", "direction": "up"}, "has painting"),
    ({"style": "blue.png", "masks": ("a.png",)}, "the whole photograph"),
    ({"style": "blue.png", "style_masks": ("a.png",)}, "whole style image"),
    ({"style": "blue.png", "size": 38}, "32 pixels, 33 are needed"),
  ],
)
def test_what_cannot_be_is_refused_in_one_line(folder, changes, told):
  with pytest.raises(errors.UserError, match=told) as caught:
    run(folder, **changes)
  assert "\n" not in str(caught.value)
