"""What holds for every term of the registry."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from astgan.nst import groups, objective, regions, tiles
from astgan.nst.terms import registry
from tests.nst import toy

SIZE = (14, 18)
IMAGE, PHOTOGRAPH = (toy.draw(1, *SIZE, 3, seed=seed) for seed in (1, 2))
NAMES = [*registry.STYLE, *registry.CONTENT]


def make(name):
  """An objective of one term, and its targets without a region."""
  if name in registry.CONTENT:
    item = objective.Item(
      "content",
      1.0,
      registry.of_content(
        name, taps=toy.LAYERS, layer_weights=(1.0, 1.0), side=72
      ),
    )
    target = objective.Objective(toy.Network(), (item,))
    content = target.features(toy.PARAMS, PHOTOGRAPH) | {"image": PHOTOGRAPH}
    return target, objective.Targets(content, (None,), None)
  term = registry.style(
    name, taps=toy.LAYERS, layer_weights=(0.5, 2.0), normalize="hwc"
  )
  target = toy.make_style(term, weight=1.0)
  group = groups.Group(toy.PARAMS, objective.Whole(target))
  for seed in (3, 4):
    group.add(np.asarray(toy.draw(10, 12, 3, seed=seed)) ** seed)
  return target, objective.Targets({}, group.targets(), None)


@pytest.mark.parametrize("name", NAMES)
def test_windows_of_a_masked_image_are_the_whole(name):
  target, targets = make(name)
  mask = np.linspace(0, 1, SIZE[0] * SIZE[1], dtype="f").reshape(SIZE)
  region = regions.make(target, toy.PARAMS, (*SIZE, 3), mask)
  targets = targets._replace(everywhere=region)
  whole, tiled = objective.Whole(target), tiles.Tiled(target, 4)
  assert len(tiled.windows(SIZE)[1]) > 3
  args = (IMAGE, toy.PARAMS, targets)
  (expected, _), gradient = jax.jit(whole.value_and_grad)(*args)
  (loss, _), in_parts = tiled.value_and_grad(*args)
  np.testing.assert_allclose(loss, expected, rtol=1e-4)
  scale = np.abs(gradient).max()
  assert scale > 0
  np.testing.assert_allclose(
    in_parts, gradient, rtol=0, atol=1e-4 * scale, strict=True
  )


@pytest.mark.parametrize("name", NAMES)
def test_gradients_are_difference_quotients(name):
  target, targets = make(name)
  region = regions.make(target, toy.PARAMS, (*SIZE, 3))
  targets = targets._replace(everywhere=region)

  def widen(x):
    x = np.asarray(x)
    return jnp.asarray(x, "float64" if x.dtype.kind == "f" else x.dtype)

  with jax.enable_x64(True):
    params, targets = jax.tree.map(widen, (toy.PARAMS, targets))
    total = jax.jit(lambda image: target(image, params, targets)[0])
    image = np.asarray(IMAGE, "float64")
    # Small steps, as sorted and nearest samples change places.
    check_grads(total, (image,), order=1, modes=["rev"], eps=1e-7)
