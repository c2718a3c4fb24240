"""A small feature network with a float64 counterpart in numpy."""

import jax.numpy as jnp
import numpy as np

from astgan.nst import objective


def draw(*shape, seed=0):
  values = np.random.default_rng(seed).uniform(size=shape)
  return jnp.asarray(values, jnp.float32)


def extract(params, images, taps):
  """fine: colours mixed; coarse: means of 2 by 2 pixels, mixed and squared."""
  b, h, w, c = images.shape
  blocks = images.reshape(b, h // 2, 2, w // 2, 2, c).mean(axis=(2, 4))
  fine, coarse = images @ params["fine"], (blocks @ params["coarse"]) ** 2
  return {tap: {"fine": fine, "coarse": coarse}[tap] for tap in taps}


PARAMS = {"fine": draw(3, 4) - 0.5, "coarse": draw(3, 5, seed=1) - 0.5}
PHOTOGRAPH = draw(1, 8, 6, 3, seed=1)


def extract_float64(images):
  """The same in float64, by numpy."""
  params = {name: np.asarray(p, "float64") for name, p in PARAMS.items()}
  return extract(params, np.asarray(images, "float64"), ("fine", "coarse"))


def make_terms(**changes):
  fields = {"content_layers": ("coarse",), "style_layers": ("fine", "coarse")}
  fields |= {"style_layer_weights": (1.0, 1.0), "style_weight": 1000.0}
  return objective.Terms(**(fields | changes))


def make_targets(style_images, terms):
  fixed = {"extract": extract, "terms": terms}
  return objective.Targets(
    content=objective.content_targets(PARAMS, PHOTOGRAPH, **fixed),
    style=objective.style_targets(PARAMS, style_images, **fixed),
  )
