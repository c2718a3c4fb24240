"""The style of a painting: of one group, of several, or of one per region."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
import tqdm
from jaxtyping import Array, Float

from astgan import memory
from astgan.data import images
from astgan.nst import colour, groups, regions, sizes, styles
from astgan.nst import recipe as recipes

# Colours of pixels that are kept, of each image and of all of them (12 MiB).
_OF_IMAGE, _COLOURS = 4096, 2**20


class Style(NamedTuple):
  """Styles, described for every level of the pyramid.

  Args:
    targets: of the style terms, by longer side of the painting; those of one
      region after those of another.
    first: the first image, for `paint.init=style`.
    palette: colours of pixels of all images, of each style as many as it
      weighs.
    contact_sheet: the first images.
  """

  targets: dict[int, tuple[Any, ...]]
  first: Float[Array, "1 _ _ 3"]
  palette: colour.Pixels
  contact_sheet: images.Pixels


def describe(
  recipe: recipes.Recipe,
  params: Any,
  opened: Sequence[styles.Files | styles.Generated | styles.Arrays],
  *,
  blend: Sequence[float] = (),
  style_masks: Sequence[regions.Mask | None] = (),
  in_regions: bool = False,
  recolour: Callable[[styles.Image], styles.Image] = lambda image: image,
) -> Style:
  """The styles at the sizes of the pyramid. Each image is read once.

  Args:
    recipe: of the painting.
    params: parameters of the feature network.
    opened: the styles.
    blend: the weight of each style, more than 0, however many images it has; ()
      is 1.
    style_masks: which part of the images of each style counts, of any size;
      None is all of it.
    in_regions: whether each style has a region of its own.
    recolour: what becomes of the colours of a style image.
  """
  largest = max(style.longer_side for style in opened) / recipe.size
  described = {
    level.side: [
      groups.Group(params, _measure(recipe, round(largest * level.side)))
      for _ in opened
    ]
    for level in recipe.levels
  }
  masks = style_masks or (None,) * len(opened)
  blend = blend or (1.0,) * len(opened)
  counts = _colours(opened, blend)
  thumbnails, palette, first = [], [], None
  for number, style in enumerate(opened):
    mask = masks[number]
    for image in tqdm.tqdm(style, desc="style", unit="image"):
      full = recolour(style.shown(image))
      first = full if first is None else first
      palette.append(colour.palette(full, count=counts[number]))
      if len(thumbnails) < styles.MAX_SHOWN:
        thumbnails.append(style.thumbnail(image, alone=len(opened) == 1))
      for side, of_styles in described.items():
        shown, scale = full, side / recipe.size
        if side != recipe.size:
          shown = recolour(style.shown(image, scale=scale))
        part = mask
        if part is not None:
          part = style.shown_mask(part, shown, scale=scale)
        of_styles[number].add(shown, mask=part)
  if not in_regions:
    described = {
      side: [_blend(of_styles, blend)] for side, of_styles in described.items()
    }
  return Style(
    targets={
      side: sum((group.targets() for group in of_regions), ())
      for side, of_regions in described.items()
    },
    first=jnp.asarray(first)[None],
    palette=np.concatenate(palette),
    contact_sheet=images.grid(np.stack(thumbnails), columns=8),
  )


def _blend(of_styles, weights):
  """One group of all, in which each style has its weight."""
  blended, total = of_styles[0], weights[0]
  for group, weight in zip(of_styles[1:], weights[1:], strict=True):
    total += weight
    blended.merge(group, weight / total)
  return blended


def _colours(opened, weights):
  """How many colours of each image of a style are kept."""
  each = [
    weight / sum(weights) / len(style)
    for style, weight in zip(opened, weights, strict=True)
  ]
  total = min(_OF_IMAGE / max(each), _COLOURS)
  return [max(1, round(total * share)) for share in each]


def _measure(recipe, side):
  """The terms of style, of images of that longer side at most."""
  return sizes.choose(
    recipe.style,
    (side, side),
    optimizer=None,
    tile=recipe.tile,
    available=memory.available_bytes(),
  )
