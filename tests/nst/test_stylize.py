"""The optimisation over pixels."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan.nst import objective, stylize
from tests.nst import toy

TARGETS = toy.make_targets([toy.draw(1, 4, 4, 3, seed=3) ** 2])


def run(
  name="adam", *, rate=0.05, steps=20, report_every=(4,), ema_decay=0.0,
  image=toy.PHOTOGRAPH, start=None, extract=None, stop_at=None,
):  # fmt: skip
  """The last state and the reports."""
  reports = []
  target = toy.make_objective(toy.make_style(extract=extract))
  optimizer = stylize.Optimizer(
    name=name, learning_rate=rate, ema_decay=ema_decay
  )

  def report(step, scalars, painting):
    reports.append((step, scalars))
    return step == stop_at

  if start is None:
    start = stylize.init(image, target.names, optimizer=optimizer)
  painting = stylize.stylize(
    start,
    toy.PARAMS,
    TARGETS,
    gradient=objective.Whole(target),
    optimizer=optimizer,
    steps=steps,
    report_every=report_every,
    report=report,
  )
  return painting, reports


def paint(*arguments, **options):
  """The image and the reports."""
  painting, reports = run(*arguments, **options)
  return painting.best_image, reports


def loss_of(image):
  return float(toy.make_objective()(image, toy.PARAMS, TARGETS)[0])


def test_adam_halves_the_loss_and_lbfgs_reaches_a_lower_one():
  by_adam, by_lbfgs = (loss_of(paint(name)[0]) for name in ("adam", "lbfgs"))
  assert by_adam < 0.5 * loss_of(toy.PHOTOGRAPH)
  assert by_lbfgs < 0.9 * by_adam


@pytest.mark.parametrize("name", stylize.OPTIMIZERS)
def test_the_returned_image_has_the_lowest_reported_loss(name):
  # The steps are too large, so that the last image is not the best.
  painted, reports = paint(name, rate=0.5, report_every=(1,))
  losses = [scalars["loss"] for _, scalars in reports]
  assert losses[-1] == min(losses)
  assert losses[-1] == pytest.approx(loss_of(painted), rel=1e-5)
  assert painted.min() >= 0 and painted.max() <= 1


@pytest.mark.parametrize(
  ("steps", "periods", "expected"),
  [
    (10, (4,), [0, 4, 8, 10]),
    (10, (4, 5), [0, 4, 5, 8, 10]),
    (3, (), [0, 3]),
    (0, (4,), [0]),
  ],
)
def test_reports_start_at_the_initial_image(steps, periods, expected):
  _, reports = paint(steps=steps, report_every=periods)
  assert [step for step, _ in reports] == expected
  first = reports[0][1]["loss"]
  assert first == pytest.approx(loss_of(toy.PHOTOGRAPH), rel=1e-5)


@pytest.mark.parametrize("name", stylize.OPTIMIZERS)
def test_several_steps_per_call_are_the_same_steps(name, monkeypatch):
  single, _ = paint(name, report_every=(1,))
  monkeypatch.setattr(jax, "default_backend", lambda: "accelerator")
  several, _ = paint(name, report_every=(7,))
  np.testing.assert_allclose(several, single, atol=1e-5, strict=True)


SHAPES = []


@dataclasses.dataclass(frozen=True)
class Traced(toy.Network):
  """Notes each shape that it is traced with."""

  def __call__(self, params, images, taps):
    SHAPES.append(images.shape)
    return super().__call__(params, images, taps)


def test_images_of_one_shape_are_compiled_once():
  run(extract=Traced())
  # Equal settings, in other objects.
  run(extract=Traced(), image=toy.draw(1, 8, 6, 3, seed=9))
  assert SHAPES == [(1, 8, 6, 3)]


@dataclasses.dataclass(frozen=True)
class Failing(toy.Network):
  """Finite at the photograph, but not 0.12 away from it."""

  def __call__(self, params, images, taps):
    far = jnp.any(jnp.abs(images - toy.PHOTOGRAPH) > 0.12)
    features = super().__call__(params, images, taps)
    return jax.tree.map(lambda x: jnp.where(far, jnp.nan, x), features)


def test_a_loss_that_is_not_finite_stops_at_its_step_with_the_best_image():
  # Adam moves 0.05 a step at first, and passes 0.12 at the third.
  with pytest.raises(stylize.NotFiniteError, match="at step 3") as caught:
    run(extract=Failing())
  best, _ = paint(steps=2)
  np.testing.assert_array_equal(caught.value.image, best, strict=True)


@pytest.mark.parametrize("name", stylize.OPTIMIZERS)
def test_a_painting_that_was_stopped_ends_as_one_that_was_not(name):
  whole, reports = run(name, ema_decay=0.5)
  part, first = run(name, ema_decay=0.5, stop_at=8)
  rest, others = run(name, ema_decay=0.5, start=part)
  jax.tree.map(np.testing.assert_array_equal, rest, whole)
  assert first + others == reports


def test_the_average_of_the_iterates_is_that_of_the_formula():
  images, start = [], None
  for steps in range(4):
    # Step k evaluates the k-th iterate.
    images.append(np.float64(start.image if start else toy.PHOTOGRAPH))
    start, _ = run(steps=steps, ema_decay=0.75, start=copy(start))
  weights = 0.75 ** np.arange(4)[::-1]
  expected = np.tensordot(weights / weights.sum(), np.stack(images), 1)
  optimizer = stylize.Optimizer(learning_rate=0.05, ema_decay=0.75)
  average = stylize.result(start, optimizer=optimizer)
  np.testing.assert_allclose(average, expected.astype("f"), rtol=1e-5)


def copy(painting):
  return jax.tree.map(jnp.copy, painting)


def test_a_larger_painting_goes_on_with_the_moments_of_adam():
  optimizer = stylize.Optimizer(learning_rate=0.05)
  small, _ = run(steps=5)
  large = stylize.resize(copy(small), (16, 12), optimizer=optimizer)
  assert large.image.shape == (1, 16, 12, 3) and large.step == 0
  (before, _), (after, _) = small.opt_state, large.opt_state
  assert after.count == before.count
  # Linear resizing keeps means, but for the borders.
  for one, other in ((before.mu, after.mu), (before.nu, after.nu)):
    assert float(other.mean()) == pytest.approx(float(one.mean()), rel=0.3)
