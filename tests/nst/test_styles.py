"""Style images as the feature network gets them."""

import flax.linen as nn
import jax
import numpy as np
import pytest

from astgan import arrays, sampling
from astgan.data import images
from astgan.nst import opening, styles
from astgan.systems import generators
from configs import nst
from tests import pictures


def write(folder, *shapes):
  """A style of noise images of the given shapes, of 96 pixels."""
  paths = [folder / f"{number}.png" for number in range(len(shapes))]
  for path, shape in zip(paths, shapes, strict=True):
    images.write(path, pictures.noise(*shape))
  return styles.Files(paths, 96)


def test_several_images_have_sides_of_multiples_of_16_pixels(tmp_path):
  style = write(tmp_path, *((height, 100) for height in range(60, 68)))
  assert {style.shown(image).shape for image in style} == {(64, 96, 3)}


def test_one_image_keeps_its_aspect(tmp_path):
  style = write(tmp_path, (50, 96))
  expected = pictures.noise(50, 96).astype("float32") / 255
  (image,) = style
  np.testing.assert_allclose(
    style.shown(image), expected, rtol=1e-6, strict=True
  )


def test_images_shrink_with_the_painting(tmp_path):
  (image,) = style = write(tmp_path, (50, 96))
  assert style.shown(image, scale=0.5).shape == (25, 48, 3)


def test_generated_images_are_padded_symmetrically_to_256_pixels():
  image = pictures.noise(64, 300)
  style = styles.Generated(image[None], 300, {})
  array = np.round(np.asarray(style.shown(image)) * 255).astype(np.uint8)
  # 96 rows on each side: one mirror image, and half of the next.
  below = np.concatenate([image, image[::-1], image[:32]])
  np.testing.assert_array_equal(array[96:], below, strict=True)
  assert array.shape == (256, 300, 3)


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_a_mask_of_generated_images_is_padded_as_they_are(scale):
  mask = np.zeros((64, 64), np.float32)
  mask[:32] = 1
  drawn = np.repeat(np.uint8(255 * mask)[..., None], 3, axis=2)
  style = styles.Generated(drawn[None], 64, {})
  shown = style.shown(drawn, scale=scale)
  fitted = style.shown_mask(mask, shown, scale=scale)
  assert fitted.shape == shown.shape[:2]
  assert np.mean(np.abs(fitted - shown[..., 0])) < 0.01  # Of edges.


def test_the_fingerprint_of_files_is_that_of_their_readable_bytes(tmp_path):
  (tmp_path / "a.png").write_bytes(b"ab")
  (tmp_path / "b.png").write_bytes(b"c")
  paths = [tmp_path / name for name in ("a.png", "missing.png", "b.png")]
  # FIPS 180-2's example: of "abc".
  digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
  fingerprint = styles.Files(paths, 32).fingerprint()
  assert fingerprint == {"images": 3, "sha256": digest}


class NoiseGenerator(generators.Generator):
  """Draws noise, whatever its parameters."""

  def sample_bytes(self, key, count, *, enlarge):
    del enlarge
    images = jax.random.uniform(key, (count, 8, 8, 3), minval=-1)
    return np.asarray(arrays.signed_to_bytes(images))


@pytest.fixture
def open_style(tmp_path, monkeypatch):
  """Opens the style of a generator with fields of `paint`."""
  (tmp_path / "config.json").write_text('{"task": "train"}')

  def open_style(*, step=100, weight=1.0, seed=0, **paint):
    config = nst.get_config()
    config.paint.update({"style": str(tmp_path), **paint})
    variables = {"params": np.float32([weight])}
    generator = NoiseGenerator(nn.Module(), variables, 3)
    trained = sampling.Trained(step, generator, tmp_path)
    monkeypatch.setattr(sampling, "load", lambda *_, **__: trained)
    return opening.open_style(config, jax.random.key(seed), str(tmp_path))

  return open_style


@pytest.mark.parametrize(
  ("paint", "side"),
  [
    ({}, 8),
    ({"generated_share": 0.25, "size": 80}, 20),
    ({"style_size": 18}, 18),
  ],
)
def test_generated_images_are_enlarged_as_asked(open_style, paint, side):
  style = open_style(**paint)
  assert len(style) == 64 and style.longer_side == side


def test_generators_differ_by_step_and_params(open_style):
  def fingerprint(**fields):
    return open_style(**fields).fingerprint()

  first = fingerprint()
  assert first == fingerprint(seed=1)
  assert first not in (fingerprint(step=200), fingerprint(weight=2.0))
