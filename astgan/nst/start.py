"""The image that painting starts from."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

INITS = ("content", "style", "noise")


def initial_image(
  key: jax.Array,
  init: str,
  photograph: Float[Array, "1 h w 3"],
  style_image: Float[Array, "1 _ _ 3"],
) -> Float[Array, "1 h w 3"]:
  """The image that painting starts from.

  Args:
    key: key of the noise.
    init: "content" is the photograph, "style" the style image resized to the
      photograph, "noise" independent uniform values (Gatys 2015).
    photograph: in [0, 1].
    style_image: in [0, 1], of any size.

  Raises:
    ValueError: `init` is none of the three.
  """
  if init == "content":
    return photograph
  if init == "style":
    resized = jax.image.resize(style_image, photograph.shape, "linear")
    return jnp.clip(resized, 0, 1)
  if init == "noise":
    return jax.random.uniform(key, photograph.shape)
  raise ValueError(f"init is one of {INITS}, not {init!r}")
