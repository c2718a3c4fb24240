"""Painting in one pass by a trained painter, and what it refuses."""

import functools
import pathlib
from typing import NamedTuple
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan import errors, memory, sampling, writer
from astgan.data import images
from astgan.models import translator
from astgan.nst import by_painter, paint, painted, photographs
from astgan.systems import translated
from configs import nst
from tests import pictures

BLOCKS = 1  # A receptive field of 41 pixels.


@functools.cache
def make_painter():
  """A small one, whose two directions differ."""
  module = translator.Translator(4, BLOCKS)
  init = jax.jit(module.init)
  example = jnp.zeros((1, 8, 8, 3))
  return translated.Painter(
    module,
    {
      name: init(jax.random.key(i), example)["params"]
      for i, name in enumerate(("painting", "photograph"))
    },
  )


@pytest.fixture
def run(tmp_path, monkeypatch):
  """Paints a photograph of 50x90 pixels; the painting's pixels."""
  (tmp_path / "run").mkdir()
  (tmp_path / "run" / "config.json").write_text('{"task": "train"}')
  trained = sampling.Trained(3, make_painter(), tmp_path / "run")
  monkeypatch.setattr(sampling, "load", lambda *_, **__: trained)
  images.write(tmp_path / "pier.png", pictures.noise(50, 90))

  def run(workdir="painted", **changes):
    config = nst.get_config()
    config.paint.update(
      content=str(tmp_path / "pier.png"), style=str(tmp_path / "run"), size=90
    )
    config.paint.update(changes)
    paint.paint(config, tmp_path / workdir)
    return images.read(tmp_path / workdir / "painted" / "pier.png")

  return run


class Where(NamedTuple):
  """Notes the devices that its arrays are on."""

  params: dict
  transfer: functools.partial

  directions, smallest = ("painting",), 1

  def paint(self, pixels, direction, *, tile):
    del pixels, direction, tile
    NOTED.append(self.params["painting"].devices())
    NOTED.append(self.transfer.keywords["style"].devices())


NOTED = []


def test_each_device_has_a_copy_of_the_painter_and_its_style():
  transfer = functools.partial(sum, style=jnp.ones(1))
  painter = Where({"painting": jnp.ones(1)}, transfer)
  style = painted.Painted(painter, "painting", {})
  method = by_painter.OnePass(style, tile=0)
  pixels = np.zeros((4, 4, 3), "float32")
  photograph = photographs.Photograph(pathlib.Path("x"), "", pixels, None)
  log = mock.Mock(spec=writer.Writer)
  for device in jax.devices():
    with jax.default_device(device):
      method.paint(jax.random.key(0), photograph, log, [])
    assert NOTED[-2:] == [{device}] * 2


def expected(direction, height=50, width=90):
  """The photograph's painting, by the network itself."""
  painter, pixels = make_painter(), pictures.noise(height, width)
  # Mirrored to multiples of 4.
  padded = np.pad(pixels, ((0, 2), (0, 2), (0, 0)), mode="reflect")
  x = jnp.asarray(padded[None] / np.float32(127.5) - 1)
  y = painter.module.apply({"params": painter.params[direction]}, x)
  y = np.rint((np.asarray(y)[0, :height, :width] + 1) * 127.5)
  return y.astype("uint8")


def assert_same(actual, wanted):
  """Up to rounding to bytes."""
  assert actual.shape == wanted.shape
  assert np.max(np.abs(actual.astype(int) - wanted)) <= 1


@pytest.mark.parametrize("direction", ["", "painting", "photograph"])
def test_a_photograph_of_any_size_is_painted_in_the_direction_asked(
  run, direction
):
  assert_same(run(direction=direction), expected(direction or "painting"))


def test_noise_is_the_same_for_tiles_and_in_its_direction_only():
  plain, pixels = make_painter(), pictures.noise(50, 90) / np.float32(255)
  noisy = plain._replace(noise={"painting": 0.1})
  whole, tiled = (noisy.paint(pixels, "painting", tile=t) for t in (0, 16))
  np.testing.assert_allclose(tiled, whole, atol=1e-4)
  assert np.abs(whole - plain.paint(pixels, "painting")).mean() > 1e-3
  np.testing.assert_array_equal(
    *(painter.paint(pixels, "photograph") for painter in (noisy, plain))
  )


def test_tiles_make_the_same_painting(run):
  whole, tiled = run(), run("tiled", tile=16)
  assert_same(tiled, whole)


def test_where_memory_ends_strips_are_painted(run, monkeypatch):
  whole, painted = run(), []
  translate = translated.strips.translate

  def watch(*arguments, **options):
    painted.append(options["pixels"])
    return translate(*arguments, **options)

  monkeypatch.setattr(translated.strips, "translate", watch)
  monkeypatch.setattr(memory, "available_bytes", lambda: 10_000)
  monkeypatch.setattr(translated, "TILE", 32)
  assert_same(run("short"), whole)
  assert painted == [32**2]


def test_a_run_folder_in_one_direction_refuses_the_other(run, tmp_path):
  run(direction="painting")
  with pytest.raises(errors.UserError, match="--workdir"):
    run(direction="photograph")
  assert not (tmp_path / "painted" / "style.png").exists()


@pytest.mark.parametrize(
  ("changes", "told"),
  [
    ({"direction": "sketch"}, "has painting and photograph"),
    ({"size": 72}, "40 pixels, 41 are needed"),
    ({"tile": -1}, "paint.tile"),
  ],
)
def test_what_the_painter_cannot_do_is_told_in_one_line(run, changes, told):
  with pytest.raises(errors.UserError, match=told) as caught:
    run(**changes)
  assert "\n" not in str(caught.value)


def test_files_have_no_direction(run, tmp_path):
  style = str(tmp_path / "pier.png")
  with pytest.raises(errors.UserError, match="no training run"):
    run(style=style, direction="painting")


def test_a_generator_paints_in_no_direction(tmp_path, trained):
  config = nst.get_config()
  config.paint.update(style=str(trained), direction="painting", content="x")
  with pytest.raises(errors.UserError, match=r"trained a generator.*empty"):
    paint.paint(config, tmp_path / "run")
