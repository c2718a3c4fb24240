"""The map of features that a latent decides."""

import jax
import jax.numpy as jnp
import numpy as np

from astgan.models import linear_transform
from tests.models.numbers import draw


def test_it_begins_as_a_projection_to_a_few_directions():
  module = linear_transform.Transform(latent_dim=5, channels=4)
  content, style = draw(2, 3, 6, 8, 512)
  latents = draw(3, 5)
  inputs = linear_transform.Inputs(content, style, latents)
  params = {"params": module.init(jax.random.key(0), inputs)["params"]}

  def deviation(features):
    mapped = module.apply(params, features, latents, method="transform")
    return mapped - jnp.mean(mapped, axis=(1, 2), keepdims=True)

  once = deviation(content)
  np.testing.assert_allclose(deviation(once), once, atol=1e-5)
  kept = jnp.sum(once**2) / jnp.sum(
    (content - content.mean((1, 2), keepdims=True)) ** 2
  )
  # Of noise, the share of the directions.
  np.testing.assert_allclose(kept, 4 / 512, rtol=0.2)
