"""Style transfer of arrays."""

import functools

import jax
import numpy as np
import pytest

from astgan import errors, memory, nst
from astgan.data import images
from astgan.features import weights
from astgan.nst import description, network, recipe, styles, stylize
from configs import best
from tests import pictures
from tests.nst import toy

PHOTOGRAPH = np.asarray(toy.draw(60, 80, 3))
STYLE = [np.asarray(toy.draw(50, 50, 3, seed=1)) ** 3]
FIELDS = {
  "style_layers": ("relu1_1", "relu2_1"),
  "style_layer_weights": (),
  "style_weight": 1e5,
  "content_terms": ("features",),
  "content_term_weights": (),
  "content_layers": ("relu2_1",),
  "size": 64,
  "coarsest": 32,
  "steps": 2,
  "coarsest_steps": 2,
}


def test_the_defaults_are_those_of_the_best_page():
  assert nst.make() == recipe.of_config(best.get_config())


def test_weights_that_do_not_match_the_layers_are_refused():
  with pytest.raises(ValueError, match="2 style layers have 1 weights"):
    nst.make(style_layers=("relu1_1", "relu2_1"), style_layer_weights=(1.0,))
  with pytest.raises(ValueError, match="1 content terms have 2 weights"):
    nst.make(content_terms=("features",), content_term_weights=(1.0, 2.0))


@pytest.mark.parametrize(
  ("field", "value", "match"),
  [
    ("gram", "chw", "normalize: expected one of .* got 'chw'"),
    ("style_terms", ("grams",), "a term is one of gram, .* got 'grams'"),
    ("content_terms", ("gram",), "a term is one of features, "),
    ("style_layers", ("relu9_1",), "no layer 'relu9_1'"),
    ("net", "vgg11", "the net is one of vgg16, vgg19"),
  ],
)
def test_names_that_are_none_are_refused_when_a_recipe_is_made(
  field, value, match
):
  fields = {"style_terms": ("gram",), "style_layer_weights": (), field: value}
  with pytest.raises(ValueError, match=match):
    nst.make(**fields)


@pytest.mark.parametrize(
  ("field", "value"),
  [
    *(("size", 0), ("steps", 0), ("coarsest", -1), ("coarsest_steps", -1)),
    *(("style_weight", -1.0), ("content_weight", float("nan"))),
    *(("tv_weight", -1.0), ("tv_power", 3), ("tile", -1), ("margin", -1)),
    *(("learning_rate", 0.0), ("ema_decay", 1.0), ("ema_decay", -0.1)),
  ],
)
def test_numbers_out_of_range_are_refused_when_a_recipe_is_made(field, value):
  with pytest.raises(ValueError, match=f"{field} is "):
    nst.make(**{field: value})


def test_each_term_may_weigh_the_layers_in_its_own_way():
  made = nst.make(
    style_terms=("gram", "mean_std"),
    style_layers=("relu1_1", "relu2_1"),
    style_layer_weights=((1.0, 0.0), (0.0, 2.0)),
    content_layers=("relu3_1", "relu4_1"),
    content_layer_weights=(3.0, 4.0),
  )
  weights = [item.term.layer_weights for item in made.style.items]
  assert weights == [(1.0, 0.0), (0.0, 2.0)]
  assert made.levels[0].others[0].term.layer_weights == (3.0, 4.0)


@pytest.mark.parametrize("weights", [((1.0,),), (1.0, 1.0), ((1.0,), ())])
def test_layer_weights_for_other_terms_or_layers_are_refused(weights):
  with pytest.raises(ValueError, match="weights"):
    nst.make(
      content_terms=("features", "self_similarity"),
      content_layers=("relu4_1",),
      content_layer_weights=weights,
    )


@pytest.mark.parametrize(
  ("photograph", "style", "match"),
  [
    (PHOTOGRAPH * 255, STYLE, "photograph has values from 0"),
    (PHOTOGRAPH, [*STYLE, STYLE[0] - 1], r"style_images\[1\] has values"),
    (PHOTOGRAPH * np.nan, STYLE, "values from nan"),
    (PHOTOGRAPH, [], "no image"),
  ],
)
def test_images_that_are_none_are_refused(photograph, style, match):
  with pytest.raises(ValueError, match=match):
    nst.transfer(photograph, style)
  with pytest.raises(ValueError, match=match):
    nst.nearest(photograph, style, count=1)


def test_a_painting_larger_than_memory_is_refused_before_its_coarser_levels(
  monkeypatch,
):
  monkeypatch.setattr(
    stylize, "stylize", lambda *a, **k: pytest.fail("painted")
  )
  levels = nst.make(**FIELDS | {"steps": 2}).levels
  assert [level.side for level in levels] == [32, 45, 64]
  # Enough for the style and for the first two levels.
  enough = iter([2**34] * len(levels))
  monkeypatch.setattr(memory, "available_bytes", lambda: next(enough, 2**20))
  with pytest.raises(errors.UserError, match=r"paint\.size=64 needs more"):
    transfer(optimizer="adam")


