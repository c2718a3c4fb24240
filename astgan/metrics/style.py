"""Style distances of pictures, on the features of VGG.

Style in a layer is what its features have in common, wherever in the image they
lie. Two descriptions are compared: the Gram matrix, and the Gaussian of the
same mean and covariance. Both follow from the moments of the features over all
positions, in float64.

References: Gatys, Ecker and Bethge, A Neural Algorithm of Artistic Style, 2015;
Mroueh, Wasserstein Style Transfer, 2019.
"""

import functools
import itertools
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float64, UInt8

from astgan import arrays
from astgan.features import vgg
from astgan.metrics import frechet, moments

# Those of Gatys; the last is the one of `Compared.pooled`.
LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
MEASURES = ("gram", "wasserstein")

Distances = Float64[np.ndarray, "pictures measures layers"]
# Of `LAYERS`.
LayerMoments = list[moments.Moments]
Pixels = UInt8[np.ndarray, "_h _w 3"]


class Look(NamedTuple):
  """The style of an image in one layer.

  Attributes:
    gram: that of `astgan.losses.perceptual.gram` with "hwc".
    gaussian: of the features at all positions.
  """

  gram: Float64[np.ndarray, "c c"]
  gaussian: frechet.Gaussian


class Compared(NamedTuple):
  """Distances of pictures to a group of style images.

  Attributes:
    each: by `MEASURES` and `LAYERS`, averaged over the style images.
    group: likewise, to the mean Gram matrix of the group and to the Gaussian
      of the features of all its images.
    pooled: Frechet distance between the features of all pictures and those of
      all style images, in the last layer.
  """

  each: Distances
  group: Distances
  pooled: float


def compare(
  params: dict[str, Any],
  pictures: Iterable[Pixels],
  style_images: Collection[Pixels],
  *,
  block: int = 64,
) -> Compared:
  """The style distances of each picture, and of all together.

  Both are what a painting is optimised for, in one layer: "gram" is
  mean_ij (G_ij - A_ij)^2, "wasserstein" W_2^2 / c between the Gaussians, whose
  covariances are unbiased here: of n positions n / (n - 1) of the loss's.

  Args:
    params: of VGG19 or VGG16.
    pictures: bytes in RGB, at least one. Each has at least two positions in the
      last layer, which halves the sides four times. One at a time is in memory.
    style_images: likewise. Read once for each block.
    block: pictures that are described at a time, some 15 MB each.

  Raises:
    ValueError: there is no style image.
  """
  each, groups, own, group = [], [], None, None
  described = (layer_moments(params, picture) for picture in pictures)
  while found := list(itertools.islice(described, block)):
    to_each, to_group, group = _compare_block(params, found, style_images)
    each.append(to_each)
    groups.append(to_group)
    last = functools.reduce(moments.merge, [one[-1] for one in found])
    own = moments.merge(own, last) if own else last
  return Compared(
    each=np.concatenate(each),
    group=np.concatenate(groups),
    pooled=frechet.distance(own, group[-1]),
  )


def _compare_block(
  params: dict[str, Any],
  found: list[LayerMoments],
  style_images: Collection[Pixels],
) -> tuple[Distances, Distances, LayerMoments]:
  """The distances to the style images and to the group, and its moments."""
  looks = [_looks(picture) for picture in found]
  total, count, group, grams = 0.0, 0, None, [0.0] * len(LAYERS)
  for image in style_images:
    style = layer_moments(params, image)
    style_looks = _looks(style)
    total = total + _distances(looks, style_looks)
    count += 1
    group = _merge(group, style) if group else style
    grams = [
      gram + look.gram for gram, look in zip(grams, style_looks, strict=True)
    ]
  if not group:
    raise ValueError("a style needs at least one image")
  group_looks = [
    Look(gram / count, look.gaussian)
    for gram, look in zip(grams, _looks(group), strict=True)
  ]
  return total / count, _distances(looks, group_looks), group


def layer_moments(params: dict[str, Any], image: Pixels) -> LayerMoments:
  """The moments of the features of an image, for each layer."""
  features = _features(params, jnp.asarray(image[None]))
  # Row by row, so that float64 takes little memory.
  return [moments.of_parts(np.asarray(features[tap][0])) for tap in LAYERS]


def gram(of: moments.Moments) -> Float64[np.ndarray, "c c"]:
  """The mean products of two channels, divided by the number of channels."""
  seconds = of.scatter / of.count + np.outer(of.mean, of.mean)
  return seconds / len(of.mean)


@jax.jit
@arrays.precise
def _features(params: dict[str, Any], images: arrays.Bytes) -> vgg.Layers:
  return vgg.apply(params, arrays.bytes_to_unit(images), LAYERS)


def _merge(a: LayerMoments, b: LayerMoments) -> LayerMoments:
  return [moments.merge(*pair) for pair in zip(a, b, strict=True)]


def _looks(of: LayerMoments) -> list[Look]:
  return [Look(gram(one), frechet.gaussian(one)) for one in of]


def _distances(pictures: list[list[Look]], style: list[Look]) -> Distances:
  return np.array([
    [
      [np.mean((a.gram - b.gram) ** 2) for a, b in pairs],
      [
        frechet.between(a.gaussian, b.gaussian) / len(a.gram) for a, b in pairs
      ],
    ]
    for pairs in (list(zip(looks, style, strict=True)) for looks in pictures)
  ])  # fmt: skip
