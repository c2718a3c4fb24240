import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from astgan.data import diff_augment as augment


def noise(*shape, dtype="float32"):
  values = np.random.default_rng(0).uniform(-1, 1, shape)
  return jnp.asarray(values, dtype)


def applied(image, brightness=0, saturation=1, contrast=1, **geometry):
  """One image [s, s, c], pixel by pixel in float64."""
  image = np.float64(image) + brightness
  for pixel in image.reshape(-1, image.shape[-1]):
    pixel[:] = saturation * pixel + (1 - saturation) * pixel.mean()
  image = contrast * image + (1 - contrast) * image.mean()
  changed = np.zeros_like(image)
  down, right = geometry.get("offsets", (0, 0))
  top, left, bottom, end = geometry.get("boxes", (0, 0, 0, 0))
  for y, x in np.ndindex(image.shape[:2]):
    inside = 0 <= y - down < len(image) and 0 <= x - right < len(image)
    if inside and not (top <= y < bottom and left <= x < end):
      changed[y, x] = image[y - down, x - right]
  return changed


@pytest.mark.parametrize(
  "policy", [(), *((name,) for name in augment.POLICY), augment.POLICY]
)
def test_images_change_as_a_loop_over_pixels_changes_them(policy):
  images = noise(8, 16, 16, 3)
  draws = augment.draw(jax.random.key(0), 8, size=16, policy=policy)
  # What is drawn for one change does not depend on the others.
  whole = augment.draw(jax.random.key(0), 8, size=16)
  whole = jax.tree.map(np.asarray, whole)
  numbers = [{name: whole[name][i] for name in draws} for i in range(8)]
  expected = np.float32([applied(images[i], **numbers[i]) for i in range(8)])
  changed = jax.jit(augment.apply)(images, draws)
  np.testing.assert_allclose(changed, expected, atol=3e-6, strict=True)


def test_bfloat16_is_float32_but_for_its_rounding():
  images = noise(8, 16, 16, 3, dtype="bfloat16")
  draws = augment.draw(jax.random.key(1), 8, size=16)
  expected = augment.apply(images.astype("float32"), draws).astype("bfloat16")
  changed = augment.apply(images, draws)
  np.testing.assert_array_equal(changed, expected, strict=True)


def test_the_gradient_is_the_difference_quotient():
  with jax.enable_x64(True):
    draws = augment.draw(jax.random.key(2), 2, size=8)
    images, weights = noise(2, 2, 8, 8, 3, dtype="float64")

    @jax.jit  # check_grads hands over numpy's arrays.
    def weighted(images):
      return jnp.sum(augment.apply(images, draws) ** 2 * weights)

    check_grads(weighted, (images,), order=2)


def test_each_number_is_drawn_evenly_from_its_range():
  draws = augment.draw(jax.random.key(3), 4_000, size=64)
  uniform = [("brightness", -0.5, 0.5), ("saturation", 0, 2)]
  for name, low, high in (*uniform, ("contrast", 0.5, 1.5)):
    places = (np.sort(np.asarray(draws[name])) - low) / (high - low)
    # Kolmogorov's distance: above 0.032 once in 2,000 draws of 4,000 numbers.
    assert np.abs(places - np.linspace(0, 1, 4_000)).max() < 0.032
  counts = np.bincount(np.ravel(draws["offsets"]) + 8)
  # Five standard deviations of a seventeenth of 8,000 are 106.
  assert counts.shape == (17,) and np.abs(counts - 8_000 / 17).max() < 106


@pytest.mark.parametrize(
  ("size", "share", "side"), [(5, 0.5, 3), (8, 0.2, 2), (16, 0.5, 8)]
)
def test_the_centres_of_the_boxes_cover_the_image(size, share, side):
  boxes = augment.draw(jax.random.key(4), 500, size=size, cutout_size=share)
  top, left, bottom, right = boxes["boxes"].T
  assert set((bottom - top).tolist() + (right - left).tolist()) == {side}
  for centres in (top + bottom, left + right):
    # Twice the centre: even sides lie between pixels and reach both borders.
    assert sorted(set(centres.tolist())) == [*range(side % 2, 2 * size + 1, 2)]


def test_an_unknown_change_is_refused():
  with pytest.raises(ValueError, match="color"):
    augment.draw(jax.random.key(0), 1, size=8, policy=("color", "cutout"))
