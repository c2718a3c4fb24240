"""The optimisation over pixels."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan.nst import objective, stylize
from tests.nst import toy

TERMS = toy.make_terms()
TARGETS = toy.make_targets([toy.draw(1, 4, 4, 3, seed=3) ** 2], TERMS)


def run(name="adam", *, rate=0.05, steps=20, report_every=4, **changes):
  """The painting and its reports."""
  reports = []
  arguments = {
    "image": toy.PHOTOGRAPH,
    "params": toy.PARAMS,
    "targets": TARGETS,
    "extract": toy.extract,
    "terms": TERMS,
    "optimizer": stylize.make_optimizer(name, rate),
    "steps": steps,
    "report_every": report_every,
    "report": lambda *line: reports.append(line),
  }
  return stylize.stylize(**(arguments | changes)), reports


def loss_of(image):
  total, _ = objective.objective(
    image, toy.PARAMS, TARGETS, extract=toy.extract, terms=TERMS
  )
  return float(total)


@pytest.mark.parametrize("name", stylize.OPTIMIZERS)
def test_the_loss_decreases(name):
  painted, _ = run(name)
  assert loss_of(painted) < 0.5 * loss_of(toy.PHOTOGRAPH)


def test_lbfgs_reaches_a_lower_loss_than_adam():
  (painted, _), (by_adam, _) = run("lbfgs"), run("adam")
  assert loss_of(painted) < 0.9 * loss_of(by_adam)


@pytest.mark.parametrize("name", stylize.OPTIMIZERS)
def test_the_returned_image_has_the_lowest_reported_loss(name):
  # The steps are too large, so that the last image is not the best.
  painted, reports = run(name, rate=0.5, report_every=1)
  losses = [scalars["loss"] for _, scalars in reports]
  assert losses[-1] == min(losses)
  assert losses[-1] == pytest.approx(loss_of(painted), rel=1e-5)
  assert painted.min() >= 0 and painted.max() <= 1


def test_reports_start_at_the_initial_image_and_end_at_the_last_step():
  _, reports = run(steps=10)
  assert [step for step, _ in reports] == [0, 4, 8, 10]
  first = reports[0][1]["loss"]
  assert first == pytest.approx(loss_of(toy.PHOTOGRAPH), rel=1e-5)


def test_no_steps_return_the_initial_image_undonated():
  image = jnp.copy(toy.PHOTOGRAPH)
  painted, reports = run(image=image, steps=0)
  np.testing.assert_array_equal(painted, image, strict=True)
  assert len(reports) == 1


@pytest.mark.parametrize("name", stylize.OPTIMIZERS)
def test_several_steps_per_call_are_the_same_steps(name, monkeypatch):
  single, _ = run(name, report_every=1)
  monkeypatch.setattr(jax, "default_backend", lambda: "accelerator")
  several, _ = run(name, report_every=7)
  np.testing.assert_allclose(several, single, atol=1e-5, strict=True)


def test_images_of_one_shape_are_compiled_once():
  traces = []

  def extract(params, images, taps):
    traces.append(images.shape)
    return toy.extract(params, images, taps)

  run(extract=extract)
  run(extract=extract, image=toy.draw(1, 8, 6, 3, seed=9))
  assert traces == [(1, 8, 6, 3)]


def test_a_loss_that_is_not_finite_stops_at_its_step():
  # Finite at the photograph, but not 0.12 away from it.
  def extract(params, images, taps):
    far = jnp.any(jnp.abs(images - toy.PHOTOGRAPH) > 0.12)
    features = toy.extract(params, images, taps)
    return jax.tree.map(lambda x: jnp.where(far, jnp.nan, x), features)

  # Adam moves 0.05 a step at first, and passes 0.12 at the third.
  with pytest.raises(FloatingPointError, match="not finite at step 3"):
    run(extract=extract)


def test_an_unknown_optimizer_is_refused():
  with pytest.raises(ValueError, match="optimizer is one of"):
    stylize.make_optimizer("sgd", 0.1)
