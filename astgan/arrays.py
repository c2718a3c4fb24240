"""The words for shapes and the ranges of values, said once.

Shapes: `b` examples, `h` rows, `w` columns, `c` channels, `z` latent
dimensions. Images are NHWC. Files hold uint8 in [0, 255], style transfer works
on floats in [0, 1] ("unit"), GANs on floats in [-1, 1] ("signed").
"""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float, UInt8

Images = Float[Array, "b h w c"]
Features = Float[Array, "b h w c"]
Grams = Float[Array, "b c c"]
Latents = Float[Array, "b z"]
Logits = Float[Array, "b"]
PerExample = Float[Array, "b"]
Bytes = UInt8[Array, "b h w c"]


def accumulation_dtype(*arrays: Array) -> jnp.dtype:
  """The type to sum in: float32, or the arrays' own where that is wider."""
  dtypes = [jnp.dtype("float32"), *(array.dtype for array in arrays)]
  return max(dtypes, key=lambda dtype: dtype.itemsize)


def bytes_to_unit(images: Bytes) -> Images:
  """Floats in [0, 1] of bytes in [0, 255]."""
  return images.astype("float32") / 255


def bytes_to_signed(images: Bytes) -> Images:
  """Floats in [-1, 1] of bytes in [0, 255]."""
  return images.astype("float32") / 127.5 - 1


def signed_to_unit(images: Images) -> Images:
  """Floats in [0, 1] of floats in [-1, 1]."""
  return images / 2 + 0.5


def unit_to_signed(images: Images) -> Images:
  """Floats in [-1, 1] of floats in [0, 1]."""
  return images * 2 - 1


def unit_to_bytes(images: Images) -> Bytes:
  """Bytes of floats in [0, 1]: clipped, then rounded to the nearest."""
  return (images.clip(0, 1) * 255).round().astype("uint8")


def signed_to_bytes(images: Images) -> Bytes:
  """Bytes of floats in [-1, 1]: what a GAN draws, as files hold it."""
  return unit_to_bytes(signed_to_unit(images))


def precise(function: Callable) -> Callable:
  """The function with products in full float32.

  Accelerators round their factors to 10 bits or 8 otherwise, and what is small
  beside them, such as the least eigenvalues, with them.
  """

  @functools.wraps(function)
  def wrapped(*args, **kwargs):
    with jax.default_matmul_precision("highest"):
      return function(*args, **kwargs)

  return wrapped
