"""A trained generator, as every task uses it.

Contact sheets, `sample`, `paint` and `evaluate` get their images here, so that
all of them see the same variables: the moving average of the parameters with
standing statistics where one is kept, else the parameters with their running
averages.
"""

import functools
import math
from collections.abc import Callable
from typing import NamedTuple

import flax.linen as nn
import flax.traverse_util
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree, UInt8

from astgan.arrays import Images, Latents, signed_to_bytes

# Latents in one call at most, and of the standing statistics; pixels drawn at a
# time, so that memory bounds no count: those of 512 images of 64 pixels a side.
_CHUNK, _STANDING, _PIXELS = 256, 512, 512 * 64**2

Enlarge = Callable[[Images], Images]


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
    return jnp.concatenate(list(self._parts(latents)))

  def sample(self, key: jax.Array, count: int) -> Images:
    """Images in [-1, 1], [count size size 3], of latents z ~ N(0, I)."""
    return self.apply(jax.random.normal(key, (count, self.latent_dim)))

  def apply_bytes(
    self, latents: Latents, *, enlarge: Enlarge | None = None
  ) -> UInt8[np.ndarray, "b s s 3"]:
    """The same as bytes on the host: no memory of a device holds them all.

    `enlarge`, where there is one, gets a few at a time.
    """
    parts = self._parts(latents)
    if enlarge:
      parts = map(enlarge, parts)
    return np.concatenate([np.asarray(signed_to_bytes(x)) for x in parts])

  def sample_bytes(
    self, key: jax.Array, count: int, *, enlarge: Enlarge | None = None
  ) -> UInt8[np.ndarray, "{count} s s 3"]:
    """As `apply_bytes`, of latents z ~ N(0, I)."""
    latents = jax.random.normal(key, (count, self.latent_dim))
    return self.apply_bytes(latents, enlarge=enlarge)

  def _parts(self, latents):
    apply = functools.partial(_apply, self.module)
    _, *sides, _ = jax.eval_shape(apply, self.variables, latents[:1]).shape
    chunk = max(1, min(_CHUNK, _PIXELS // math.prod(sides)))
    for start in range(0, len(latents), chunk):
      part = latents[start : start + chunk]
      yield _apply(self.module, self.variables, part)


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
      normalisation, `size` the side of its images in pixels.
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
  latents = jax.random.normal(jax.random.key(0), (_STANDING, latent_dim))
  batch_size = _STANDING
  while batch_size > 1 and batch_size * module.size**2 > _PIXELS:
    batch_size //= 2
  standing = batch_statistics(module, variables, latents, batch_size=batch_size)
  return variables | {"batch_stats": standing}


def batch_statistics(
  module: nn.Module,
  variables: dict[str, PyTree],
  latents: Latents,
  *,
  batch_size: int,
) -> PyTree:
  """The collection `batch_stats` of all latents as one batch.

  It is computed on a few latents at a time, up to rounding the same:

    mean = mean_i(mean_i),  variance = mean_i(variance_i) + variance_i(mean_i)

  over equal parts i. The statistics of a layer depend on those of the layers
  before it. So a pass over all parts is normalised by the statistics found so
  far, which makes those of at least one more layer right: there are as many
  passes as layers of batch normalisation. One part needs one pass.

  Args:
    module, variables: as for `sampling_variables`.
    latents: a multiple of `batch_size`.
    batch_size: latents in a part.
  """
  if batch_size >= len(latents):
    # Without momentum nothing is left of the statistics before.
    return _batch_statistics(module.clone(momentum=0.0), variables, latents)
  parts = latents.reshape(-1, batch_size, latents.shape[-1])
  found = variables["batch_stats"]
  for _ in range(len(jax.tree.leaves(found)) // 2):
    inputs = [
      _input_statistics(module, variables | {"batch_stats": found}, part)
      for part in parts
    ]
    found = _pool(inputs)
  return found


@functools.partial(jax.jit, static_argnums=0)
def _apply(module: nn.Module, variables: PyTree, latents: Latents) -> Images:
  return module.apply(variables, latents, train=False)


@functools.partial(jax.jit, static_argnums=0)
def _batch_statistics(
  module: nn.Module, variables: PyTree, latents: Latents
) -> PyTree:
  _, moved = module.apply(
    variables, latents, train=True, mutable=["batch_stats"]
  )
  return moved["batch_stats"]


@functools.partial(jax.jit, static_argnums=0)
def _input_statistics(
  module: nn.Module, variables: PyTree, latents: Latents
) -> PyTree:
  """Those of the inputs of each batch normalisation, by its stored ones."""
  found = {}

  def look(call, arguments, options, context):
    if isinstance(context.module, nn.BatchNorm):
      x, *_ = arguments
      x = x.astype(jnp.float32).reshape(-1, x.shape[-1])
      found[*context.module.path, "mean"] = jnp.mean(x, axis=0)
      found[*context.module.path, "var"] = jnp.var(x, axis=0)
    return call(*arguments, **options)

  with nn.intercept_methods(look):
    module.apply(variables, latents, train=False)
  return flax.traverse_util.unflatten_dict(found)


@jax.jit
def _pool(parts: list[PyTree]) -> PyTree:
  """The statistics of all inputs, of those of equal parts."""
  flat = [flax.traverse_util.flatten_dict(part) for part in parts]
  pooled = {}
  for place in flat[0]:
    values = jnp.stack([part[place] for part in flat])
    pooled[place] = jnp.mean(values, axis=0)
    if place[-1] == "var":
      means = jnp.stack([part[*place[:-1], "mean"] for part in flat])
      pooled[place] += jnp.var(means, axis=0)
  return flax.traverse_util.unflatten_dict(pooled)
