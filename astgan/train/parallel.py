"""The update step over all local devices: the only place that maps.

The state is one plain pytree, the same on every device; batches are split. An
output that forgot its mean over the devices would silently be the first
device's, which the tests on two devices catch.
"""

import math
from collections.abc import Callable

import jax
import ml_collections
import numpy as np
from jax import lax
from jaxtyping import Array, PyTree, Shaped, UInt8

from astgan.train import state, step

AXIS = "devices"

Call = Callable[
  [state.GANState, UInt8[Array, "n s s 3"] | None, Shaped[Array, "..."]],
  tuple[state.GANState, PyTree],
]


def make_call(config: ml_collections.ConfigDict) -> Call:
  """`call(state, pictures, batches) -> (state, scalars)` on all devices.

  One call makes k updates, one after the other. The state is donated.

  `pictures` is None where the host gathers the batches: then `batches` are
  bytes, [devices k b s s 3]. Else it holds all pictures on every device, and
  `batches` are their indices, [devices k b]. b is a device's share of a batch.
  The scalars are those of each update, [k].
  """
  one_step = step.make_step(config, axis_name=AXIS)

  def call(
    old: state.GANState,
    pictures: UInt8[Array, "n s s 3"] | None,
    batches: Shaped[Array, "k b ..."],
  ) -> tuple[state.GANState, PyTree]:
    def body(old: state.GANState, batch: Shaped[Array, "b ..."]):
      return one_step(old, batch if pictures is None else pictures[batch])

    if batches.shape[0] == 1:
      # Without a loop, in which CPUs differentiate convolutions slowly.
      new, scalars = body(old, batches[0])
      return new, jax.tree.map(lambda x: x[None], scalars)
    return lax.scan(body, old, batches)

  return jax.pmap(
    call,
    axis_name=AXIS,
    in_axes=(None, None, 0),
    out_axes=(None, None),
    donate_argnums=0,
  )


def split(batches: Shaped[np.ndarray, "k b ..."]) -> np.ndarray:
  """k global batches as the devices' shares, [devices k b/devices ...]."""
  devices = jax.local_device_count()
  k, b = batches.shape[:2]
  shares = batches.reshape(k, devices, b // devices, *batches.shape[2:])
  return shares.swapaxes(0, 1)


def on_every_device(tree: PyTree) -> PyTree:
  """A copy of each array on each local device, as `call` wants them."""
  mesh = jax.sharding.Mesh(np.array(jax.local_devices()), AXIS)
  everywhere = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())
  return jax.device_put(tree, everywhere)


def fits(pictures: np.ndarray) -> bool:
  """Whether the devices are accelerators with ample room for all pictures."""
  statistics = jax.local_devices()[0].memory_stats()
  if jax.default_backend() == "cpu" or not statistics:
    return False
  return pictures.nbytes < statistics.get("bytes_limit", 0) / 4


def steps_per_call(config: ml_collections.ConfigDict) -> int:
  """Updates per call: what the config says or what suits the devices.

  A call never runs across a sample grid or a checkpoint, so that the number
  divides both periods.
  """
  train = config.train
  if train.steps_per_call:
    return train.steps_per_call
  if jax.default_backend() == "cpu":
    return 1
  period = math.gcd(train.sample_every, train.save_every)
  return max(k for k in range(1, 33) if period % k == 0)
