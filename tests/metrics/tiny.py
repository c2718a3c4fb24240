"""A feature network small enough to work out by hand."""

import jax.numpy as jnp
import numpy as np

from astgan.features import extractors


def _apply(params, images):
  means = images.mean((1, 2))
  parts = [means, means**2, images[:, 0, 0], images.std((1, 2))]
  return jnp.concatenate(parts, axis=1) * params["scale"]


def make(name="tiny_relu1"):
  """Mean colour, its square, the first pixel and the deviation; all doubled."""
  return extractors.Extractor(name, {"scale": jnp.float32(2)}, _apply)


def draw(count, side=32, seed=0):
  """Images of noise, each of its own brightness and contrast."""
  draws = np.random.default_rng(seed)
  level = draws.uniform(80, 170, (count, 1, 1, 3))
  spread = draws.uniform(5, 70, (count, 1, 1, 1))
  noise = draws.uniform(-1, 1, (count, side, side, 3))
  return (level + spread * noise).round().astype(np.uint8)