def test_the_step_of_a_loss_that_is_not_finite_counts_all_levels(monkeypatch):
  stylized, steps = stylize.stylize, FIELDS["steps"]

  def fail_at_the_second(painting, *arguments, **options):
    if painting.image.shape[2] > 32:
      raise stylize.NotFiniteError(1, painting.image)
    return stylized(painting, *arguments, **options)

  monkeypatch.setattr(stylize, "stylize", fail_at_the_second)
  with pytest.raises(stylize.NotFiniteError, match=f"at step {steps + 1};"):
    transfer(optimizer="adam", margin=0)


def test_halves_are_painted_as_floats_are():
  half = PHOTOGRAPH.astype("float16")
  np.testing.assert_array_equal(
    transfer(half, optimizer="adam"),
    transfer(half.astype("float32"), optimizer="adam"),
  )


def transfer(photograph=PHOTOGRAPH, *, mask=None, **fields):
  return nst.transfer(
    photograph,
    STYLE,
    recipe=nst.make(**(FIELDS | fields)),
    params=weights.load("vgg19", "random"),
    mask=mask,
  )


@pytest.mark.parametrize(
  "term", ["gram", "mean_std", "covariance", "wasserstein"]
)
def test_a_photograph_of_the_style_is_nearer_to_its_colours(term):
  painted = transfer(style_terms=(term,), optimizer="adam", ema_decay=0.5)
  assert painted.shape == (48, 64, 3)
  assert painted.min() >= 0 and painted.max() <= 1
  # The style is darker.
  assert painted.mean() < PHOTOGRAPH.mean() - 0.01


def test_a_damaged_image_costs_its_style_no_share_of_a_blend(tmp_path):
  for name in ("a", "b"):
    images.write(
      tmp_path / f"{name}.png", pictures.noise(32, 32, seed=ord(name))
    )
  (tmp_path / "damaged.png").write_bytes(b"none")

  def describe(names):
    # Sides of several images are rounded: those of all of these stay.
    paths = [tmp_path / f"{name}.png" for name in names]
    opened = [styles.Files(x, 32) for x in (paths, [tmp_path / "b.png"])]
    made = nst.make(**FIELDS | {"size": 32})
    params = weights.load("vgg19", "random")
    return description.describe(made, params, opened).targets

  jax.tree.map(
    functools.partial(np.testing.assert_allclose, rtol=1e-5),
    describe(["a", "damaged"]),
    describe(["a"]),
  )


def test_styles_give_as_many_colours_as_they_weigh(monkeypatch):
  monkeypatch.setattr(description, "_COLOURS", 100)
  group = [np.full((32, 32, 3), grey, "float32") for grey in (0, 1, 1, 1)]
  opened = [styles.Arrays(group[:1], 32), styles.Arrays(group[1:], 32)]
  palette = description.describe(
    nst.make(**FIELDS | {"size": 32}),
    weights.load("vgg19", "random"),
    opened,
    blend=(3.0, 1.0),
  ).palette
  assert palette.shape == (75 + 3 * 8, 3)
  assert palette.sum() == 3 * 3 * 8


def test_a_content_term_counts_by_its_weight():
  fields = {"steps": 1, "coarsest": 0, "init": "noise"}
  features = transfer(**fields)
  both = {"content_terms": ("features", "self_similarity")}
  same = transfer(**fields, **both, content_term_weights=(1.0, 0.0))
  np.testing.assert_allclose(same, features, atol=1e-5)
  other = transfer(**fields, **both, content_term_weights=(1.0, 1e3))
  assert np.abs(other - features).max() > 1e-3


def test_pixels_far_from_the_mask_do_not_change():
  mask = np.zeros((48, 64), "float32")
  mask[:, :16] = 1
  content = PHOTOGRAPH[:48, :64]
  # Without the pyramid the photograph has the size of the painting. relu2_1
  # sees 4 pixels around its own 2, and what moved is seen likewise.
  painted = transfer(content, mask=mask, coarsest=0, content_weight=0.0)
  changed = np.abs(painted - content).max(axis=(0, 2)) > 1e-6
  assert changed[:16].all() and not changed[24:].any()


def test_a_mask_of_bytes_is_refused():
  with pytest.raises(ValueError, match="mask has values from 0 to 255"):
    nst.transfer(PHOTOGRAPH, STYLE, mask=255 * np.eye(60, 80))


def test_bfloat16_paints_nearly_the_same():
  params = weights.load("vgg19", "random")
  options = {"recipe": nst.make(**FIELDS)}
  wide, narrow = (
    nst.transfer(
      PHOTOGRAPH, STYLE, params=network.cast(params, dtype), **options
    )
    for dtype in ("float32", "bfloat16")
  )
  assert wide.dtype == narrow.dtype
  assert (
    0 < np.abs(wide - narrow).mean() < 0.2 * np.abs(wide - wide.mean()).mean()
  )
