"""One photograph painted by optimisation, from coarse to fine."""

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import ml_collections
import numpy as np
import tqdm
from jaxtyping import Array, Float

from astgan import memory
from astgan.data import images
from astgan.nst import (
  groups,
  objective,
  recipe,
  regions,
  sizes,
  start,
  styles,
  stylize,
)

Image = Float[Array, "1 h w 3"]


class Progress(NamedTuple):
  """An unfinished painting: the level of the pyramid and its state."""

  level: int
  painting: stylize.Painting


class Style(NamedTuple):
  """A style, described for every level of the pyramid.

  Args:
    targets: of the style terms, by longer side of the painting.
    first: the first image, for `paint.init=style`.
    contact_sheet: the first images.
  """

  targets: dict[int, tuple[Any, ...]]
  first: Image
  contact_sheet: images.Pixels


def describe(
  config: ml_collections.ConfigDict,
  params: Any,
  style: styles.Files | styles.Generated,
) -> Style:
  """The style at the sizes of the pyramid. Each image is read once."""
  target = recipe.style_objective(config)
  measure = objective.Whole(target)
  paint = config.paint
  levels = sizes.pyramid(paint.size, paint.coarsest)
  described = {side: groups.Group(params, measure) for side in levels}
  thumbnails, first = [], None
  for image in tqdm.tqdm(style, desc="style", unit="image"):
    if first is None:
      first = style.shown(image)[None]
    if len(thumbnails) < styles.MAX_SHOWN:
      thumbnails.append(style.thumbnail(image))
    for side, group in described.items():
      group.add(style.shown(image, scale=side / paint.size))
  targets = {side: group.targets() for side, group in described.items()}
  sheet = images.grid(np.stack(thumbnails), columns=8)
  return Style(targets, first, sheet)


def total_steps(config: ml_collections.ConfigDict) -> int:
  """Updates of a whole painting."""
  return sum(_steps(config))


def _steps(config):
  """Updates at each level of the pyramid."""
  paint = config.paint
  levels = sizes.pyramid(paint.size, paint.coarsest)
  coarsest = paint.coarsest_steps if len(levels) > 1 else 0
  return [coarsest or paint.steps] + [paint.steps] * (len(levels) - 1)


def paint_one(
  key: jax.Array,
  photograph: Image,
  *,
  config: ml_collections.ConfigDict,
  params: Any,
  style: Style,
  progress: Progress | None = None,
  report: Callable[[int, dict[str, float], Progress, bool], object],
) -> Image | None:
  """The painting of a photograph; None where it was stopped.

  Args:
    key: of the noise of `paint.init=noise`.
    photograph: in [0, 1], of the size of the painting.
    config: the whole config.
    params: parameters of the feature network.
    style: from `describe`.
    progress: of a painting that was stopped.
    report: called with the number of completed updates of all levels, the
      losses, the progress, which it must not keep, and whether the losses are
      to be logged: at every `paint.log_every` steps, and at the end of a level.
      A true result stops.

  Raises:
    UserError: the painting needs more memory than there is.
    NotFiniteError: a loss was not finite.
  """
  target = recipe.make_objective(config)
  optimizer = recipe.make_optimizer(config)
  paint = config.paint
  levels, steps = sizes.pyramid(paint.size, paint.coarsest), _steps(config)
  first_level, painting = progress or (0, None)
  for level in range(first_level, len(levels)):
    side = levels[level]
    content = _resized(photograph, side)
    shape = content.shape[1:3]
    if painting is None:
      initial = start.initial_image(key, paint.init, content, style.first)
      painting = stylize.init(initial, target.names, optimizer=optimizer)
    elif painting.image.shape[1:3] != shape:
      painting = stylize.resize(painting, shape, optimizer=optimizer)
    gradient = sizes.choose(
      target,
      shape,
      optimizer=optimizer,
      tile=paint.tile,
      available=memory.available_bytes(),
    )
    layers = tuple(paint.content_layers)
    targets = objective.Targets(
      content=gradient.features(content, params, layers),
      items=style.targets[side] + (None, None),
      everywhere=regions.make(target, params, content.shape[1:]),
    )

    def pass_on(step, scalars, painting, level=level):
      if level and not step:  # The end of the level before has this number.
        return False
      is_logged = step % paint.log_every == 0 or step == steps[level]
      done = sum(steps[:level]) + step
      return report(done, scalars, Progress(level, painting), is_logged)

    painting = stylize.stylize(
      painting,
      params,
      targets,
      gradient=gradient,
      optimizer=optimizer,
      steps=steps[level],
      report_every=_report_every(config),
      report=pass_on,
    )
    if painting.step <= steps[level]:
      return None
  return stylize.result(painting, optimizer=optimizer)


def done(progress: Progress | None, config: ml_collections.ConfigDict) -> int:
  """The last step that was reported; -1 is none."""
  if progress is None:
    return -1
  return sum(_steps(config)[: progress.level]) + int(progress.painting.step) - 1


def like(
  level: int, shape: tuple[int, int], config: ml_collections.ConfigDict
) -> stylize.Painting:
  """The shapes of a state at a level.

  Args:
    level: of the pyramid.
    shape: of the finished painting.
    config: the whole config.
  """
  paint = config.paint
  side = sizes.pyramid(paint.size, paint.coarsest)[level]
  image = jax.ShapeDtypeStruct((1, *images.fitted(shape, side), 3), jnp.float32)
  names = recipe.make_objective(config).names
  make = functools.partial(
    stylize.init, names=names, optimizer=recipe.make_optimizer(config)
  )
  return jax.eval_shape(make, image)


def _resized(photograph, side):
  """The photograph with that longer side."""
  shape = images.fitted(photograph.shape[1:3], side)
  if shape == photograph.shape[1:3]:
    return photograph
  sides = (1, *shape, 3)
  return jnp.clip(jax.image.resize(photograph, sides, "linear"), 0, 1)


def _report_every(config):
  """On CPUs a report is cheap next to a step, and the progress bar moves."""
  if jax.default_backend() == "cpu":
    return 1
  return math.gcd(config.paint.log_every, config.paint.save_every)
