"""Random crops and flips, and smaller copies of images.

Crops and flips have a deterministic and a random function each. They take bytes
and floats, inside the compiled step.
"""

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, Float, Int, Key, Shaped

Images = Shaped[Array, "b h w c"]


def flip(images: Images, mirrored: Bool[Array, "b"]) -> Images:
  """The images, with left and right exchanged in those that are `mirrored`."""
  return jnp.where(mirrored[:, None, None, None], images[:, :, ::-1], images)


def random_flip(keys: Key[Array, "b"], images: Images) -> Images:
  """The images, each mirrored left to right with probability 1/2."""
  return flip(images, jax.vmap(jax.random.bernoulli)(keys))


def crop(
  images: Images, corners: Int[Array, "b 2"], *, size: int
) -> Shaped[Array, "b {size} {size} c"]:
  """A square window of each image.

  Args:
    images: at least `size` high and wide.
    corners: row and column of the upper left pixel of each window, from 0 to
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
  keys: Key[Array, "b"], images: Images, *, size: int
) -> Shaped[Array, "b {size} {size} c"]:
  """A square window of each image, every position equally likely.

  Args:
    keys: one for each image.
    images: at least `size` high and wide.
    size: side of the windows, in pixels.

  Raises:
    ValueError: the images are smaller than the windows.
  """
  _, height, width, _ = images.shape
  if size > min(height, width):
    raise ValueError(
      f"expected images of at least {size} x {size}, got {height} x {width}"
    )
  room = jnp.array([height - size + 1, width - size + 1])
  corners = jax.vmap(lambda key: jax.random.randint(key, (2,), 0, room))(keys)
  return crop(images, corners, size=size)


def reduce(
  images: Float[Array, "b s s c"], *, size: int
) -> Float[Array, "b {size} {size} c"]:
  """Smaller copies of the images; the images themselves at the same size.

  Each pixel is the mean of a box where `size` divides the side. Elsewhere it is
  weighed by a triangle as wide as the reduction.

  Args:
    images: any range.
    size: new side in pixels, at most s.

  Raises:
    ValueError: `size` is above the side of the images.
  """
  b, side, _, channels = images.shape
  if size > side:
    raise ValueError(f"expected a size of at most {side}, got {size}")
  if size == side:
    return images
  if side % size == 0:
    box = side // size
    boxes = images.reshape(b, size, box, size, box, channels)
    return jnp.mean(boxes, axis=(2, 4))
  return jax.image.resize(images, (b, size, size, channels), "linear")


def augment(
  keys: Key[Array, "b"], images: Images, *, size: int, flip: bool
) -> Shaped[Array, "b {size} {size} c"]:
  """The images as a step sees them: windows of `size`, flipped if asked.

  Images of that size (`data.crop` is `centre`) are not cropped.

  Args:
    keys: one for each image.
    images: as the pipeline stores them, with a side of at least `size`.
    size: `data.size`, in pixels.
    flip: `data.flip`, whether half of the images are flipped.
  """
  crop_keys, flip_keys = jax.vmap(jax.random.split, out_axes=1)(keys)
  if images.shape[1:3] != (size, size):
    images = random_crop(crop_keys, images, size=size)
  return random_flip(flip_keys, images) if flip else images
