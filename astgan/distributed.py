"""Several processes that work on one run, each on devices of its own.

The launch scripts say in the environment where the processes meet:

  ASTGAN_CLUSTER   what finds the others: `slurm`, `tpu`, or `processes`, for
                   which JAX_COORDINATOR_ADDRESS (HOST:PORT of process 0),
                   JAX_NUM_PROCESSES and JAX_PROCESS_ID say it

Without it a process is alone. Those of a training meet, and the first alone
reads and writes the run folder; what it finds there reaches the others over the
network. Those of a painting never meet: they share the run folder.
"""

import collections
import itertools
import json
import logging
import os
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import jax
import numpy as np
from jax._src import distributed as runtime
from jax.experimental import multihost_utils
from jaxtyping import PyTree

from astgan import errors

CLUSTERS = ("slurm", "tpu", "processes")

# For how long a process may be silent before the others end.
HEARTBEAT_SECONDS = 100

# Messages of the first process that are kept: far more than it can be ahead.
_KEPT = 100

# Words of JAX and its transports in the errors of processes that lost another.
_LOSSES = ("Gloo", "NCCL", "UNAVAILABLE", "DEADLINE_EXCEEDED", "ABORTED")

_messages = itertools.count()

T = TypeVar("T")


class Elsewhere(Exception):
  """The first process has failed, and has said why.

  Attributes:
    status: its exit status.
  """

  def __init__(self, status: int) -> None:
    super().__init__(f"process 0 ended with status {status}")
    self.status = status


def start() -> None:
  """Meets the other processes, if the environment names any.

  Raises:
    UserError: the environment says something that cannot be.
  """
  cluster = _cluster()
  if not cluster:
    return
  options = {"cluster_detection_method": "slurm"} if cluster == "slurm" else {}
  if cluster == "processes":
    options = {
      "coordinator_address": _variable("JAX_COORDINATOR_ADDRESS"),
      "num_processes": _number("JAX_NUM_PROCESSES", 1),
      "process_id": _number("JAX_PROCESS_ID", 0),
      "cluster_detection_method": "deactivate",
    }
    if options["process_id"] >= options["num_processes"]:
      raise errors.UserError(
        f"JAX_PROCESS_ID={options['process_id']}: it is below"
        f" JAX_NUM_PROCESSES={options['num_processes']}"
      )
  # Signals are answered by the loop, which agrees on a step by itself.
  jax.config.update("jax_enable_preemption_service", False)
  try:
    jax.distributed.initialize(
      **options, heartbeat_timeout_seconds=HEARTBEAT_SECONDS
    )
  except (ValueError, RuntimeError, KeyError) as error:
    reason = " ".join(str(error).split())
    raise errors.UserError(
      f"ASTGAN_CLUSTER={cluster}: the processes do not meet ({reason}); start"
      " them all, by a script of launch/"
    ) from error
  if not is_first():
    # The first process says what all of them would.
    logging.getLogger("astgan").setLevel(logging.ERROR)


def use_own_devices() -> None:
  """Leaves to the other processes on this host their accelerators.

  For a process that does not meet them: those that it would have in a training.

  Raises:
    UserError: the environment says something that cannot be.
  """
  cluster = _cluster()
  ids = ""
  if cluster == "slurm":
    ids = os.environ.get("SLURM_LOCALID", "")
  elif cluster == "processes":
    ids = os.environ.get("JAX_LOCAL_DEVICE_IDS", "")
  if ids:
    jax.config.update("jax_cuda_visible_devices", ids)
    jax.config.update("jax_rocm_visible_devices", ids)


def _cluster() -> str:
  cluster = os.environ.get("ASTGAN_CLUSTER", "")
  if cluster and cluster not in CLUSTERS:
    raise errors.UserError(
      f"ASTGAN_CLUSTER={cluster}: it is one of {', '.join(CLUSTERS)}"
    )
  return cluster


def _variable(name: str) -> str:
  value = os.environ.get(name, "")
  if not value:
    raise errors.UserError(f"{name} is not set; use launch/multiprocess.sh")
  return value


def _number(name: str, least: int) -> int:
  value = _variable(name)
  if not (value.isdecimal() and value.isascii() and int(value) >= least):
    raise errors.UserError(f"{name}={value}: it is a number from {least} on")
  return int(value)


def is_alone() -> bool:
  """Whether this is the only process."""
  return runtime.global_state.num_processes == 1


def is_first() -> bool:
  """Whether this process reads and writes the run folder."""
  return number() == 0


def number() -> int:
  """The number of this process."""
  return runtime.global_state.process_id


def by_first(function: Callable[[], Any]) -> Any:
  """What the function returns in the first process, in all of them.

  All processes make the same calls of this in the same order. What the function
  raises in the first process is raised there only; `leave` tells the others.

  Args:
    function: returns what JSON can hold.

  Raises:
    Elsewhere: in the others, when the first process leaves instead.
  """
  if is_alone():
    return function()
  if is_first():
    value = function()
    _tell({"value": value})
    return value
  told = _hear()
  if "status" in told:
    raise Elsewhere(told["status"])
  return told["value"]


def only_first(function: Callable[[], T]) -> T | None:
  """What the function returns in the first process; None in the others.

  They wait until it has returned. Raises what `by_first` does.
  """
  held = collections.deque()
  by_first(lambda: held.append(function()))
  return held[0] if held else None


def broadcast(tree: PyTree) -> PyTree:
  """The first process' arrays in all processes, bit for bit.

  Args:
    tree: of the same structure, shapes and types everywhere.
  """
  if is_alone():
    return tree
  leaves, structure = jax.tree.flatten(jax.tree.map(np.asarray, tree))
  # As bytes, since a sum would lose the sign of a zero.
  sent = [np.frombuffer(leaf.tobytes(), np.uint8) for leaf in leaves]
  received = multihost_utils.broadcast_one_to_all(sent)
  return structure.unflatten(
    np.frombuffer(data.tobytes(), leaf.dtype).reshape(leaf.shape)
    for data, leaf in zip(received, leaves, strict=True)
  )


def is_loss(error: Exception) -> bool:
  """Whether the error is that of a process that has lost another."""
  return (
    not is_alone()
    and isinstance(error, ValueError | jax.errors.JaxRuntimeError)
    and any(word in str(error) for word in _LOSSES)
  )


def leave(status: int) -> None:
  """Ends this process at once, if it has failed and is one of several.

  The first one tells the others, which then end as well. JAX would wait for
  them.

  Args:
    status: exit status; 0 is a process that ends as all do.
  """
  if not status or is_alone():
    return
  sys.stdout.flush()
  if is_first():
    try:
      _tell({"status": status})
      runtime.global_state.client.wait_at_barrier("astgan/left", 5_000)
    except jax.errors.JaxRuntimeError:
      pass  # Those that do not hear it lose this process.
  os._exit(status)


def _tell(message: dict) -> None:
  number, client = next(_messages), runtime.global_state.client
  client.key_value_set(f"astgan/{number}", json.dumps(message))
  if number >= _KEPT:
    client.key_value_delete(f"astgan/{number - _KEPT}")


def _hear() -> dict:
  number, client = next(_messages), runtime.global_state.client
  while True:
    try:
      text = client.blocking_key_value_get(f"astgan/{number}", 60_000)
      break
    except jax.errors.JaxRuntimeError as error:
      # The first process may measure or write for long.
      if "DEADLINE_EXCEEDED" not in str(error):
        raise
  message = json.loads(text)
  if "status" in message:
    client.wait_at_barrier("astgan/left", 5_000)
  return message
