"""Fields that cannot be are named in one line, whatever their value."""

import ml_collections
import pytest

from astgan import checks, errors


def make_config(value):
  return ml_collections.ConfigDict({"section": {"field": value}})


def within(value, *bounds, **options):
  checks.within(make_config(value), "section.field", *bounds, **options)


@pytest.mark.parametrize("value", [0, 1, 0.0, 1.0, 2**31 - 1, 0.1, 3e38])
def test_a_number_at_its_bounds_is_within(value):
  within(value, 0)
  within(value, value, value)


@pytest.mark.parametrize(
  ("value", "options"),
  [
    (-1, {}),
    (2**31, {}),
    (float("nan"), {}),
    (float("inf"), {}),
    # Not finite, 0 and 1 as the devices hold them.
    (1e39, {}),
    (1e-320, {"open_low": True}),
    (1 - 1e-12, {"high": 1, "open_high": True}),
    (1.1, {"high": 1}),
    ("5", {}),
    (True, {}),
    (None, {}),
  ],
)
def test_what_is_out_of_bounds_or_no_number_is_named(value, options):
  with pytest.raises(errors.UserError, match=r"config\.section\.field is"):
    within(value, 0, **options)


@pytest.mark.parametrize(
  "values", [("blur",), ("cutout", "cutout"), ([1],), ((), "cutout"), 3]
)
def test_what_is_no_subset_is_named(values):
  with pytest.raises(errors.UserError, match=r"config\.section\.field holds"):
    checks.subset_of(make_config(values), "section.field", ("cutout", "flip"))
  checks.subset_of(make_config(("cutout",)), "section.field", ("cutout",))


def test_a_value_in_place_of_a_section_is_named():
  with pytest.raises(errors.UserError, match=r"config\.field is a section"):
    checks.fields(make_config(5).section, "field", "name")


def test_an_empty_field_is_named():
  with pytest.raises(errors.UserError, match=r"config\.section\.field is emp"):
    checks.filled(make_config(""), "section.field")
