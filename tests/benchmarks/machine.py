"""The matmul rate and the peak memory of the JAX device."""

import timeit

import jax
import jax.numpy as jnp

from tests.benchmarks import timing


def matmul_rate() -> float:
  """FLOPs per second of a matrix product at default precision."""
  size = 2048 if jax.default_backend() == "cpu" else 8192
  matrix = jnp.ones((size, size))
  product = jax.jit(jnp.matmul)
  times = timeit.repeat(
    lambda: product(matrix, matrix).block_until_ready(), number=1, repeat=9
  )
  return 2 * size**3 / min(times)


def memory() -> dict[str, int]:
  """Peak bytes on the device, or of the process on a CPU."""
  statistics = jax.devices()[0].memory_stats()
  if statistics is None:
    return {"peak_bytes": timing.peak_resident_bytes()}
  return {"peak_bytes": statistics["peak_bytes_in_use"]}
