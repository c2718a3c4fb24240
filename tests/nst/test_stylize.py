"""The painting loop: what it returns, reports and refuses."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan.features import vgg, weights
from astgan.nst import objective, stylize
from tests.nst import toy

PARAMS = toy.make_params()
PHOTOGRAPH = toy.draw(1, 8, 6, 3, seed=1)
PICTURE = toy.draw(1, 4, 4, 3, seed=3) ** 2


def run(
  name="adam", *, steps=20, extract=toy.extract, report_every=4, **changes
):
  """The painting and what was reported."""
  terms = toy.make_terms()
  targets = toy.make_targets(PARAMS, PHOTOGRAPH, [PICTURE], terms)
  reports = []
  arguments = {
    "image": PHOTOGRAPH,
    "params": PARAMS,
    "targets": targets,
    "extract": extract,
    "terms": terms,
    "optimizer": stylize.make_optimizer(name, 0.05),
    "steps": steps,
    "report_every": report_every,
    "report": lambda *line: reports.append(line),
  }
  painted = stylize.stylize(**(arguments | changes))
  return painted, reports


def loss_of(image):
  terms = toy.make_terms()
  targets = toy.make_targets(PARAMS, PHOTOGRAPH, [PICTURE], terms)
  total, _ = objective.objective(
    image, PARAMS, targets, extract=toy.extract, terms=terms
  )
  return float(total)


@pytest.mark.parametrize("name", stylize.OPTIMIZERS)
def test_the_loss_falls(name):
  painted, _ = run(name)
  assert loss_of(painted) < 0.5 * loss_of(PHOTOGRAPH)


@pytest.mark.parametrize("name", stylize.OPTIMIZERS)
def test_the_last_report_is_of_the_picture_returned(name):
  painted, reports = run(name)
  assert reports[-1][1]["loss"] == pytest.approx(loss_of(painted), rel=1e-5)


@pytest.mark.parametrize("name", stylize.OPTIMIZERS)
def test_the_picture_returned_has_the_lowest_loss_reported(name):
  # A step far too large, so that the last picture is not the best.
  _, reports = run(
    name, optimizer=stylize.make_optimizer(name, 0.5), report_every=1
  )
  losses = [scalars["loss"] for _, scalars in reports]
  assert losses[-1] == min(losses)


@pytest.mark.parametrize("name", stylize.OPTIMIZERS)
def test_pixels_stay_in_range(name):
  painted, _ = run(name, optimizer=stylize.make_optimizer(name, 0.5))
  assert painted.min() >= 0 and painted.max() <= 1


def test_the_first_report_is_of_the_picture_it_starts_from():
  _, reports = run()
  step, scalars = reports[0]
  assert step == 0
  assert scalars["loss"] == pytest.approx(loss_of(PHOTOGRAPH), rel=1e-5)


def test_reports_come_at_their_period_and_at_the_end():
  _, reports = run(steps=10)
  assert [step for step, _ in reports] == [0, 4, 8, 10]


def test_reports_do_not_change_the_painting():
  often, _ = run(report_every=1)
  rarely, _ = run(report_every=7)
  np.testing.assert_array_equal(often, rarely)


def test_no_steps_give_the_picture_back():
  painted, reports = run(steps=0)
  np.testing.assert_array_equal(painted, PHOTOGRAPH)
  assert [step for step, _ in reports] == [0]


def test_the_picture_handed_in_is_not_donated():
  start = jnp.copy(PHOTOGRAPH)
  run(image=start)
  np.testing.assert_array_equal(start, PHOTOGRAPH)


@pytest.mark.parametrize("name", stylize.OPTIMIZERS)
def test_several_steps_per_call_are_the_same_steps(name, monkeypatch):
  single, single_reports = run(name, steps=6)
  monkeypatch.setattr(jax, "default_backend", lambda: "accelerator")
  several, several_reports = run(name, steps=6)
  np.testing.assert_allclose(several, single, atol=1e-5)
  assert [step for step, _ in several_reports] == [
    step for step, _ in single_reports
  ]


def test_pictures_of_one_shape_are_compiled_once():
  traces = []

  def extract(params, images, taps):
    traces.append(images.shape)
    return toy.extract(params, images, taps)

  fixed = {
    "extract": extract,
    "optimizer": stylize.make_optimizer("adam", 0.05),
  }
  run(**fixed)
  run(image=toy.draw(1, 8, 6, 3, seed=9), **fixed)
  assert traces == [(1, 8, 6, 3)]


def test_a_loss_that_is_not_finite_stops_naming_its_step():
  # Finite at the photograph itself, not a step away from it.
  def extract(params, images, taps):
    moved = jnp.any(jnp.abs(images - PHOTOGRAPH) > 0.12)
    features = toy.extract(params, images, taps)
    return {
      tap: jnp.where(moved, jnp.nan, feature)
      for tap, feature in features.items()
    }

  # Adam moves 0.05 a step at first: 0.12 are passed by the third.
  with pytest.raises(FloatingPointError, match="not finite at step 3"):
    run(extract=extract)


def test_lbfgs_beats_adam_at_equal_evaluations():
  params = weights.load("vgg19", "random")
  layers = ("conv_1", "conv_2", "conv_3")
  terms = toy.make_terms(
    content_layers=("conv_2",),
    style_layers=layers,
    style_layer_weights=(1.0,) * 3,
    style_weight=10_000.0,
  )
  photograph = toy.draw(1, 24, 32, 3, seed=1)
  fixed = {"extract": vgg.apply, "terms": terms}
  targets = objective.Targets(
    objective.content_targets(params, photograph, **fixed),
    objective.style_targets(params, [toy.draw(1, 24, 24, 3) ** 3], **fixed),
  )

  def final_loss(name):
    _, reports = run(
      name,
      steps=40,
      image=photograph,
      params=params,
      targets=targets,
      optimizer=stylize.make_optimizer(name, 0.02),
      **fixed,
    )
    return reports[-1][1]["loss"]

  assert final_loss("lbfgs") < 0.9 * final_loss("adam")


def test_an_unknown_optimizer_is_refused():
  with pytest.raises(ValueError, match="optimizer is one of"):
    stylize.make_optimizer("sgd", 0.1)
