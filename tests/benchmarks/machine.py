"""What JAX's device can do at most, and how much memory it took."""

import jax
import jax.numpy as jnp

from tests.benchmarks import timing


def matmul_rate() -> float:
  """Operations per second of a product of matrices, at default precision."""
  size = 2048 if jax.default_backend() == "cpu" else 8192
  matrix = jnp.ones((size, size))
  product = jax.jit(jnp.matmul)
  return timing.matmul_rate(
    lambda: product(matrix, matrix).block_until_ready(), size
  )


def memory() -> dict[str, int]:
  """The most bytes held so far: on the device, or by a CPU's process."""
  statistics = jax.devices()[0].memory_stats()
  if statistics is None:
    return {"peak_bytes": timing.peak_resident_bytes()}
  return {"peak_bytes": statistics["peak_bytes_in_use"]}
