"""Sliced Wasserstein distance of the patches of Laplacian pyramids."""

import numpy as np
from jaxtyping import Float64, UInt8

# Side of a patch, and of the coarsest level at least, in pixels.
PATCH = 7
COARSEST = 16

# The binomial filter of Burt and Adelson.
_FILTER = np.array([1, 4, 6, 4, 1]) / 16

Images = UInt8[np.ndarray, "n s s 3"]
Planes = Float64[np.ndarray, "n _h _w 3"]
Sorted = Float64[np.ndarray, "patches projections"]


def project(
  images: Images,
  *,
  patches: int = 16_384,
  projections: int = 128,
  seed: int = 0,
) -> dict[int, Sorted]:
  """Patches of each level along random directions, each direction sorted.

  A patch has 7 x 7 pixels at a random place. Patches of a level are divided by
  their standard deviation per colour channel after subtracting the mean.
  Directions are uniform on the sphere. Projections with one seed compare.

  Here the number of patches is that of a level of all images, taken in turn;
  the paper has 128 of each image, 16,384 images and 512 directions.

  Args:
    images: at least 16 pixels a side.

  Returns: for the side of each level, finest first.

  References: Karras et al., Progressive Growing of GANs, 2018, section 5;
    Rabin et al., Wasserstein Barycenter and its Application to Texture Mixing,
    2011.
  """
  draws = np.random.default_rng(seed)
  owners = np.arange(patches) * len(images) // patches
  chosen = np.unique(owners)
  owners = np.searchsorted(chosen, owners)
  return {
    level.shape[1]: _project(level, owners, projections, draws)
    for level in laplacian(images[chosen])
  }


def distance(a: dict[int, Sorted], b: dict[int, Sorted]) -> dict[int, float]:
  """The mean Wasserstein-1 distance over all directions, for each level.

  0 where all patches look alike, about 1 where nothing does, as the patches
  have unit standard deviation. Two halves of a set of paintings have 0.01 to
  0.05. The finest level sees texture and noise, the coarsest composition.
  """
  return {size: float(np.mean(np.abs(a[size] - b[size]))) for size in a}


def laplacian(images: Images) -> list[Planes]:
  """The bands of each image, finest first, and the small image that is left.

  Sides are halved as long as they stay even and at least 16. The sum of all,
  each enlarged to the size of the first, is the image.

  References: Burt and Adelson, The Laplacian Pyramid as a Compact Image Code,
    1983.
  """
  level, bands = images.astype(np.float64), []
  while level.shape[1] % 2 == 0 and level.shape[1] >= 2 * COARSEST:
    smaller = _blur(level)[:, ::2, ::2]
    bands.append(level - enlarge(smaller))
    level = smaller
  return [*bands, level]


def enlarge(planes: Planes) -> Planes:
  """At twice the side: zeros between the pixels, blurred."""
  n, h, w, c = planes.shape
  spread = np.zeros((n, 2 * h, 2 * w, c))
  spread[:, ::2, ::2] = planes
  return 4 * _blur(spread)


def _blur(planes: Planes) -> Planes:
  """Convolved with the binomial filter; the border is a mirror."""
  for axis in (1, 2):
    width = [(2, 2) if i == axis else (0, 0) for i in range(4)]
    padded = np.pad(planes, width, mode="reflect")
    side = planes.shape[axis]
    planes = sum(
      weight * np.take(padded, range(i, i + side), axis=axis)
      for i, weight in enumerate(_FILTER)
    )
  return planes


def _project(
  level: Planes,
  owners: np.ndarray,
  projections: int,
  draws: np.random.Generator,
) -> Sorted:
  last = level.shape[1] - PATCH + 1
  top, left = draws.integers(0, last, (2, len(owners)))
  # [owner, top, left, channel, row, column] without a copy.
  windows = np.lib.stride_tricks.sliding_window_view(
    level, (PATCH, PATCH), axis=(1, 2)
  )
  patches = windows[owners, top, left]  # [p, 3, 7, 7]
  patches = patches - patches.mean(axis=(0, 2, 3), keepdims=True)
  deviation = patches.std(axis=(0, 2, 3), keepdims=True)
  patches = patches / np.where(deviation > 0, deviation, 1)
  directions = draws.normal(size=(3 * PATCH**2, projections))
  directions /= np.linalg.norm(directions, axis=0, keepdims=True)
  return np.sort(patches.reshape(len(owners), -1) @ directions, axis=0)
