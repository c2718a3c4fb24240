"""A trained generator, as every task uses it.

Contact sheets, `sample`, `paint` and `evaluate` get their images here, so that
all of them see the same variables: the moving average of the parameters with
standing statistics where one is kept, else the parameters with their running
averages.
"""

import functools
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import PyTree

from astgan.arrays import Images, Latents

# Latents in one call, so that memory bounds no count.
_CHUNK = 256


class Generator(NamedTuple):
  """Latents to images.

  Attributes:
    module: called as `module.apply(variables, latents, train=False)`.
    variables: parameters and collections.
    latent_dim: dimensions of a latent z ~ N(0, I).
  """

  module: nn.Module
  variables: PyTree
  latent_dim: int

  def apply(self, latents: Latents) -> Images:
    """Images in [-1, 1], [b size size 3].

    Batches are normalised by stored statistics, so that the image of a latent
    does not depend on its neighbours.
    """
    parts = [
      _apply(self.module, self.variables, latents[i : i + _CHUNK])
      for i in range(0, len(latents), _CHUNK)
    ]
    return jnp.concatenate(parts)

  def sample(self, key: jax.Array, count: int) -> Images:
    """Images in [-1, 1], [count size size 3], of latents z ~ N(0, I)."""
    return self.apply(jax.random.normal(key, (count, self.latent_dim)))


def sampling_variables(
  module: nn.Module,
  variables: dict[str, PyTree],
  ema: PyTree | None,
  *,
  latent_dim: int,
) -> dict[str, PyTree]:
  """The variables that a generator is sampled with.

  Args:
    module: the generator; its attribute `momentum` is that of its batch
      normalisation.
    variables: as they are trained.
    ema: moving average of the parameters, or None.
    latent_dim: dimensions of a latent.

  Returns: `variables`, or the moving average with standing statistics, those of
    512 latents in one batch. The running averages do not belong to it.

  References: Brock et al., Large Scale GAN Training, 2019, section 4.1.
  """
  if ema is None:
    return variables
  variables = variables | {"params": ema}
  if "batch_stats" not in variables:
    return variables
  # Without momentum nothing is left of the statistics before.
  standing = _standing(module.clone(momentum=0.0), variables, latent_dim)
  return variables | {"batch_stats": standing}


@functools.partial(jax.jit, static_argnums=0)
def _apply(module: nn.Module, variables: PyTree, latents: Latents) -> Images:
  return module.apply(variables, latents, train=False)


@functools.partial(jax.jit, static_argnums=(0, 2))
def _standing(module: nn.Module, variables: PyTree, latent_dim: int) -> PyTree:
  latents = jax.random.normal(jax.random.key(0), (512, latent_dim))
  _, moved = module.apply(
    variables, latents, train=True, mutable=["batch_stats"]
  )
  return moved["batch_stats"]
