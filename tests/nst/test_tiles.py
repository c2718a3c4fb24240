"""Gradients window by window are those of the whole image."""

import functools

import jax
import numpy as np
import pytest

from astgan.features import weights
from astgan.nst import groups, network, objective, regions, tiles
from astgan.nst.terms import (
  content,
  gram,
  gram_variants,
  moments,
  total_variation,
)
from tests.nst import toy

STYLE = ("relu1_1", "relu2_1", "relu3_1")
CONTENT = ("relu2_2",)


@functools.cache
def make(pooling, padding):
  """An objective of every kind of term, and its parameters."""
  ones = {"taps": STYLE, "layer_weights": (1.0,) * 3}
  features = content.Content(taps=CONTENT, layer_weights=(1.0,))
  items = (
    objective.Item("style", 1e3, gram.Gram(**ones)),
    objective.Item("style", 1.0, moments.MeanStd(**ones), region=0),
    # Which needs the neighbours of a position.
    objective.Item("blurred", 1e3, gram_variants.Blurred(**ones)),
    objective.Item("content", 1.0, features),
    objective.Item("tv", 10.0, total_variation.TotalVariation()),
  )
  net = network.Network(net="vgg19", pooling=pooling, padding=padding)
  return objective.Objective(net, items), weights.load("vgg19", "random")


# Odd sides: the last rows and columns fall out of the poolings.
@pytest.mark.parametrize("size", [(75, 90), (48, 101)])
@pytest.mark.parametrize(
  "pooling, padding", [("max", "zeros"), ("average", "replicate")]
)
def test_losses_and_gradients_are_those_of_the_whole(size, pooling, padding):
  target, params = make(pooling, padding)
  image, photograph = (toy.draw(1, *size, 3, seed=seed) for seed in (0, 1))
  style = objective.Objective(target.network, target.items[:3])
  style = objective.Objective(
    target.network, tuple(item._replace(region=None) for item in style.items)
  )
  whole, tiled = objective.Whole(target), tiles.Tiled(target, 16)
  shape, windows = tiled.windows(size)
  assert len(windows) > 3 and shape < size

  def targets_of(measure, style_measure):
    group = groups.Group(params, style_measure)
    group.add(np.asarray(toy.draw(61, 70, 3, seed=2)))
    half = np.linspace(0, 1, size[0] * size[1], dtype="f").reshape(size)
    return objective.Targets(
      content=measure.features(photograph, params, CONTENT),
      items=group.targets() + (None, None),
      everywhere=regions.make(target, params, (*size, 3)),
      regions=(regions.make(target, params, (*size, 3), half),),
    )

  once = targets_of(whole, objective.Whole(style))
  parts = targets_of(tiled, tiles.Tiled(style, 16))
  jax.tree.map(
    functools.partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-6),
    once,
    parts,
  )
  (_, expected), gradient = jax.jit(whole.value_and_grad)(image, params, once)
  (_, scalars), in_parts = tiled.value_and_grad(image, params, once)
  for name in target.names:
    np.testing.assert_allclose(scalars[name], expected[name], rtol=1e-5)
  scale = np.abs(gradient).max()
  np.testing.assert_allclose(
    in_parts, gradient, rtol=0, atol=1e-5 * scale, strict=True
  )


@pytest.mark.parametrize("length", [64, 100, 101, 111, 112, 113, 1000])
def test_windows_own_every_pixel_once_and_see_what_it_needs(length):
  window, parts = tiles.split(length, 20, stride=16, reach=12)
  owned = [pixel for _, first, end in parts for pixel in range(first, end)]
  assert owned == list(range(length))
  for start, first, end in parts:
    assert start % 16 == 0 and start + window <= length
    assert start == 0 or first - start >= 12
    assert start + window == length or start + window - end >= 12


def test_an_axis_that_fits_is_one_window():
  assert tiles.split(47, 20, stride=16, reach=12) == (47, [(0, 0, 47)])
