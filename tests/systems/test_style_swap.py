"""Patches of a style: as many as asked, and none of narrow images."""

import functools

import jax.numpy as jnp
import numpy as np
import pytest

from astgan import arrays, errors
from astgan.models import patch_swap
from astgan.systems import encoding, registry
from astgan.systems import painters as protocols
from tests.models.numbers import close
from tests.systems import painters
from tests.train import tiny


def tell(tmp_path, groups, **changes):
  config = painters.make_config("style_swap", tmp_path, **changes)
  system, state = registry.make(config), tiny.init(config)
  return system.sampler(state).tell(groups, strength=1.0)


def test_each_style_has_its_share_of_the_patches(tmp_path):
  draws = np.random.default_rng(0)
  # 8 x 8 features have 36 patches, 16 x 8 have 84.
  groups = [
    protocols.Group(weight, draws.uniform(size=shape).astype("float32"))
    for weight, shape in ((0.25, (2, 32, 32, 3)), (0.75, (1, 64, 32, 3)))
  ]
  painter = tell(tmp_path, groups, model__patches=100)
  assert painter.levels[0].transfer.keywords["style"].shape[0] == 25 + 75
  painter = tell(tmp_path, groups, model__patches=1000)
  assert painter.levels[0].transfer.keywords["style"].shape[0] == 72 + 84


def test_patches_are_those_of_the_features_in_their_order(
  tmp_path, monkeypatch
):
  draws = np.random.default_rng(0)
  image = draws.uniform(size=(48, 32, 3)).astype("float32")
  patches = patch_swap.patches
  with monkeypatch.context() as patch:
    patch.setattr(patch_swap, "patches", None)  # All of them are never made.
    tell_all = functools.partial(
      tell, tmp_path, [protocols.Group(1.0, [image])]
    )
    painter = tell_all(model__patches=999)
    some = tell_all(model__patches=7).levels[0].transfer.keywords["style"]
  signed = arrays.unit_to_signed(jnp.asarray(image[None]))
  block = painter.levels[0].module.block
  (features,) = encoding.encode(painter.net, signed, (block,))
  expected = np.asarray(patches(features))
  style = painter.levels[0].transfer.keywords["style"]
  close(style, expected)
  places = [
    np.abs(expected - one).max((1, 2, 3)).argmin() for one in np.asarray(some)
  ]
  close(some, expected[np.asarray(places)])


def test_a_style_without_a_patch_is_refused(tmp_path):
  narrow = [protocols.Group(1.0, [np.zeros((16, 64, 3), "float32")])]
  with pytest.raises(errors.UserError, match=r"raise paint\.style_size"):
    tell(tmp_path, narrow, model__block=4)


def test_photographs_made_of_the_style_stay_what_they_are(tmp_path):
  draws = np.random.default_rng(0)
  image = draws.uniform(size=(32, 48, 3)).astype("float32")
  painter = tell(tmp_path, [protocols.Group(1.0, [image])], model__patches=999)
  plain = painter._replace(strength=0.0)
  np.testing.assert_allclose(
    painter.paint(image, "painting"), plain.paint(image, "painting"), atol=1e-4
  )
