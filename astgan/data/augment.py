"""Chance in pictures: windows and mirrors.

A deterministic core and a random shell each, on bytes or floats alike, to be
called inside the compiled step.
"""

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, Int, Key, Shaped

Images = Shaped[Array, "b h w c"]


def flip(images: Images, mirrored: Bool[Array, "b"]) -> Images:
  """The images, those that are `mirrored` left to right."""
  return jnp.where(mirrored[:, None, None, None], images[:, :, ::-1], images)


def random_flip(key: Key[Array, ""], images: Images) -> Images:
  """The images, each mirrored left to right with probability 1/2."""
  return flip(images, jax.random.bernoulli(key, shape=images.shape[:1]))


def crop(
  images: Images, corners: Int[Array, "b 2"], *, size: int
) -> Shaped[Array, "b {size} {size} c"]:
  """A square window of each image.

  Args:
    images: at least `size` high and wide.
    corners: row and column of each window's upper left pixel, from 0 to
      h - size and w - size.
    size: side of the windows, in pixels.
  """
  channels = images.shape[-1]

  def window(image, corner):
    row, column = corner
    return jax.lax.dynamic_slice(
      image, (row, column, 0), (size, size, channels)
    )

  return jax.vmap(window)(images, corners)


def random_crop(
  key: Key[Array, ""], images: Images, *, size: int
) -> Shaped[Array, "b {size} {size} c"]:
  """A square window of each image, every position equally likely."""
  b, height, width, _ = images.shape
  if size > min(height, width):
    raise ValueError(
      f"expected images of at least {size} x {size}, got {height} x {width}"
    )
  room = jnp.array([height - size + 1, width - size + 1])
  corners = jax.random.randint(key, (b, 2), 0, room[None])
  return crop(images, corners, size=size)


def augment(
  key: Key[Array, ""], images: Images, *, size: int, flip: bool
) -> Shaped[Array, "b {size} {size} c"]:
  """The images as a step sees them: windows of `size`, mirrored if asked.

  Images that are `size` already, the crop `centre`, are left as they are.

  Args:
    key: of this step and this device.
    images: as the pipeline stores them, `size` or more.
    size: `data.size`.
    flip: `data.flip`.
  """
  crop_key, flip_key = jax.random.split(key)
  if images.shape[1:3] != (size, size):
    images = random_crop(crop_key, images, size=size)
  return random_flip(flip_key, images) if flip else images
