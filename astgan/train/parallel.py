"""The updates of a system over all devices: the only place that maps.

The state is one plain pytree, the same on every device; batches are sharded,
over the devices of all processes, of which each brings its own share. An
output that forgot its mean over the devices would silently be the first
device's, which the tests on two devices catch.
"""

import functools
import math
from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
import ml_collections
import numpy as np
from jax import lax
from jaxtyping import Array, Int, Key, PyTree, Shaped, UInt32

from astgan import arrays
from astgan.arrays import Images
from astgan.data import augment
from astgan.systems import interface

AXIS = "devices"

# call(state, frozen, images, batches, numbers, phase, turn) -> (state, scalars)
Call = Callable[..., tuple[interface.TrainState, interface.Scalars]]


def make_call(
  system: interface.System, data: ml_collections.ConfigDict
) -> Call:
  """The program of some turns, on all devices.

  It is compiled for each phase, turn and number of turns.

  `call(state, frozen, images, batches, numbers, phase, turn)` makes k turns of
  one name, one after the other, and returns the state and the scalars of each,
  [k]. The state is donated. `images` is None where the host gathers the
  batches: then `batches` are bytes by source, [devices k b s s 3]. Otherwise it
  holds all images on every device, and `batches` are their indices, [devices k
  b]. The devices are those of this process, and b is a device's share of a
  batch. `numbers` are those of the turns in their step, [k].

  Args:
    system: whose update is made.
    data: the section `data` of the config.
  """

  def call(state, frozen, images, batches, numbers, phase, turn):
    def body(state, batch_and_number):
      batch, number = batch_and_number
      if images is not None:
        batch = {name: images[name][batch[name]] for name in batch}
      share = len(batch[system.sources[0]])
      examples = lax.axis_index(AXIS) * share + jnp.arange(share)
      draw_keys, augment_keys = turn_keys(
        state.key, state.step, number, examples
      )
      batch = prepare(augment_keys, batch, data, size=phase.size)
      draws = draw(system, draw_keys, phase=phase)
      return system.update(
        state, batch, draws, frozen, phase=phase, turn=turn, axis_name=AXIS
      )

    if len(numbers) > 1:
      return lax.scan(body, state, (batches, numbers))
    # Without a loop, in which CPUs differentiate convolutions slowly.
    first = jax.tree.map(lambda x: x[0], (batches, numbers))
    state, scalars = body(state, first)
    return state, jax.tree.map(lambda x: x[None], scalars)

  return jax.pmap(
    call,
    axis_name=AXIS,
    in_axes=(None, None, None, 0, None, None, None),
    out_axes=(None, None),
    static_broadcasted_argnums=(5, 6),
    donate_argnums=0,
    devices=_devices(),
  )


def turn_keys(
  key: UInt32[Array, "2"] | np.ndarray,
  step: Int[Array, ""] | int,
  number: Int[Array, ""] | int,
  examples: Int[Array, "b"],
) -> tuple[Key[Array, "b"], Key[Array, "b"]]:
  """Keys of one turn: of the update's chance, and of the images'.

  Each example has its own, so that chance does not depend on the devices.

  Args:
    key: raw key data of the run.
    step: completed steps.
    number: of the turn in its step.
    examples: their places in the batch of all devices.
  """
  key = jax.random.wrap_key_data(key)
  for part in (step, number):
    key = jax.random.fold_in(key, part)
  keys = jax.vmap(functools.partial(jax.random.fold_in, key))(examples)
  draw_keys, augment_keys = jax.vmap(jax.random.split, out_axes=1)(keys)
  return draw_keys, augment_keys


def draw(
  system: interface.System, keys: Key[Array, "b"], *, phase: interface.Phase
) -> PyTree:
  """The system's draws, of each example with a key of its own."""
  draws = jax.vmap(lambda key: system.draw(key, 1, phase=phase))(keys)
  return jax.tree.map(lambda leaf: leaf[:, 0], draws)


def prepare(
  keys: Key[Array, "b"],
  batch: Mapping[str, Array],
  data: ml_collections.ConfigDict,
  *,
  size: int,
) -> dict[str, Images]:
  """Images in [-1, 1], [b size size 3], as an update is given them.

  Args:
    keys: of windows and mirrors.
    batch: bytes of each source, as the loader brings them.
    data: the section `data` of the config.
    size: of the phase.
  """
  prepared = {}
  for number, (name, images) in enumerate(sorted(batch.items())):
    own = jax.vmap(lambda key, n=number: jax.random.fold_in(key, n))(keys)
    images = augment.augment(own, images, size=data.size, flip=data.flip)
    prepared[name] = augment.reduce(arrays.bytes_to_signed(images), size=size)
  return prepared


def shard(
  batches: Shaped[np.ndarray, "k b ..."],
) -> Shaped[np.ndarray, "devices k share ..."]:
  """k global batches as the shares of the devices of this process."""
  devices = _devices()
  k, b = batches.shape[:2]
  shares = batches.reshape(
    k, len(devices), b // len(devices), *batches.shape[2:]
  )
  here = [d.process_index == jax.process_index() for d in devices]
  return shares.swapaxes(0, 1)[here]


def _devices() -> list[jax.Device]:
  """All devices, those of a process together, in the order of their shares."""
  return sorted(jax.devices(), key=lambda d: (d.process_index, d.id))


class Agreement:
  """Whether any process asks to stop, which all learn at the same call.

  Several processes learn it a call later, so that accelerators need not wait.
  """

  def __init__(self) -> None:
    self._asked = None
    self._any = jax.pmap(
      lambda asked: lax.pmax(asked, AXIS),
      axis_name=AXIS,
      out_axes=None,
      devices=_devices(),
    )

  def asks(self, asked: bool) -> bool:
    """All processes call it together, each with what it asks itself."""
    if jax.process_count() == 1:
      return asked
    before = self._asked
    self._asked = self._any(np.full(jax.local_device_count(), asked, np.int32))
    if jax.default_backend() == "cpu":
      jax.block_until_ready(self._asked)
    return before is not None and bool(before)


def replicate(tree: PyTree) -> PyTree:
  """A copy of each array on each local device, as `call` wants them."""
  mesh = jax.sharding.Mesh(np.array(jax.local_devices()), AXIS)
  everywhere = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())
  return jax.device_put(tree, everywhere)


def fits(images: Mapping[str, np.ndarray]) -> bool:
  """Whether the devices are accelerators with ample memory for all images."""
  statistics = jax.local_devices()[0].memory_stats()
  if jax.default_backend() == "cpu" or not statistics:
    return False
  size = sum(array.nbytes for array in images.values())
  return size < statistics.get("bytes_limit", 0) / 4


def steps_per_call(config: ml_collections.ConfigDict) -> int:
  """Steps per call: what the config says or what suits the devices.

  A call never runs across a contact sheet, a checkpoint or an evaluation, so
  that the number divides their periods.
  """
  train = config.train
  if train.steps_per_call:
    return train.steps_per_call
  if jax.default_backend() == "cpu":
    return 1
  period = math.gcd(train.sample_every, train.save_every, train.evaluate_every)
  return max(k for k in range(1, 33) if period % k == 0)
