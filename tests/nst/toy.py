"""A feature network small enough to be worked out in float64 beside it."""

import jax.numpy as jnp
import numpy as np

from astgan.nst import objective


def make_params():
  draws = np.random.default_rng(0)
  return {
    "fine": draws.normal(size=(3, 4)).astype("float32"),
    "coarse": draws.normal(size=(3, 5)).astype("float32"),
  }


def extract(params, images, taps):
  """fine: colours mixed; coarse: means of 2 by 2 pixels, mixed and squared."""
  b, h, w, c = images.shape
  blocks = images.reshape(b, h // 2, 2, w // 2, 2, c).mean(axis=(2, 4))
  features = {
    "fine": images @ params["fine"],
    "coarse": (blocks @ params["coarse"]) ** 2,
  }
  return {tap: features[tap] for tap in taps}


def extract_wide(params, images):
  """The same in float64, by numpy."""
  wide = {name: np.asarray(p, "float64") for name, p in params.items()}
  return extract(wide, np.asarray(images, "float64"), ("fine", "coarse"))


def make_terms(**changes):
  fields = {
    "content_layers": ("coarse",),
    "style_layers": ("fine", "coarse"),
    "style_layer_weights": (1.0, 1.0),
    "style_weight": 10.0,
  }
  return objective.Terms(**(fields | changes))


def draw(*shape, seed=0):
  values = np.random.default_rng(seed).uniform(size=shape)
  return jnp.asarray(values.astype("float32"))


def make_targets(params, photograph, pictures, terms):
  fixed = {"extract": extract, "terms": terms}
  return objective.Targets(
    content=objective.content_targets(params, photograph, **fixed),
    style=objective.style_targets(params, pictures, **fixed),
  )
