"""Style swap by hand, and in chunks of patches."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan.models import patch_swap
from tests.models.numbers import close, draw


def by_hand(features, style):
  """Loops over patches."""
  height, width, _ = features.shape
  total, count = np.zeros_like(features), np.zeros((height, width, 1))
  lengths = np.sqrt((style**2).sum((1, 2, 3)))
  for i in range(height - 2):
    for j in range(width - 2):
      patch = features[i : i + 3, j : j + 3]
      scores = (style * patch).sum((1, 2, 3)) / lengths
      total[i : i + 3, j : j + 3] += style[np.argmax(scores)]
      count[i : i + 3, j : j + 3] += 1
  return np.float32(total / count)


def test_every_patch_becomes_the_most_similar_one():
  features, style = draw(1, 7, 6, 4), 3 * draw(20, 3, 3, 4, seed=1)
  actual = patch_swap.swap(features, style)
  close(actual[0], by_hand(np.asarray(features[0]), np.asarray(style)))


# Of 20 patches: four chunks of 5, and three of 7, two of which overlap.
@pytest.mark.parametrize("chunk", [6, 7])
def test_chunks_find_what_all_patches_together_find(monkeypatch, chunk):
  features, style = draw(1, 7, 6, 4), draw(20, 3, 3, 4, seed=1)
  whole = patch_swap.swap(features, style)
  monkeypatch.setattr(patch_swap, "_CHUNK", chunk)
  close(patch_swap.swap(features, style), whole)


def test_memory_does_not_grow_with_the_patches(monkeypatch):
  monkeypatch.setattr(patch_swap, "_CHUNK", 16)

  def needed(count):
    shapes = [(1, 34, 34, 8), (count, 3, 3, 8)]
    arrays = [jax.ShapeDtypeStruct(shape, "float32") for shape in shapes]
    compiled = jax.jit(patch_swap.swap).lower(*arrays).compile()
    return compiled.memory_analysis().temp_size_in_bytes

  assert needed(16 * 8) == needed(16 * 2)


def test_features_made_of_their_own_patches_stay():
  features = draw(1, 7, 6, 4)
  close(patch_swap.swap(features, patch_swap.patches(features)), features)


def test_a_patch_has_its_pixels_in_order():
  features = jnp.arange(2 * 4 * 5 * 1.0).reshape(2, 4, 5, 1)
  found = patch_swap.patches(features)
  assert found.shape == (12, 3, 3, 1)
  # The last patch of the first image.
  expected = np.float32([[7, 8, 9], [12, 13, 14], [17, 18, 19]])
  close(found[5, :, :, 0], expected)
