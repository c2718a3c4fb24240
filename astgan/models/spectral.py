"""Spectral normalisation: kernels whose largest singular value is one.

References: Miyato, Kataoka, Koyama and Yoshida, Spectral Normalization for
  Generative Adversarial Networks, 2018, algorithm 1.
"""

import math
from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float


def kernel_param(
  module: nn.Module,
  name: str,
  init: Callable,
  shape: tuple[int, ...],
  *,
  spectral_norm: bool,
  train: bool,
  out_axes: tuple[int, ...] = (-1,),
) -> Float[Array, "..."]:
  """A parameter of the module, divided by its largest singular value if asked.

  The kernel is read as a matrix W [n out]. The module's collection `spectral`
  keeps under the same name an estimate u [out] of the right singular vector.
  A call with `train` moves u by one power iteration where the collection is
  mutable, v = W u / |W u|, u = W' v / |W' v|, and any call divides the kernel
  by v' W u. No gradient passes through u and v.

  Args:
    module: whose `__call__` is running.
    name: of the parameter.
    init: draws it of a key and a shape.
    shape: of the parameter.
    spectral_norm: whether to divide.
    train: whether to move u.
    out_axes: the axes of the kernel that make `out`.
  """
  kernel = module.param(name, init, shape)
  if not spectral_norm:
    return kernel
  out = math.prod(shape[axis] for axis in out_axes)
  last = tuple(range(-len(out_axes), 0))
  matrix = jnp.moveaxis(kernel, out_axes, last).reshape(-1, out)

  def draw():
    return _unit(jax.random.normal(module.make_rng("params"), (out,)))

  stored = module.variable("spectral", name, draw)
  fixed = lax.stop_gradient(matrix)
  u = stored.value
  v = _unit(fixed @ u)
  moves = train and module.is_mutable_collection("spectral")
  if moves and not module.is_initializing():
    u = stored.value = _unit(v @ fixed)
  return kernel / (v @ matrix @ u)


def _unit(vector):
  return vector / jnp.maximum(jnp.linalg.norm(vector), 1e-12)
