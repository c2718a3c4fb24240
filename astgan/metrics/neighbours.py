"""Sets of features compared by their nearest neighbours.

Distances are Euclidean, and are computed in blocks: a block of rows of one set
against all of the other.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float64, Int64, Num

# Numbers in a block, of rows or of their distances, in float64: 80 MB.
_NUMBERS = 10_000_000
# Squared distances below this share of the squared norms are 0: what float32
# features of one image differ by.
_SAME = 1e-12
# Distances that differ by less are equal.
_TIE = 1e-9

Features = Num[np.ndarray, "_n d"]


def nearest(
  queries: Features,
  references: Features,
  *,
  count: int,
  same_set: bool = False,
) -> tuple[Int64[np.ndarray, "_q {count}"], Float64[np.ndarray, "_q {count}"]]:
  """The nearest references of each query.

  Args:
    queries, references: features of one dimension.
    count: neighbours of each, at most the references (the others, in one set).
    same_set: whether both are the same array; nothing is its own neighbour.

  Returns: their indices and distances, the nearest first.
  """
  others = len(references) - same_set
  if not 1 <= count <= others:
    raise ValueError(f"{count} neighbours; expected 1 to {others}, the set")
  indices = np.zeros((len(queries), 0), np.int64)
  squares = np.zeros((len(queries), 0))
  for start, block in _blocks(references, queries):
    numbers = np.arange(start, start + len(block))
    if same_set:
      block[np.arange(len(block)), numbers] = np.inf
    numbers = np.broadcast_to(numbers[None], block.T.shape)
    indices = np.concatenate([indices, numbers], axis=1)
    squares = np.concatenate([squares, block.T], axis=1)
    if squares.shape[1] > count:
      order = np.argpartition(squares, count - 1, axis=1)[:, :count]
      indices = np.take_along_axis(indices, order, axis=1)
      squares = np.take_along_axis(squares, order, axis=1)
  order = np.argsort(squares, axis=1, kind="stable")
  indices = np.take_along_axis(indices, order, axis=1)
  return indices, np.sqrt(np.take_along_axis(squares, order, axis=1))


def radii(features: Features, *, k: int) -> Float64[np.ndarray, "_n"]:
  """The distance of each image to the k-th nearest other of its set."""
  return nearest(features, features, count=k, same_set=True)[1][:, -1]


def precision_recall(
  real: Features, fake: Features, *, k: int = 3
) -> tuple[float, float]:
  """Shares of the fakes near reals, and of the reals near fakes; in [0, 1].

  A set covers the balls around its images that reach to their k-th nearest
  others. Precision is the share of fakes in a ball of the reals: quality.
  Recall is the share of reals in a ball of the fakes: variety. Two halves of
  300 paintings have 0.8 to 0.9. One outlier among the reals has a ball that
  covers much; see `density_coverage`.

  References: Kynkaanniemi et al., Improved Precision and Recall Metric for
    Assessing Generative Models, 2019, equations 1 and 2.
  """
  return _covered(real, fake, k=k), _covered(fake, real, k=k)


def density_coverage(
  real: Features, fake: Features, *, k: int = 5
) -> tuple[float, float]:
  """How many balls of reals a fake is in, and the share of balls with a fake.

  Density is the mean number of balls around reals, in each of which k - 1
  others lie, that hold a fake, divided by k: 1 for reals, above where fakes
  crowd the densest reals. Coverage is the share of balls that hold a fake, in
  [0, 1]: for reals 1 - (n - 1) ... (n - k) / ((2n - 1) ... (2n - k)), about
  0.97 with k = 5. It is steady for small sets.

  References: Naeem et al., Reliable Fidelity and Diversity Metrics for
    Generative Models, 2020, equations 3 and 4 and section 3.3.
  """
  reach = radii(real, k=k) ** 2 * (1 - _TIE)
  inside, covered = 0, 0
  for start, block in _blocks(real, fake):
    hits = block < reach[start : start + len(block), None]
    inside += hits.sum()
    covered += hits.any(axis=1).sum()
  return float(inside / (k * len(fake))), float(covered / len(real))


def authenticity(
  train: Features,
  fake: Features,
  *,
  spacing: Float64[np.ndarray, "_n"] | None = None,
) -> float:
  """The share of fakes that are no copies of training images, in [0, 1].

  A fake is a copy if it is nearer to its nearest training image than that
  one's nearest other training image is. New images of the training images'
  distribution have 0.5 to 0.8; near 0 the generator repeats what it saw; near 1
  it may be far from it.

  Args:
    train, fake: features.
    spacing: `radii(train, k=1)`, where they are known.

  References: Alaa et al., How Faithful is your Synthetic Data?, 2022, section
    3.3 and appendix.
  """
  indices, distances = nearest(fake, train, count=1)
  spacing = radii(train, k=1) if spacing is None else spacing
  reach = spacing[indices[:, 0]] * (1 + _TIE)
  return float(np.mean(distances[:, 0] > reach))


def diversity(features: Features) -> float:
  """The mean distance of two different images of a set.

  0 where all are one image. The unit is that of the features: compare it with
  that of the reals.
  """
  count = len(features)
  if count < 2:
    raise ValueError("diversity of one image; expected two or more")
  total = sum(np.sqrt(block).sum() for _, block in _blocks(features, features))
  return float(total / (count * (count - 1)))


def _covered(centres: Features, points: Features, *, k: int) -> float:
  """The share of the points that lie in a ball around a centre."""
  reach = radii(centres, k=k) ** 2 * (1 + _TIE)
  inside = np.zeros(len(points), bool)
  for start, block in _blocks(centres, points):
    hits = block <= reach[start : start + len(block), None]
    inside |= hits.any(axis=0)
  return float(inside.mean())


def _blocks(
  rows: Features, columns: Features
) -> Iterator[tuple[int, Float64[np.ndarray, "_r _c"]]]:
  """First row and squared distances of each block of rows to all columns."""
  # Centred, so that the difference of large squares keeps its digits.
  centre = columns.mean(axis=0, dtype=np.float64)
  columns = columns - centre[None]
  column_norms = np.sum(columns**2, axis=1)
  count = max(1, _NUMBERS // max(columns.shape))
  for start in range(0, len(rows), count):
    block = rows[start : start + count] - centre[None]
    norms = np.sum(block**2, axis=1)[:, None] + column_norms[None]
    squares = norms - 2 * (block @ columns.T)
    squares[squares < _SAME * norms] = 0
    yield start, squares
