"""Spectral normalisation against NumPy's singular values."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan.models import spectral
from tests.models.numbers import close, draw

KERNEL = draw(3, 2, 5, 4)


class Toy(nn.Module):
  out_axes: tuple = (-1,)

  @nn.compact
  def __call__(self, *, train):
    return spectral.kernel_param(
      self, "kernel", lambda key, shape: KERNEL, KERNEL.shape,
      spectral_norm=True, train=train, out_axes=self.out_axes,
    )  # fmt: skip


def start(**options):
  toy = Toy(**options)
  return toy, toy.init(jax.random.key(0), train=True)


def matrix(kernel):
  return np.asarray(kernel).reshape(-1, 4)


@pytest.mark.parametrize(
  ("out_axes", "equation"),
  [((-1,), "ijkl->ijkl"), ((2,), "ijkl->ijlk"), ((1, 2, 3), "ijkl->ijkl")],
)
def test_the_largest_singular_value_becomes_one(out_axes, equation):
  toy, variables = start(out_axes=out_axes)
  for _ in range(60):
    kernel, moved = toy.apply(variables, train=True, mutable=["spectral"])
    variables |= moved
  turned = np.einsum(equation, KERNEL)
  size = np.prod([KERNEL.shape[axis] for axis in out_axes])
  sigma = np.linalg.svd(turned.reshape(-1, size), compute_uv=False)[0]
  close(kernel, np.asarray(KERNEL) / sigma)
  # So it stays out of training, and where the vector may not move.
  for train in (True, False):
    close(toy.apply(variables, train=train), kernel)


def test_only_training_moves_the_vector_and_by_one_power_iteration():
  toy, variables = start()
  first = np.asarray(variables["spectral"]["kernel"])
  np.testing.assert_allclose(np.linalg.norm(first), 1, rtol=1e-6)
  _, moved = toy.apply(variables, train=False, mutable=["spectral"])
  close(moved["spectral"]["kernel"], first)
  _, moved = toy.apply(variables, train=True, mutable=["spectral"])
  u = matrix(KERNEL).T @ matrix(KERNEL) @ first
  close(moved["spectral"]["kernel"], u / np.linalg.norm(u))


def test_no_gradient_passes_through_the_vectors():
  toy, variables = start()
  weights = draw(*KERNEL.shape, seed=1)

  def loss(params):
    variables["params"] = params
    return jnp.vdot(weights, toy.apply(variables, train=False))

  u = np.asarray(variables["spectral"]["kernel"])
  v = matrix(KERNEL) @ u / np.linalg.norm(matrix(KERNEL) @ u)
  sigma = v @ matrix(KERNEL) @ u
  # Of W / sigma with d sigma / d W = v u'.
  expected = matrix(weights) / sigma
  expected -= np.vdot(weights, KERNEL) / sigma**2 * np.outer(v, u)
  close(matrix(jax.grad(loss)(variables["params"])["kernel"]), expected)
