"""The task `sample`: great circles by hand, and the images."""

import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from astgan import errors, sample, sampling
from astgan.models import translator
from astgan.systems import translated
from configs import sample as page


def close(actual, expected, atol=1e-6):
  np.testing.assert_allclose(
    actual, np.asarray(expected, np.float32), rtol=0, atol=atol, strict=True
  )


def slerp(start, end, *shares):
  """Of one pair: [n z]."""
  start, end = jnp.array([start], "float32"), jnp.array([end], "float32")
  return sample.slerp(start, end, jnp.array(shares, "float32"))[0]


def test_half_way_between_unit_vectors_at_right_angles_is_their_diagonal():
  close(slerp([1, 0], [0, 1], 0.5), [[0.5**0.5, 0.5**0.5]])


def test_a_third_of_a_right_angle_is_thirty_degrees():
  close(slerp([1, 0], [0, 1], 1 / 3), [[3**0.5 / 2, 0.5]])


def test_the_way_starts_and_ends_at_the_latents():
  start, end = [1.0, 2.0, -2.0], [0.5, -1.0, 4.0]
  close(slerp(start, end, 0, 1), [start, end])


def test_the_length_goes_linearly_from_one_to_the_other():
  lengths = jnp.linalg.norm(slerp([2, 0], [0, 6], 0, 0.25, 1), axis=-1)
  close(lengths, [2, 3, 6])


def test_the_same_latent_at_both_ends_is_no_way_at_all():
  close(slerp([3, 4], [3, 4], 0, 0.5, 1), [[3, 4]] * 3, atol=1e-2)


def test_opposite_latents_have_a_way_too():
  assert np.isfinite(slerp([3, 4], [-3, -4], 0, 0.3, 1)).all()


def test_each_pair_has_its_own_way():
  start, end = jnp.eye(3)[:2], jnp.eye(3)[1:]
  ways = sample.slerp(start, end, jnp.linspace(0, 1, 5))
  assert ways.shape == (2, 5, 3)
  for i in range(2):
    close(ways[i], slerp(start[i], end[i], *jnp.linspace(0, 1, 5)))


def make_config(**changes):
  config = page.get_config()
  fields = {"count": 6, "grids": 2, "rows": 2, "columns": 3}
  config.sample.update(fields | changes)
  return config


def draw(trained, workdir, **changes):
  sample.sample(make_config(**({"run": str(trained)} | changes)), workdir)
  return {
    path.name: np.asarray(Image.open(path))
    for path in (workdir / "samples").iterdir()
  }


def test_grids_and_interpolations_are_drawn(trained, tmp_path):
  drawn = draw(trained, tmp_path)
  # 32 pixels a side, two between: 3 by 2 each, of 6 images and of 2 rows.
  assert {name: sheet.shape for name, sheet in drawn.items()} == {
    "grid_00.png": (66, 100, 3),
    "grid_01.png": (66, 100, 3),
    "interpolations.png": (66, 100, 3),
  }


def test_every_grid_shows_other_latents(trained, tmp_path):
  drawn = draw(trained, tmp_path)
  assert np.any(drawn["grid_00.png"] != drawn["grid_01.png"])


def test_the_same_seed_draws_the_same(trained, tmp_path):
  first = draw(trained, tmp_path / "first")
  again = draw(trained, tmp_path / "again")
  for name, sheet in first.items():
    np.testing.assert_array_equal(again[name], sheet, strict=True)


def test_an_earlier_checkpoint_draws_otherwise(trained, tmp_path):
  last = draw(trained, tmp_path / "last")
  early = draw(trained, tmp_path / "early", step="4")
  assert np.any(last["grid_00.png"] != early["grid_00.png"])


def test_a_painter_draws_no_samples(trained, tmp_path, monkeypatch):
  painter = sampling.Trained(
    12, translated.Painter(translator.Translator(4, 1), {}), trained
  )
  monkeypatch.setattr(sampling, "load", lambda *_, **__: painter)
  with pytest.raises(errors.UserError, match=r"paint with: .*paint\.style="):
    draw(trained, tmp_path / "run")


@pytest.mark.parametrize(
  ("field", "value"),
  [
    ("run", ""),
    ("count", 0),
    ("grids", 0),
    ("rows", 0),
    ("columns", 1),
    ("step", "5"),
    ("step", "-2"),
  ],
)
def test_a_field_that_cannot_be_is_named(trained, tmp_path, field, value):
  with pytest.raises(errors.UserError, match=field) as caught:
    draw(trained, tmp_path / "run", **{field: value})
  assert "\n" not in str(caught.value)
  assert not (tmp_path / "run").exists()
