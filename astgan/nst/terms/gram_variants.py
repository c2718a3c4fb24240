"""Gram matrices of other products of features.

Each is the distance of `gram.Gram` between other sums of products. Borders are
replicated where a product needs the neighbour of a position, so that every
position counts once.

References: Novak and Nikulin, Improving the Neural Algorithm of Artistic Style,
  2016.
"""

import dataclasses
import itertools

import jax
import jax.numpy as jnp
from jax import lax

from astgan import arrays
from astgan.nst.terms import gram, interface, quantiles


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shifted(gram.Gram):
  """Products of F + s: also what is absent together is a correlation.

  Args:
    shift: s, -1 in the paper: most features after ReLU are 0, and of the
      products of F most are too.
  """

  shift: float = -1.0

  def sums(self, features, weights):
    """The sum of products, and the number of pixels, of one layer."""
    return gram.products(features + self.shift, weights)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Amplified(gram.Gram):
  """Products of F^p, in which strong features count more.

  Args:
    power: p.
  """

  power: int = 2

  def sums(self, features, weights):
    """The sum of products, and the number of pixels, of one layer."""
    return gram.products(features**self.power, weights)


class Adjacent(gram.Gram):
  """Products of F with itself moved by one position, up and to the left.

  They know in which direction one feature follows another.
  """

  reach = 1

  def sums(self, features, weights):
    """The sums of products of both, and the number of pixels, of one layer."""
    pairs = [
      cross_products(features, _neighbours(features, axis)[1], weights)
      for axis in (1, 2)
    ]
    return jnp.stack([total for total, _ in pairs]), pairs[0][1]


class Blurred(gram.Gram):
  """Products of F with a blurred F: features that occur near each other.

  The blur is binomial, 1 2 1 down and across.
  """

  reach = 1

  def sums(self, features, weights):
    """The sum of products, and the number of pixels, of one layer."""
    blurred = features
    for axis in (1, 2):
      before, after = _neighbours(blurred, axis)
      blurred = (before + 2 * blurred + after) / 4
    return cross_products(features, blurred, weights)


class Chain(gram.Gram):
  """Products of each layer with the next, G^(l, l-1), by the weight w_l.

  The coarser of two layers is repeated to the size of the finer one; that is
  the product with the finer one's means over each of its positions.
  """

  def statistics(self, view: interface.View):
    """The sums of products, and the number of pixels, by the later layer."""
    if len(self.taps) < 2:
      raise ValueError(f"expected at least two layers, got {self.taps}")

    def sums(pair):
      layers = [view.features[tap] for tap in pair]
      coarsest = min(pair, key=lambda tap: view.features[tap].shape[1])
      size = view.features[coarsest].shape[1]
      left, right = (_means(layer, size) for layer in layers)
      return cross_products(left, right, view.weight(coarsest))

    return {pair[1]: sums(pair) for pair in itertools.pairwise(self.taps)}

  def weighted(self, of_layer):
    """The weighted sum over pairs of layers, by the later one."""
    layers = zip(self.taps[1:], self.layer_weights[1:], strict=True)
    return sum(weight * of_layer(tap) for tap, weight in layers)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cube(gram.Gram):
  """Third moments: sums of F_i F_j F_k.

  Those of 512 channels would be 134 million: they are taken of random
  projections of the features, where the paper takes all.

  Args:
    projections: of each layer; their cube is the size of the description.
  """

  projections: int = 24

  def sums(self, features, weights):
    """The sums of products, and the number of pixels, of one layer."""
    features = features.astype(arrays.accumulation_dtype(features))
    channels = features.shape[-1]
    lines = features.reshape(-1, channels) @ quantiles.directions(
      channels, self.projections, features.dtype
    )
    owned = (_ones(features) if weights is None else weights).reshape(-1, 1)

    # All pairs of projections at once would be many times the features.
    @jax.checkpoint
    def with_one(line):
      return (line[:, None] * lines).T @ lines

    return lax.map(with_one, (owned * lines).T), jnp.sum(owned)


def cross_products(left, right, weights):
  """sum_p w_p F_pi H_pj, [c d], and sum_p w_p."""
  dtype = arrays.accumulation_dtype(left)
  left, right = left.astype(dtype), right.astype(dtype)
  weights = _ones(left) if weights is None else weights
  total = jnp.einsum("bhwi,bhwj->ij", weights * left, right)
  return total, jnp.sum(weights)


def _ones(features):
  return jnp.ones((*features.shape[:3], 1), features.dtype)


def _neighbours(features, axis):
  """The features before and after each position, those of borders repeated."""
  ends = [(1, 1) if i == axis else (0, 0) for i in range(4)]
  padded = jnp.pad(features, ends, mode="edge")
  size = features.shape[axis]
  return tuple(
    lax.slice_in_dim(padded, start, start + size, axis=axis) for start in (0, 2)
  )


def _means(features, height):
  """Means over squares, so that `height` rows are left.

  The side of the squares is a power of two: poolings halve a layer, and drop
  what is over.
  """
  side = 1 << (features.shape[1] // height).bit_length() - 1
  b, h, w, c = features.shape
  features = features[:, : h // side * side, : w // side * side]
  squares = features.reshape(b, h // side, side, w // side, side, c)
  return jnp.mean(
    squares, axis=(2, 4), dtype=arrays.accumulation_dtype(squares)
  )
