"""Painting: gradient descent over the pixels of one picture."""

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

  The same arguments give the same object, with which nothing compiles twice.

  Args:
    name: "adam" or "lbfgs".
    learning_rate: Adam's step size, and the mean size of L-BFGS' first step,
      in pixel values; L-BFGS finds the later ones itself.

  Raises:
    ValueError: there is no optimiser of that name.
  """
  if name not in OPTIMIZERS:
    raise ValueError(f"optimizer is one of {sorted(OPTIMIZERS)}, not {name!r}")
  return OPTIMIZERS[name](learning_rate)


OPTIMIZERS = {
  "adam": lambda rate: optax.with_extra_args_support(optax.adam(rate)),
  "lbfgs": lambda rate: lbfgs.lbfgs(first_step=rate),
}


class Painting(NamedTuple):
  """All that a step changes, on the device."""

  # The picture evaluated next, completed updates and the optimiser's state.
  image: Image
  step: jax.Array
  optimizer: Any
  # The losses of the last picture evaluated.
  scalars: objective.Scalars
  # The picture of the lowest loss so far, and its losses.
  best_image: Image
  best_scalars: objective.Scalars
  # The first step whose loss was not finite, or -1.
  broken: jax.Array


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
  """The painted picture: of all that were evaluated, that of the lowest loss.

  Every step evaluates the loss and its gradient once, whatever the optimiser,
  and clips the picture to [0, 1]. Losses stay on the device until they are
  reported. Painting pictures of one shape with the same `extract`, `terms` and
  `optimizer` objects compiles once.

  Args:
    image: where to start, in [0, 1].
    params, targets, extract, terms: as for `objective.objective`.
    optimizer: from `make_optimizer`.
    steps: updates.
    report_every: steps between reports.
    report: called with completed updates and the losses of the picture then:
      first with 0, last with `steps` and the losses of what is returned.

  Raises:
    FloatingPointError: a loss was not finite, naming the first such step.
  """
  fixed = {"extract": extract, "terms": terms, "optimizer": optimizer}
  painting = begin(image, optimizer)
  evaluated = -1
  for step in [*range(0, steps, report_every), steps]:
    painting = advance(painting, params, targets, step - evaluated, **fixed)
    evaluated = step
    scalars = painting.best_scalars if step == steps else painting.scalars
    scalars, broken = jax.device_get((scalars, painting.broken))
    if broken >= 0:
      raise FloatingPointError(f"the loss is not finite at step {broken}")
    report(step, {name: float(value) for name, value in scalars.items()})
  return painting.best_image


def begin(
  image: Image, optimizer: optax.GradientTransformationExtraArgs
) -> Painting:
  """A painting on which no step was made."""

  # Each buffer is donated for itself, so none may stand here twice.
  def unknown():
    return {name: jnp.float32(jnp.inf) for name in objective.NAMES}

  return Painting(
    image=jnp.copy(image),
    step=jnp.zeros((), jnp.int32),
    optimizer=optimizer.init(image),
    scalars=unknown(),
    best_image=jnp.copy(image),
    best_scalars=unknown(),
    broken=jnp.full((), -1, jnp.int32),
  )


def advance(
  painting: Painting,
  params: Any,
  targets: objective.Targets,
  count: int,
  *,
  extract: objective.Extract,
  terms: objective.Terms,
  optimizer: optax.GradientTransformationExtraArgs,
) -> Painting:
  """The painting `count` steps later; the one handed in is used up.

  Returns without waiting for the device.
  """
  fixed = {"extract": extract, "terms": terms, "optimizer": optimizer}
  # Convolutions in loops are slow on CPUs, and calls on accelerators.
  if jax.default_backend() == "cpu":
    for _ in range(count):
      painting = _step(painting, params, targets, **fixed)
    return painting
  return _steps(painting, params, targets, count, **fixed)


def _update(painting, params, targets, *, extract, terms, optimizer):
  """Evaluates the picture at hand and makes the next one."""
  (loss, scalars), gradient = jax.value_and_grad(
    objective.objective, has_aux=True
  )(painting.image, params, targets, extract=extract, terms=terms)
  # optax raises floats to integers, which strict promotion would refuse.
  with jax.numpy_dtype_promotion("standard"):
    updates, state = optimizer.update(
      gradient, painting.optimizer, painting.image, value=loss
    )
  better = loss < painting.best_scalars["loss"]
  broken = (painting.broken < 0) & ~jnp.isfinite(loss)
  return Painting(
    image=jnp.clip(optax.apply_updates(painting.image, updates), 0, 1),
    step=painting.step + 1,
    optimizer=state,
    scalars=scalars,
    best_image=jnp.where(better, painting.image, painting.best_image),
    best_scalars=jax.tree.map(
      functools.partial(jnp.where, better), scalars, painting.best_scalars
    ),
    broken=jnp.where(broken, painting.step, painting.broken),
  )


_STATIC = ("extract", "terms", "optimizer")


@functools.partial(jax.jit, static_argnames=_STATIC, donate_argnums=0)
def _step(painting, params, targets, **fixed):
  return _update(painting, params, targets, **fixed)


@functools.partial(jax.jit, static_argnames=_STATIC, donate_argnums=0)
def _steps(painting, params, targets, count, **fixed):
  # The count is an argument, so that the last, shorter call compiles nothing.
  return jax.lax.fori_loop(
    0, count, lambda _, p: _update(p, params, targets, **fixed), painting
  )
