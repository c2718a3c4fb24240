"""One photograph painted by optimisation, from coarse to fine."""

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from astgan import memory
from astgan.data import images
from astgan.nst import (
  description,
  margin,
  objective,
  regions,
  sizes,
  start,
  stylize,
)
from astgan.nst import recipe as recipes

Image = Float[Array, "1 h w 3"]


class Progress(NamedTuple):
  """An unfinished painting: the level of the pyramid and its state."""

  level: int
  painting: stylize.Painting


def paint_one(
  key: jax.Array,
  photograph: Image,
  *,
  recipe: recipes.Recipe,
  params: Any,
  style: description.Style,
  masks: Sequence[regions.Mask] = (),
  progress: Progress | None = None,
  report_every: Sequence[int] = (1,),
  report: Callable[
    [int, dict[str, float], Progress], object
  ] = lambda step, scalars, progress: None,
) -> Image | None:
  """The painting of a photograph; None where it was stopped.

  Args:
    key: of the noise of `paint.init=noise`.
    photograph: in [0, 1], of the size of the painting.
    recipe: of the painting.
    params: parameters of the feature network.
    style: from `description.describe` with the same recipe.
    masks: where each style is painted, of any size; none paint one style
      everywhere.
    progress: of a painting that was stopped.
    report_every: periods in steps, each with its reports; a level always begins
      and ends with one.
    report: called with the number of completed updates of all levels, the
      losses, and the progress, which it must not keep. A true result stops.

  Raises:
    UserError: the painting needs more memory than there is.
    NotFiniteError: a loss was not finite.
  """
  optimizer = recipe.optimizer

  def choose(target, shape):
    return sizes.choose(
      target,
      shape,
      optimizer=optimizer,
      tile=recipe.tile,
      available=memory.available_bytes(),
      margin=recipe.margin,
    )

  # A painting that is too large is refused before its coarser levels.
  height, width = (x + 2 * recipe.margin for x in photograph.shape[1:3])
  choose(recipe.objective(regions=len(masks)), (height, width))
  first_level, painting = progress or (0, None)
  is_stopped = False
  for level in range(first_level, len(recipe.levels)):
    side, steps, others = recipe.levels[level]
    target = recipe.objective(level, regions=len(masks))
    inner = _resized(photograph, side)
    content = margin.extend(inner, recipe.margin)
    shape = content.shape[1:3]
    if painting is None:
      # Not kept under a name: it is as large as the painting.
      painting = stylize.init(
        margin.extend(
          start.initial_image(
            key, recipe.init, inner, style.first, style.palette
          ),
          recipe.margin,
        ),
        target.names,
        optimizer=optimizer,
      )
    elif painting.image.shape[1:3] != shape:
      painting = stylize.resize(
        painting,
        inner.shape[1:3],
        optimizer=optimizer,
        width=recipe.margin,
      )
    gradient = choose(target, shape)
    extended_masks = [
      margin.extend_mask(mask, inner.shape[1:3], recipe.margin)
      for mask in masks
    ]
    targets = objective.Targets(
      content={
        "image": content,
        **gradient.features(content, params, recipe.content_layers),
      },
      items=style.targets[side] + (None,) * len(others),
      everywhere=regions.make(target, params, content.shape[1:]),
      regions=regions.split(target, params, content.shape[1:], extended_masks),
    )

    def pass_on(step, scalars, painting, level=level):
      nonlocal is_stopped
      if level and not step:  # The end of the level before has this number.
        return False
      done = recipe.steps_before(level) + step
      is_stopped = bool(report(done, scalars, Progress(level, painting)))
      return is_stopped

    try:
      painting = stylize.stylize(
        painting,
        params,
        targets,
        gradient=gradient,
        optimizer=optimizer,
        steps=steps,
        report_every=report_every,
        report=pass_on,
      )
    except stylize.NotFiniteError as error:
      raise stylize.NotFiniteError(
        recipe.steps_before(level) + error.step,
        margin.cut(error.image, recipe.margin),
      ) from None
    if is_stopped:
      return None
  return result(painting, recipe)


def result(painting: stylize.Painting, recipe: recipes.Recipe) -> Image:
  """The painting that a state gives, without its margin."""
  whole = stylize.result(painting, optimizer=recipe.optimizer)
  return margin.cut(whole, recipe.margin)


def done(progress: Progress | None, recipe: recipes.Recipe) -> int:
  """The last step that was reported; -1 is none."""
  if progress is None:
    return -1
  return recipe.steps_before(progress.level) + int(progress.painting.step) - 1


def like(
  level: int, shape: tuple[int, int], recipe: recipes.Recipe
) -> stylize.Painting:
  """The shapes of a state at a level.

  Args:
    level: of the pyramid.
    shape: of the finished painting.
    recipe: of the painting.
  """
  height, width = images.fitted(shape, recipe.levels[level].side)
  sides = (1, height + 2 * recipe.margin, width + 2 * recipe.margin, 3)
  make = functools.partial(
    stylize.init,
    names=recipe.objective().names,  # Whatever the regions.
    optimizer=recipe.optimizer,
  )
  return jax.eval_shape(make, jax.ShapeDtypeStruct(sides, jnp.float32))


def _resized(photograph, side):
  """The photograph with that longer side."""
  shape = images.fitted(photograph.shape[1:3], side)
  if shape == photograph.shape[1:3]:
    return photograph
  sides = (1, *shape, 3)
  return jnp.clip(jax.image.resize(photograph, sides, "linear"), 0, 1)
