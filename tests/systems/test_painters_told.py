"""Painters that are told a style: features, several styles, the strength."""

import functools
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan import arrays
from astgan.models import decoder, patch_swap, rows
from astgan.systems import adain, encoding, registry, wct
from astgan.systems import painters as protocols
from tests.models.numbers import close, draw
from tests.systems import painters
from tests.train import tiny

PHOTOGRAPH = (
  np.random.default_rng(0).uniform(size=(72, 64, 3)).astype("float32")
)


@functools.cache
def styles():
  """Two groups, of one image and of two."""
  draws = np.random.default_rng(1)
  dark = draws.uniform(high=0.4, size=(1, 32, 48, 3))
  pale = draws.uniform(low=0.5, size=(2, 40, 32, 3))
  return dark.astype("float32"), pale.astype("float32")


@functools.cache
def sampler(name, folder):
  config = painters.make_config(name, folder)
  return registry.make(config).sampler(tiny.init(config))


@pytest.fixture(scope="module")
def tell(tmp_path_factory):
  """Gives a painter of a system, told groups of those weights."""
  folder = tmp_path_factory.mktemp("told")

  def tell(name, *weights, strength=1.0):
    groups = [
      protocols.Group(weight, images)
      for weight, images in zip(weights, styles(), strict=True)
      if weight
    ]
    return sampler(name, folder).tell(groups, strength=strength)

  return tell


def whitened(features, style):
  return wct.transfer(np.asarray(features), style=style)(slice(None))


WHOLE = {
  "adain": adain.adain,
  "wct": whitened,
  "style_swap": patch_swap.swap,
}


@pytest.mark.parametrize("name", WHOLE)
def test_features_in_strips_become_what_the_whole_would(
  name, tell, monkeypatch
):
  # Two rows a part, and one row in the last.
  monkeypatch.setattr(rows, "_PIXELS", 16)
  level, *_ = tell(name, 1.0, 0.0).levels
  features = draw(1, 11, 8, decoder.channels(level.module.block))
  change = level.transfer(np.asarray(features))
  strips = [change(own) for own in (slice(0, 4), slice(4, 5), slice(5, 11))]
  monkeypatch.undo()
  expected = WHOLE[name](features, level.transfer.keywords["style"])
  close(np.concatenate(strips, axis=1), expected, rtol=1e-4)


@pytest.mark.parametrize("name", WHOLE)
def test_no_program_of_a_strip_gets_all_features(
  name, tell, monkeypatch, caplog
):
  monkeypatch.setattr(rows, "_PIXELS", 16)
  painter = tell(name, 1.0, 0.0)
  with jax.log_compiles():
    painter.paint(np.resize(PHOTOGRAPH, (320, 32, 3)), "painting", tile=32)
  for level in painter.levels:
    block = level.module.block
    shape = rf"float32\[1,(\d+),\d+,{decoder.channels(block)}\]"
    heights = [int(height) for height in re.findall(shape, caplog.text)]
    assert heights and max(heights) <= 320 // 2 ** (block - 1) // 2


@pytest.mark.parametrize("name", ["adain", "wct", "stvae"])
def test_two_styles_are_described_by_their_weighted_mean(name, tell):
  mixed, *alone = (
    [level.transfer.keywords for level in tell(name, *weights).levels]
    for weights in ((0.25, 0.75), (1.0, 0.0), (0.0, 1.0))
  )
  expected = jax.tree.map(lambda x, y: 0.25 * x + 0.75 * y, *alone)
  tiny.assert_close(mixed, expected, rtol=1e-5)


@pytest.mark.parametrize("strength", [0.0, 1.0])
@pytest.mark.parametrize("name", ["adain", "wct", "stvae"])
def test_the_strength_is_the_share_of_changed_features(name, strength, tell):
  painter = tell(name, 0.25, 0.75, strength=strength)
  images = jnp.asarray(PHOTOGRAPH[None])
  for level in painter.levels:
    signed = arrays.unit_to_signed(images)
    (features,) = encoding.encode(painter.net, signed, (level.module.block,))
    if strength:
      change = level.transfer(np.asarray(features))
      features = jnp.asarray(change(slice(0, features.shape[1])))
    images = level.module.apply({"params": level.params}, features)
    images = jnp.clip(arrays.signed_to_unit(images), 0, 1)
  painted = painter.paint(PHOTOGRAPH, "painting")
  np.testing.assert_allclose(painted, images[0], atol=1e-4)


@pytest.mark.parametrize("name", [*WHOLE, "stvae"])
def test_a_second_photograph_of_one_shape_compiles_nothing(name, tell, caplog):
  def compiled(photograph):
    caplog.clear()
    with jax.log_compiles():
      painter.paint(photograph, "painting")
    return [x for x in caplog.messages if x.startswith("Compiling")]

  painter = tell(name, 1.0, 0.0, strength=0.5)
  assert compiled(PHOTOGRAPH[:64])
  assert not compiled(PHOTOGRAPH[8:])
