"""Style transfer of arrays, without files and configs."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from astgan.data import images
from astgan.features import weights
from astgan.nst import (
  choices,
  description,
  network,
  optimize,
  regions,
  styles,
)
from astgan.nst import recipe as recipes


def transfer(
  photograph: styles.Image,
  style_images: Sequence[styles.Image],
  *,
  recipe: recipes.Recipe | None = None,
  params: Any = None,
  mask: regions.Mask | None = None,
  seed: int = 0,
) -> styles.Image:
  """The photograph in the style of a group of images.

    from astgan import nst
    recipe = nst.make(size=384, style_weight=200_000.0)
    painting = nst.transfer(photograph, [starry_night], recipe=recipe)

  Args:
    photograph: [h w 3] in [0, 1], of any size.
    style_images: likewise; all of them are one style.
    recipe: from `make`; the defaults of configs/best.py.
    params: parameters of the feature network; fetched once and kept in the
      user's cache where they are not given.
    mask: where the style is painted, in [0, 1]; everywhere by default.
    seed: of the noise of `init="noise"`.

  Returns: the painting, its longer side that of the recipe.

  Raises:
    ValueError: an image is not [h w 3] in [0, 1], there is no style image, or
      the mask is not [h w] in [0, 1].
    UserError: the painting needs more memory than there is, the weights cannot
      be fetched, or the mask is 0 everywhere.
    NotFiniteError: a loss was not finite.
  """
  _check(photograph, style_images)
  if mask is not None:
    mask = np.asarray(mask, np.float32)
    if mask.ndim != 2:
      raise ValueError(f"mask has shape {mask.shape}; expected [h w]")
    _check_range("mask", mask)
  recipe = recipe or recipes.make()
  if params is None:
    params = network.cast(weights.load(recipe.style.network.net), "auto")
  group = styles.Arrays(style_images, recipe.size)
  style = description.describe(
    recipe, params, [group], in_regions=mask is not None
  )
  shape = images.fitted(photograph.shape[:2], recipe.size)
  content = jnp.asarray(photograph, jnp.float32)
  content = jax.image.resize(content, (*shape, 3), "linear")
  painting = optimize.paint_one(
    jax.random.key(seed),
    jnp.clip(content, 0, 1)[None],
    recipe=recipe,
    params=params,
    style=style,
    masks=() if mask is None else (mask,),
    report_every=(),
  )
  return np.asarray(painting[0])


def nearest(
  photograph: styles.Image,
  style_images: Sequence[styles.Image],
  *,
  count: int,
  params: Any = None,
) -> list[styles.Image]:
  """Those style images that look most like the photograph, nearest first.

  A painting in their style has the hues and the touch that belong to what it
  shows, where that of a whole group has patches of every hue.

  Args:
    photograph: [h w 3] in [0, 1], of any size.
    style_images: likewise.
    count: how many; all of them, in their order, where there are no more.
    params: as of `transfer`, of VGG19.

  Raises:
    ValueError: as `transfer`, or the count is less than 1.
    UserError: the weights cannot be fetched.
  """
  _check(photograph, style_images)
  if count < 1:
    raise ValueError(f"count is at least 1, not {count}")
  if count >= len(style_images):
    return list(style_images)
  if params is None:
    params = network.cast(weights.load("vgg19"), "auto")
  group = styles.Arrays(style_images, longer_side=1)  # Which is not heeded.
  chooser = choices.Nearest(params, [group], count=count)
  (chosen,) = chooser.choose(params, photograph)
  return list(chosen.images)


def _check(photograph, style_images):
  if not len(style_images):
    raise ValueError("style_images holds no image; give at least one")
  for name, image in (
    ("photograph", photograph),
    *((f"style_images[{i}]", image) for i, image in enumerate(style_images)),
  ):
    image = np.asarray(image)
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype.kind != "f":
      raise ValueError(
        f"{name} is {image.dtype} of shape {image.shape}; expected floats of"
        " shape [h w 3]"
      )
    _check_range(name, image)


def _check_range(name, values):
  if not (values.min() >= 0 and values.max() <= 1):
    raise ValueError(
      f"{name} has values from {values.min():g} to {values.max():g}; expected"
      " [0, 1]"
    )
