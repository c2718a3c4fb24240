"""Features of many images, a batch at a time, over all local devices."""

import functools

import jax
import numpy as np
from jaxtyping import Array, Float, Float32, PyTree, UInt8

from astgan import arrays
from astgan.features import extractors

Images = UInt8[np.ndarray, "n s s 3"]


def features(
  extractor: extractors.Extractor, images: Images, *, batch_size: int = 64
) -> Float32[np.ndarray, "n d"]:
  """The features of all images.

  Each device has an equal share of a batch. The last batch is filled up with
  black images, whose features are cut off.

  Args:
    extractor: its parameters go to every device.
    images: at least one.
    batch_size: images at a time, rounded up to a multiple of the devices.
  """
  mesh = jax.sharding.Mesh(jax.local_devices(), "b")
  replicated, sharded = (
    jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec(*axes))
    for axes in ((), ("b",))
  )
  params = jax.device_put(extractor.params, replicated)
  size = -(-min(batch_size, len(images)) // mesh.size) * mesh.size
  parts = []
  for start in range(0, len(images), size):
    batch = images[start : start + size]
    missing = size - len(batch)
    batch = np.pad(batch, ((0, missing), (0, 0), (0, 0), (0, 0)))
    part = _apply(extractor.apply, params, jax.device_put(batch, sharded))
    if jax.default_backend() == "cpu":
      # Devices faked on a few cores hang when calls pile up.
      part = np.asarray(part)
    parts.append(part)
  found = np.concatenate([np.asarray(part) for part in parts])
  return found[: len(images)]


@functools.partial(jax.jit, static_argnums=0)
def _apply(
  apply: extractors.Apply, params: PyTree, images: arrays.Bytes
) -> Float[Array, "b d"]:
  return apply(params, arrays.bytes_to_unit(images))
