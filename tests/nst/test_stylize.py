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
    "extract": toy.extract,
    "optimizer": stylize.make_optimizer(name, rate),
    "report": lambda *line: reports.append(line),
    **changes,
  }
  fixed = {"params": toy.PARAMS, "targets": TARGETS, "terms": TERMS}
  fixed |= {"steps": steps, "report_every": report_every}
  return stylize.stylize(**fixed, **arguments), reports


def loss_of(image):
  total, _ = objective.objective(
    image, toy.PARAMS, TARGETS, extract=toy.extract, terms=TERMS
  )
  return float(total)


def test_adam_halves_the_loss_and_lbfgs_reaches_a_lower_one():
  by_adam, by_lbfgs = (loss_of(run(name)[0]) for name in ("adam", "lbfgs"))
  assert by_adam < 0.5 * loss_of(toy.PHOTOGRAPH)
  assert by_lbfgs < 0.9 * by_adam


@pytest.mark.parametrize("name", stylize.OPTIMIZERS)
def test_the_returned_image_has_the_lowest_reported_loss(name):
  # The steps are too large, so that the last image is not the best.
  painted, reports = run(name, rate=0.5, report_every=1)
  losses = [scalars["loss"] for _, scalars in reports]
  assert losses[-1] == min(losses)
  assert losses[-1] == pytest.approx(loss_of(painted), rel=1e-5)
  assert painted.min() >= 0 and painted.max() <= 1


@pytest.mark.parametrize(("steps", "expected"), [(10, [0, 4, 8, 10]), (0, [0])])
def test_reports_start_at_the_initial_image(steps, expected):
  _, reports = run(steps=steps)
  assert [step for step, _ in reports] == expected
  first = reports[0][1]["loss"]
  assert first == pytest.approx(loss_of(toy.PHOTOGRAPH), rel=1e-5)


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
