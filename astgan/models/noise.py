"""Noise of a latent, for generators that add noise to their features."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from astgan.arrays import Latents


def of_latents(
  latents: Latents, sides: Sequence[int]
) -> list[Float[Array, "b _side _side"]]:
  """N(0, 1) for each pixel of a square of each side.

  It is a function of the first two numbers of the latents, rounded to 1/256,
  so that a latent has one image, whatever its neighbours and on however many
  devices. Neighbours in the space of latents have other noise.

  Args:
    latents: [b z].
    sides: of the squares, in pixels.
  """
  seeds = jnp.round(256 * latents[:, :2]).astype(jnp.int32).astype(jnp.uint32)

  def draw(seed):
    keys = jax.random.split(jax.random.wrap_key_data(seed), len(sides))
    return [
      jax.random.normal(key, (side, side))
      for side, key in zip(sides, keys, strict=True)
    ]

  return jax.vmap(draw)(seeds)
