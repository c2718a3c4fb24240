"""The picture that painting starts from."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

INITS = ("content", "style", "noise")


def first_image(
  key: jax.Array,
  init: str,
  photograph: Float[Array, "1 h w 3"],
  picture: Float[Array, "1 _ _ 3"],
) -> Float[Array, "1 h w 3"]:
  """The picture that painting starts from.

  Args:
    key: of the noise.
    init: "content" is the photograph, "style" the style picture stretched over
      it, "noise" independent uniform values (Gatys 2015).
    photograph: in [0, 1].
    picture: a style picture in [0, 1], of any size.

  Raises:
    ValueError: `init` is none of the three.
  """
  if init == "content":
    return photograph
  if init == "style":
    stretched = jax.image.resize(picture, photograph.shape, "linear")
    return jnp.clip(stretched, 0, 1)
  if init == "noise":
    return jax.random.uniform(key, photograph.shape)
  raise ValueError(f"init is one of {INITS}, not {init!r}")
