"""Painting: optimisation over the pixels of one image."""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from astgan.nst import lbfgs, margin, objective, tiles

Image = Float[Array, "1 h w 3"]
Gradient = objective.Whole | tiles.Tiled

OPTIMIZERS = {
  "adam": lambda rate: optax.with_extra_args_support(optax.adam(rate)),
  "lbfgs": lambda rate: lbfgs.lbfgs(initial_step=rate),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Optimizer:
  """An optimiser over pixels in [0, 1]. Equal settings are equal.

  Args:
    name: "adam" or "lbfgs".
    learning_rate: step size of Adam, or mean absolute change of the first step
      of L-BFGS, in pixel values. L-BFGS chooses its later step sizes.
    ema_decay: of the average of the iterates, which then is the painting; 0
      paints the iterate of the lowest loss.

  Raises:
    ValueError: there is no optimiser of that name, the learning rate is not
      above 0, or the decay not in [0, 1).

  References: Polyak and Juditsky, Acceleration of Stochastic Approximation by
    Averaging, 1992.
  """

  name: str = "adam"
  learning_rate: float = 0.02
  ema_decay: float = 0.0

  def __post_init__(self):
    if self.name not in OPTIMIZERS:
      raise ValueError(
        f"optimizer is one of {', '.join(OPTIMIZERS)}, not {self.name!r}"
      )
    if not self.learning_rate > 0:
      raise ValueError(f"learning_rate is above 0, not {self.learning_rate}")
    if not 0 <= self.ema_decay < 1:
      raise ValueError(f"ema_decay is in [0, 1), not {self.ema_decay}")

  @property
  def transformation(self) -> optax.GradientTransformationExtraArgs:
    """The optax transformation."""
    return OPTIMIZERS[self.name](self.learning_rate)


class Painting(NamedTuple):
  """The state of the optimisation, on the device: arrays only."""

  # The next image to be evaluated, and the number of completed updates.
  image: Image
  step: jax.Array
  opt_state: Any
  # The losses of the last image evaluated.
  scalars: objective.Scalars
  # The image of the lowest loss so far, and its losses.
  best_image: Image
  best_scalars: objective.Scalars
  # The decaying sum of the evaluated images, and that of their weights.
  average: Image
  average_weight: jax.Array
  # The first step whose loss was not finite, or -1.
  nonfinite_step: jax.Array


class NotFiniteError(FloatingPointError):
  """A loss that was not finite; `image` is the best one before it.

  Attributes:
    step: completed updates before it.
  """

  def __init__(self, step: int, image: Image):
    super().__init__(
      f"the loss is not finite at step {step}; lower the weights of the losses"
      " or the learning rate"
    )
    self.step, self.image = step, image


def init(
  image: Image, names: Sequence[str], *, optimizer: Optimizer
) -> Painting:
  """The state before the first step.

  Args:
    image: the initial image, in [0, 1].
    names: of the losses, see `Objective.names`.
    optimizer: over pixels.
  """

  # A donated state must not hold one buffer twice.
  def infinite():
    return {name: jnp.float32(jnp.inf) for name in names}

  return Painting(
    image=jnp.copy(image),
    step=jnp.zeros((), jnp.int32),
    opt_state=optimizer.transformation.init(image),
    scalars=infinite(),
    best_image=jnp.copy(image),
    best_scalars=infinite(),
    average=jnp.zeros_like(image),
    average_weight=jnp.zeros((), jnp.float32),
    nonfinite_step=jnp.full((), -1, jnp.int32),
  )


def resize(
  painting: Painting,
  shape: tuple[int, int],
  *,
  optimizer: Optimizer,
  width: int = 0,
) -> Painting:
  """The state at another size, before its first step there.

  It begins with the painting so far. The moments of Adam go with it, resized
  like the image. L-BFGS begins anew, since its pairs belong to another
  objective.

  Args:
    painting: the state at one size.
    shape: height and width of the next, without its margin.
    optimizer: over pixels.
    width: of the margin at either size, in pixels.
  """

  def enlarge(image):
    sides = (image.shape[0], *shape, image.shape[-1])
    inner = margin.cut(image, width)
    return margin.extend(jax.image.resize(inner, sides, "linear"), width)

  image = jnp.clip(enlarge(result(painting, optimizer=optimizer)), 0, 1)
  start = init(image, tuple(painting.scalars), optimizer=optimizer)
  if optimizer.name != "adam":
    return start
  moments = jax.tree.map(
    lambda leaf: enlarge(leaf) if leaf.ndim == 4 else leaf, painting.opt_state
  )
  return start._replace(opt_state=moments)


def result(painting: Painting, *, optimizer: Optimizer) -> Image:
  """The painting that a state gives."""
  if not optimizer.ema_decay:
    return painting.best_image
  return painting.average / jnp.maximum(painting.average_weight, 1e-30)


def stylize(
  painting: Painting,
  params: Any,
  targets: objective.Targets,
  *,
  gradient: Gradient,
  optimizer: Optimizer,
  steps: int,
  report_every: Sequence[int],
  report: Callable[
    [int, dict[str, float], Painting], object
  ] = lambda step, scalars, painting: None,
) -> Painting:
  """The state after `steps` updates in all.

  Every step evaluates the loss and its gradient once, with either optimiser,
  and clips the image to [0, 1]. Losses stay on the device until they are
  reported. Images of one shape with equal settings compile once.

  Args:
    painting: from `init`, `resize`, or a call that was stopped: then the steps
      that are left are exactly those that it would have made.
    params, targets: as for `objective.Objective`.
    gradient: the objective, whole or in tiles.
    optimizer: over pixels.
    steps: number of updates.
    report_every: periods in steps, each with its reports; () has those of the
      initial image and of the end alone.
    report: called with the number of completed updates, the losses of the image
      at that step, and the state, which it must not keep. The last call has the
      lowest losses. A true result stops.

  Raises:
    NotFiniteError: a loss was not finite, naming the first such step.
  """
  evaluated = int(painting.step) - 1
  reported = (range(0, steps, period) for period in report_every)
  for step in sorted({0, steps}.union(*reported)):
    if step <= evaluated:
      continue
    painting = run(
      painting, params, targets, step - evaluated,
      gradient=gradient, optimizer=optimizer,
    )  # fmt: skip
    evaluated = step
    scalars = painting.best_scalars if step == steps else painting.scalars
    scalars, nonfinite_step = jax.device_get((scalars, painting.nonfinite_step))
    if nonfinite_step >= 0:
      raise NotFiniteError(int(nonfinite_step), painting.best_image)
    scalars = {name: float(value) for name, value in scalars.items()}
    if report(step, scalars, painting):
      break
  return painting


def run(
  painting: Painting,
  params: Any,
  targets: objective.Targets,
  count: int,
  *,
  gradient: Gradient,
  optimizer: Optimizer,
) -> Painting:
  """The state `count` steps later. The given state is donated.

  Returns without waiting for the device.
  """
  if not gradient.traceable:
    for _ in range(count):
      evaluation = gradient.value_and_grad(painting.image, params, targets)
      painting = _apply(painting, evaluation, optimizer=optimizer)
    return painting
  fixed = {"gradient": gradient, "optimizer": optimizer}
  # Convolutions in loops are slow on CPUs, dispatch is slow on accelerators.
  if jax.default_backend() == "cpu":
    for _ in range(count):
      painting = _step(painting, params, targets, **fixed)
    return painting
  return _steps(painting, params, targets, count, **fixed)


def _update(painting, params, targets, *, gradient, optimizer):
  """Evaluates the current image and computes the next one."""
  evaluation = gradient.value_and_grad(painting.image, params, targets)
  return _next(painting, evaluation, optimizer)


def _next(painting, evaluation, optimizer):
  (loss, scalars), gradient = evaluation
  # optax.adam computes float ** int, which strict promotion refuses.
  with jax.numpy_dtype_promotion("standard"):
    updates, opt_state = optimizer.transformation.update(
      gradient, painting.opt_state, painting.image, value=loss
    )
  better = loss < painting.best_scalars["loss"]
  first_nonfinite = (painting.nonfinite_step < 0) & ~jnp.isfinite(loss)
  decay = optimizer.ema_decay
  return Painting(
    image=jnp.clip(optax.apply_updates(painting.image, updates), 0, 1),
    step=painting.step + 1,
    opt_state=opt_state,
    scalars=scalars,
    best_image=jnp.where(better, painting.image, painting.best_image),
    best_scalars=jax.tree.map(
      functools.partial(jnp.where, better), scalars, painting.best_scalars
    ),
    average=decay * painting.average + (1 - decay) * painting.image,
    average_weight=decay * painting.average_weight + (1 - decay),
    nonfinite_step=jnp.where(
      first_nonfinite, painting.step, painting.nonfinite_step
    ),
  )


_STATIC = ("gradient", "optimizer")


@functools.partial(jax.jit, static_argnames=_STATIC, donate_argnums=0)
def _step(painting, params, targets, **fixed):
  return _update(painting, params, targets, **fixed)


@functools.partial(jax.jit, static_argnames=_STATIC, donate_argnums=0)
def _steps(painting, params, targets, count, **fixed):
  # `count` is traced, so that a last, shorter call does not compile again.
  return jax.lax.fori_loop(
    0, count, lambda _, p: _update(p, params, targets, **fixed), painting
  )


@functools.partial(jax.jit, static_argnames="optimizer", donate_argnums=0)
def _apply(painting, evaluation, *, optimizer):
  return _next(painting, evaluation, optimizer)
