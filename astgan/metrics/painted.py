"""Numbers of painted pictures: how near to their photographs, and to a style.

  lpips_NET
      LPIPS to the photograph
  gram_vgg19_LAYER, gram_vgg19_LAYER_group
      the style loss of the layer: mean square of the difference of the Gram
      matrices, to each style image (their mean) and to the mean Gram matrix
  wasserstein_vgg19_LAYER, wasserstein_vgg19_LAYER_group
      squared Wasserstein-2 distance per channel between the Gaussians of the
      features, to each style image (their mean) and to all their features
  artfid_vgg19_LAYER_positions
      (1 + LPIPS) (1 + Frechet distance)
  colours_content, colours_style_group
      total variation of the colour histograms, to the photograph and to the
      mean of the style images

All but ArtFID are means over the pictures. ArtFID is one number of the whole
set, and is not the published one. That has LPIPS on AlexNet, as here, but its
Frechet distance compares a vector for each of hundreds of images, from an
Inception that was trained on art. Here it compares the features of VGG19 at all
positions of all pictures with those of all style images, for which one picture
is enough. Such numbers compare with one another only.

References: Zhang et al., The unreasonable effectiveness of deep features as a
perceptual metric, 2018; Wright and Ommer, ArtFID: Quantitative Evaluation of
Neural Style Transfer, 2022.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float64, UInt8

from astgan import arrays
from astgan.data import paired
from astgan.features import lpips
from astgan.metrics import colours, style

# The networks of each measure.
NETS = {
  "lpips_vgg16": ("lpips_vgg16",),
  "lpips_alexnet": ("lpips_alexnet",),
  "gram": ("vgg19",),
  "wasserstein": ("vgg19",),
  "artfid": ("lpips_alexnet", "vgg19"),
  "colours": (),
}
LPIPS = ("lpips_vgg16", "lpips_alexnet")
# Pixels a side, so that every network has features of them.
MIN_SIDE = 32

Numbers = dict[str, float]
Columns = dict[str, Float64[np.ndarray, "_pictures"]]
Pixels = UInt8[np.ndarray, "_h _w 3"]


class Measured(NamedTuple):
  """Numbers by name: of all pictures together, and of each."""

  together: Numbers
  each: list[Numbers]


def measure(
  pairs: Sequence[paired.Pair],
  style_images: Collection[Pixels],
  *,
  measures: Collection[str],
  params: Mapping[str, Any],
) -> Measured:
  """The numbers of painted pictures.

  Args:
    pairs: at least one, of `MIN_SIDE` pixels a side or more; one at a time is
      in memory, if they are read when they are asked for.
    style_images: likewise, of any shapes; one at a time is in memory. Read once
      for each block of `astgan.metrics.style` and once for colours.
    measures: some of `NETS`.
    params: of their networks, by name.
  """
  columns, sets = {}, {}
  for name in LPIPS:
    if name in params:
      columns[name] = np.array([_lpips(params[name], *pair) for pair in pairs])
  if "vgg19" in params:
    pictures = (pair.painted for pair in pairs)
    compared = style.compare(params["vgg19"], pictures, style_images)
    columns |= _style_columns(compared)
    if "artfid" in measures:
      content = float(columns["lpips_alexnet"].mean())
      name = f"artfid_vgg19_{style.LAYERS[-1]}_positions"
      sets[name] = (1 + content) * (1 + compared.pooled)
  if "colours" in measures:
    columns |= _colour_columns(pairs, style_images)
  columns = {
    name: column
    for name, column in columns.items()
    if name.startswith(tuple(measures))
  }
  together = {name: float(column.mean()) for name, column in columns.items()}
  each = [
    {name: float(column[i]) for name, column in columns.items()}
    for i in range(len(pairs))
  ]
  return Measured(together | sets, each)


def _lpips(params: Any, photograph: Pixels, painted: Pixels) -> float:
  images = (jnp.asarray(image[None]) for image in (photograph, painted))
  return float(_lpips_of_bytes(params, *images)[0])


@jax.jit
@arrays.precise
def _lpips_of_bytes(
  params: Any, images: arrays.Bytes, others: arrays.Bytes
) -> arrays.PerExample:
  images, others = map(arrays.bytes_to_unit, (images, others))
  return lpips.distance(params, images, others)


def _style_columns(compared: style.Compared) -> Columns:
  return {
    f"{measure}_vgg19_{layer}{suffix}": distances[:, i, j]
    for i, measure in enumerate(style.MEASURES)
    for j, layer in enumerate(style.LAYERS)
    for suffix, distances in (("", compared.each), ("_group", compared.group))
  }


def _colour_columns(
  pairs: Sequence[paired.Pair], style_images: Collection[Pixels]
) -> Columns:
  palettes = [colours.histogram(image[None]) for image in style_images]
  palette = np.mean(palettes, axis=0)
  content, group = [], []
  for photograph, painted in pairs:
    found = colours.histogram(painted[None])
    photographed = colours.histogram(photograph[None])
    content.append(colours.distance(found, photographed))
    group.append(colours.distance(found, palette))
  return {
    "colours_content": np.array(content),
    "colours_style_group": np.array(group),
  }
