"""Painting: optimisation over the pixels of one image."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from astgan.nst import lbfgs, objective

Image = Float[Array, "1 h w 3"]


@functools.cache
def make_optimizer(
  name: str, learning_rate: float
) -> optax.GradientTransformationExtraArgs:
  """The optimiser of that name over pixels in [0, 1].

  The same arguments give the same object, so that jit does not compile twice.

  Args:
    name: "adam" or "lbfgs".
    learning_rate: step size of Adam, or mean absolute change of the first step
      of L-BFGS, in pixel values. L-BFGS chooses its later step sizes.

  Raises:
    ValueError: there is no optimiser of that name.
  """
  if name not in OPTIMIZERS:
    raise ValueError(f"optimizer is one of {sorted(OPTIMIZERS)}, not {name!r}")
  return OPTIMIZERS[name](learning_rate)


OPTIMIZERS = {
  "adam": lambda rate: optax.with_extra_args_support(optax.adam(rate)),
  "lbfgs": lambda rate: lbfgs.lbfgs(initial_step=rate),
}


class Painting(NamedTuple):
  """The state of the optimisation, on the device."""

  # The next image to be evaluated, and the number of completed updates.
  image: Image
  step: jax.Array
  opt_state: Any
  # The losses of the last image evaluated.
  scalars: objective.Scalars
  # The image of the lowest loss so far, and its losses.
  best_image: Image
  best_scalars: objective.Scalars
  # The first step whose loss was not finite, or -1.
  nonfinite_step: jax.Array


def stylize(
  image: Image,
  params: Any,
  targets: objective.Targets,
  *,
  extract: objective.Extract,
  terms: objective.Terms,
  optimizer: optax.GradientTransformationExtraArgs,
  steps: int,
  report_every: int,
  report: Callable[[int, dict[str, float]], None] = lambda step, scalars: None,
) -> Image:
  """The painting: the evaluated image of the lowest loss.

  Every step evaluates the loss and its gradient once, with either optimiser,
  and clips the image to [0, 1]. Losses stay on the device until they are
  reported. Images of one shape with the same `extract`, `terms` and `optimizer`
  objects compile once.

  Args:
    image: the initial image, in [0, 1].
    params, targets, extract, terms: as for `objective.objective`.
    optimizer: from `make_optimizer`.
    steps: number of updates.
    report_every: steps between reports.
    report: called with the number of completed updates and the losses of the
      image at that step. The last call has the losses of the returned image.

  Raises:
    FloatingPointError: a loss was not finite, naming the first such step.
  """
  fixed = {"extract": extract, "terms": terms, "optimizer": optimizer}
  painting = init(image, optimizer)
  evaluated = -1
  for step in [*range(0, steps, report_every), steps]:
    painting = run(painting, params, targets, step - evaluated, **fixed)
    evaluated = step
    scalars = painting.best_scalars if step == steps else painting.scalars
    scalars, nonfinite_step = jax.device_get((scalars, painting.nonfinite_step))
    if nonfinite_step >= 0:
      raise FloatingPointError(
        f"the loss is not finite at step {nonfinite_step}"
      )
    report(step, {name: float(value) for name, value in scalars.items()})
  return painting.best_image


def init(
  image: Image, optimizer: optax.GradientTransformationExtraArgs
) -> Painting:
  """The state before the first step."""

  # A donated state must not hold one buffer twice.
  def infinite():
    return {name: jnp.float32(jnp.inf) for name in objective.LOSSES}

  return Painting(
    image=jnp.copy(image),
    step=jnp.zeros((), jnp.int32),
    opt_state=optimizer.init(image),
    scalars=infinite(),
    best_image=jnp.copy(image),
    best_scalars=infinite(),
    nonfinite_step=jnp.full((), -1, jnp.int32),
  )


def run(
  painting: Painting,
  params: Any,
  targets: objective.Targets,
  count: int,
  *,
  extract: objective.Extract,
  terms: objective.Terms,
  optimizer: optax.GradientTransformationExtraArgs,
) -> Painting:
  """The state `count` steps later. The given state is donated.

  Returns without waiting for the device.
  """
  fixed = {"extract": extract, "terms": terms, "optimizer": optimizer}
  # Convolutions in loops are slow on CPUs, dispatch is slow on accelerators.
  if jax.default_backend() == "cpu":
    for _ in range(count):
      painting = _step(painting, params, targets, **fixed)
    return painting
  return _steps(painting, params, targets, count, **fixed)


def _update(painting, params, targets, *, extract, terms, optimizer):
  """Evaluates the current image and computes the next one."""
  (loss, scalars), gradient = jax.value_and_grad(
    objective.objective, has_aux=True
  )(painting.image, params, targets, extract=extract, terms=terms)
  # optax.adam computes float ** int, which strict promotion refuses.
  with jax.numpy_dtype_promotion("standard"):
    updates, opt_state = optimizer.update(
      gradient, painting.opt_state, painting.image, value=loss
    )
  better = loss < painting.best_scalars["loss"]
  first_nonfinite = (painting.nonfinite_step < 0) & ~jnp.isfinite(loss)
  return Painting(
    image=jnp.clip(optax.apply_updates(painting.image, updates), 0, 1),
    step=painting.step + 1,
    opt_state=opt_state,
    scalars=scalars,
    best_image=jnp.where(better, painting.image, painting.best_image),
    best_scalars=jax.tree.map(
      functools.partial(jnp.where, better), scalars, painting.best_scalars
    ),
    nonfinite_step=jnp.where(
      first_nonfinite, painting.step, painting.nonfinite_step
    ),
  )


_STATIC = ("extract", "terms", "optimizer")


@functools.partial(jax.jit, static_argnames=_STATIC, donate_argnums=0)
def _step(painting, params, targets, **fixed):
  return _update(painting, params, targets, **fixed)


@functools.partial(jax.jit, static_argnames=_STATIC, donate_argnums=0)
def _steps(painting, params, targets, count, **fixed):
  # `count` is traced, so that a last, shorter call does not compile again.
  return jax.lax.fori_loop(
    0, count, lambda _, p: _update(p, params, targets, **fixed), painting
  )
