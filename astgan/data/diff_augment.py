"""DiffAugment: random changes of all images that a discriminator sees.

Real and generated images are changed alike, in the updates of both networks,
and the generator's gradient passes through. The discriminator then cannot
memorise a small data set, and the generator does not learn the changes.

The deterministic functions take the random numbers as arrays. `draw` makes
these arrays, `apply` uses them, so a training update stays a pure function.

References: Zhao, Liu, Lin, Zhu and Han, Differentiable Augmentation for
  Data-Efficient GAN Training, 2020. The magnitudes are those of the authors'
  program, for images in [-1, 1].
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

from astgan import arrays
from astgan.data import augment

SquareImages = Float[Array, "b s s c"]
Draws = dict[str, Array]

POLICY = ("colour", "translation", "cutout")


def adjust_brightness(
  images: SquareImages, delta: Float[Array, "b"]
) -> SquareImages:
  """The images plus `delta`, not clipped."""
  return images + _per_image(delta, images)


def adjust_saturation(
  images: SquareImages, factor: Float[Array, "b"]
) -> SquareImages:
  """The images with distances to the grey of each pixel times `factor`.

  The grey of a pixel is the mean of its channels.
  """
  # On a CPU XLA adds slices ten times faster than it reduces a short last axis.
  channels = images.shape[3]
  grey = sum(images[..., i : i + 1] for i in range(channels)) / channels
  return (images - grey) * _per_image(factor, images) + grey


def adjust_contrast(
  images: SquareImages, factor: Float[Array, "b"]
) -> SquareImages:
  """The images with distances to the mean of each image times `factor`."""
  mean = jnp.mean(images, axis=(1, 2, 3), keepdims=True)
  return (images - mean) * _per_image(factor, images) + mean


def translate(
  images: SquareImages, offsets: Int[Array, "b 2"], *, limit: int
) -> SquareImages:
  """The images moved, with zeros where nothing moves in.

  Args:
    images: any range.
    offsets: pixels down and to the right, from -limit to limit.
    limit: width of the zero padding, in pixels.
  """
  margin = (limit, limit)
  padded = jnp.pad(images, ((0, 0), margin, margin, (0, 0)))
  return augment.crop(padded, limit - offsets, size=images.shape[1])


def cutout(images: SquareImages, boxes: Int[Array, "b 4"]) -> SquareImages:
  """The images with one box of zeros each.

  Args:
    images: any range.
    boxes: top, left, bottom and right in pixels. Bottom and right lie outside
      the box. A box may reach over the border of the image.
  """
  places = jnp.arange(images.shape[1])[None]
  top, left, bottom, right = jnp.split(boxes, 4, axis=1)
  rows = (places >= top) & (places < bottom)  # [b, s]
  columns = (places >= left) & (places < right)
  return jnp.where(
    rows[:, :, None, None] & columns[:, None, :, None], 0, images
  )


def draw(
  key: Key[Array, ""],
  count: int,
  *,
  size: int,
  policy: tuple[str, ...] = POLICY,
  cutout_size: float = 0.5,
) -> Draws:
  """The random numbers that `apply` needs for `count` images.

  - "colour": brightness + U(-0.5, 0.5), then saturation x U(0, 2), then
    contrast x U(0.5, 1.5).
  - "translation": up to an eighth of the side in each direction, in pixels.
  - "cutout": a box whose centre is uniform over the image.

  Args:
    key: of these images.
    count: number of images.
    size: side of the images, in pixels.
    policy: names out of the three, in any order.
    cutout_size: side of the box as a share of the image's side, in [0, 1].

  Returns: arrays with the leading axis `count`; those of several devices may be
    concatenated. An empty policy gives an empty dictionary.

  Raises:
    ValueError: `policy` has another name.
  """
  if unknown := set(policy) - set(POLICY):
    raise ValueError(f"policy has names out of {POLICY}, got {sorted(unknown)}")
  # A key per array: what is drawn for one does not depend on the policy.
  keys = jax.random.split(key, 5)
  draws = {}
  if "colour" in policy:
    for name, key, low, high in (
      ("brightness", keys[0], -0.5, 0.5),
      ("saturation", keys[1], 0.0, 2.0),
      ("contrast", keys[2], 0.5, 1.5),
    ):
      draws[name] = jax.random.uniform(key, (count,), "float32", low, high)
  if "translation" in policy:
    limit = _limit(size)
    draws["offsets"] = jax.random.randint(
      keys[3], (count, 2), -limit, limit + 1
    )
  if "cutout" in policy:
    side = _round(cutout_size * size)
    # The centre of a box with an even side lies between pixels.
    centres = jax.random.randint(keys[4], (count, 2), 0, size + 1 - side % 2)
    corners = centres - side // 2
    draws["boxes"] = jnp.concatenate([corners, corners + side], axis=1)
  return draws


def apply(images: SquareImages, draws: Draws) -> SquareImages:
  """The images changed as drawn: colour, then translation, then cutout.

  Linear in the images but for the brightness, which is added.

  Args:
    images: in [-1, 1]; the result may leave this range.
    draws: of `draw`, for as many images of the same size.
  """
  if "brightness" in draws:
    dtype = images.dtype
    images = images.astype(arrays.accumulation_dtype(images))
    images = adjust_brightness(images, draws["brightness"])
    images = adjust_saturation(images, draws["saturation"])
    images = adjust_contrast(images, draws["contrast"]).astype(dtype)
  if "offsets" in draws:
    limit = _limit(images.shape[1])
    images = translate(images, draws["offsets"], limit=limit)
  if "boxes" in draws:
    images = cutout(images, draws["boxes"])
  return images


def _per_image(
  values: Float[Array, "b"], images: SquareImages
) -> Float[Array, "b 1 1 1"]:
  return values.astype(images.dtype)[:, None, None, None]


def _limit(size: int) -> int:
  return _round(size / 8)


def _round(number: float) -> int:
  # Halves go up, as in the authors' program.
  return int(number + 0.5)
