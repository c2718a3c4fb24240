"""The image that painting starts from."""

import pathlib

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from astgan import arrays, errors
from astgan.data import images
from astgan.nst import colour

INITS = ("content", "style", "colours", "noise", "grey")


def check(init: str) -> None:
  """Raises UserError where `paint.init` is no name and no image."""
  if init in INITS:
    return
  if not pathlib.Path(init).expanduser().is_file():
    raise errors.UserError(
      f"paint.init={init} is none of {', '.join(INITS)}, and no image file"
    )
  images.read(pathlib.Path(init).expanduser())


def initial_image(
  key: jax.Array,
  init: str,
  photograph: Float[Array, "1 h w 3"],
  style_image: Float[Array, "1 _ _ 3"],
  palette: colour.Pixels,
) -> Float[Array, "1 h w 3"]:
  """The image that painting starts from.

  Args:
    key: key of the noise.
    init: "content" is the photograph, "colours" the photograph with the mean
      and the covariance of the colours of the style, "style" the style image
      resized to the photograph, "noise" independent uniform values (Gatys
      2015), "grey" 0.5 everywhere; otherwise the path of an image.
    photograph: in [0, 1].
    style_image: in [0, 1], of any size.
    palette: colours of the style.
  """
  if init == "content":
    return photograph
  if init == "colours":
    matched = colour.match_linear(np.asarray(photograph[0]), palette)
    return jnp.asarray(matched)[None]
  if init == "noise":
    return jax.random.uniform(key, photograph.shape)
  if init == "grey":
    return jnp.full_like(photograph, 0.5)
  if init != "style":
    pixels = images.read(pathlib.Path(init).expanduser())
    style_image = arrays.bytes_to_unit(jnp.asarray(pixels)[None])
  resized = jax.image.resize(style_image, photograph.shape, "linear")
  return jnp.clip(resized, 0, 1)
