"""The style of a painting: of one group, of several, or of one per region."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import ml_collections
import numpy as np
import tqdm
from jaxtyping import Array, Float

from astgan.data import images
from astgan.nst import (
  colour,
  groups,
  objective,
  recipe,
  regions,
  sizes,
  styles,
)


class Style(NamedTuple):
  """Styles, described for every level of the pyramid.

  Args:
    targets: of the style terms, by longer side of the painting; those of one
      region after those of another.
    first: the first image, for `paint.init=style`.
    palette: colours of pixels of all images.
    contact_sheet: the first images.
  """

  targets: dict[int, tuple[Any, ...]]
  first: Float[Array, "1 _ _ 3"]
  palette: colour.Pixels
  contact_sheet: images.Pixels


def describe(
  config: ml_collections.ConfigDict,
  params: Any,
  opened: Sequence[styles.Files | styles.Generated],
  *,
  recolour: Callable[[np.ndarray], np.ndarray] = lambda image: image,
) -> Style:
  """The styles at the sizes of the pyramid. Each image is read once.

  Args:
    config: the whole config.
    params: parameters of the feature network.
    opened: the styles: of one region each, or blended by `paint.blend`.
    recolour: what becomes of the colours of a style image, [h w 3] in [0, 1].
  """
  paint = config.paint
  measure = objective.Whole(recipe.style_objective(config))
  levels = sizes.pyramid(paint.size, paint.coarsest)
  count = len(opened) if paint.masks else 1
  described = {
    side: [groups.Group(params, measure) for _ in range(count)]
    for side in levels
  }
  masks = paint.style_masks or ("",) * len(opened)
  blend = paint.blend or (1.0,) * len(opened)
  thumbnails, palette, first = [], [], None
  for number, style in enumerate(opened):
    mask = regions.read(masks[number]) if masks[number] else None
    # Each style has its weight, however many images it has.
    weight = blend[number] / len(style)
    for image in tqdm.tqdm(style, desc="style", unit="image"):
      full = recolour(style.shown(image))
      first = full if first is None else first
      palette.append(colour.palette(full))
      if len(thumbnails) < styles.MAX_SHOWN:
        thumbnails.append(style.thumbnail(image, alone=len(opened) == 1))
      for side, of_regions in described.items():
        shown = recolour(style.shown(image, scale=side / paint.size))
        of_regions[number if count > 1 else 0].add(
          shown,
          weight=weight,
          mask=None if mask is None else regions.fit(mask, shown.shape[:2]),
        )
  return Style(
    targets={
      side: sum((group.targets() for group in of_regions), ())
      for side, of_regions in described.items()
    },
    first=jnp.asarray(first)[None],
    palette=np.concatenate(palette),
    contact_sheet=images.grid(np.stack(thumbnails), columns=8),
  )
