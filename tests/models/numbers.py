"""Random arrays, and comparison of sums of many products."""

import jax.numpy as jnp
import numpy as np


def draw(*shape, seed=0):
  return jnp.asarray(np.random.default_rng(seed).normal(size=shape), "float32")


def close(actual, expected, rtol=1e-5):
  """Errors are relative to the largest value."""
  atol = rtol * np.max(np.abs(expected))
  np.testing.assert_allclose(
    actual, expected, rtol=rtol, atol=atol, strict=True
  )
