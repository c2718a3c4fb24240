"""Checkpoints: written whole or not at all, read on any number of devices."""

import contextlib
import errno
import os
import pathlib
import shutil
from collections.abc import Iterator
from typing import Any, NamedTuple

import flax.serialization
import jax
import jax.numpy as jnp
import ml_collections
import numpy as np
import orbax.checkpoint as ocp
from jaxtyping import PyTree

from astgan import errors, runs
from astgan.arrays import Images, Latents
from astgan.models import build

FOLDER = "checkpoints"


class Checkpoints:
  """The checkpoints of a run, one a step, the newest `keep` of them.

  What is stored is a tree of host arrays: nothing depends on the devices that
  wrote it. Writing goes on in the background; a step's folder appears when all
  of it is on disk.

  Args:
    workdir: the run folder.
    keep: how many to keep.
  """

  def __init__(self, workdir: pathlib.Path, *, keep: int) -> None:
    options = ocp.CheckpointManagerOptions(
      max_to_keep=keep, cleanup_tmp_directories=True
    )
    folder = (workdir / FOLDER).absolute()
    self._folder = folder
    self._manager = ocp.CheckpointManager(folder, options=options)

  def __enter__(self) -> "Checkpoints":
    return self

  def __exit__(self, *exception: object) -> None:
    with self._full_disks():
      self._manager.close()

  @property
  def latest(self) -> int | None:
    """The newest checkpoint's step, None where there is none."""
    return self._manager.latest_step()

  def save(self, step: int, state: PyTree) -> None:
    """Starts writing the state; returns when it may be donated.

    Args:
      step: completed updates; a checkpoint of that step is left as it is.
      state: any pytree that Flax can serialise.

    Raises:
      FloatingPointError: the state holds a number that is not finite, so that
        going on from it would be in vain.
      OSError: the disk is full, now or while the last checkpoint was written.
    """
    if step in self._manager.all_steps():
      return
    arrays = jax.device_get(flax.serialization.to_state_dict(state))
    for path, array in jax.tree.leaves_with_path(arrays):
      if not np.all(np.isfinite(array)):
        raise FloatingPointError(f"state{jax.tree_util.keystr(path)}")
    self.wait()
    # With ample room for the names and folders. orbax would notice later, in
    # threads that print tracebacks of their own.
    size = sum(array.nbytes for array in jax.tree.leaves(arrays)) + 2**20
    if shutil.disk_usage(self._folder).free < size:
      raise self._full_disk()
    with self._full_disks():
      self._manager.save(step, args=ocp.args.StandardSave(arrays))

  def restore(self, template: PyTree) -> PyTree:
    """The newest state, in the template's structure, on the host."""
    arrays = self._manager.restore(self.latest, args=ocp.args.StandardRestore())
    return flax.serialization.from_state_dict(template, arrays)

  def wait(self) -> None:
    """Returns when all that was saved is on disk."""
    with self._full_disks():
      self._manager.wait_until_finished()

  @contextlib.contextmanager
  def _full_disks(self) -> Iterator[None]:
    """Calls a full disk what it is: orbax raises ValueError."""
    try:
      yield
    except ValueError as error:
      if "RESOURCE_EXHAUSTED" not in str(error):
        raise
      raise self._full_disk() from error

  def _full_disk(self) -> OSError:
    reason = os.strerror(errno.ENOSPC)
    return OSError(errno.ENOSPC, reason, str(self._folder))


class Generator(NamedTuple):
  """A trained generator.

  Attributes:
    config: the training's config.
    step: the completed updates after which it was saved.
    variables: parameters, their running mean if it kept one, and batch
      statistics.
  """

  config: ml_collections.ConfigDict
  step: int
  variables: PyTree

  @property
  def latent(self) -> int:
    """Dimensions of a latent."""
    return self.config.model.latent

  def apply(self, latents: Latents) -> Images:
    """Images in [-1, 1], [b size size 3], of latents."""
    sample = build.sampler(self.config)
    # A few at a time, so that memory bounds no count.
    parts = [
      sample(self.variables, latents[i : i + 256])
      for i in range(0, len(latents), 256)
    ]
    return jnp.concatenate(parts)

  def sample(self, key: jax.Array, count: int) -> Images:
    """Images in [-1, 1], [count size size 3], of latents z ~ N(0, I)."""
    return self.apply(jax.random.normal(key, (count, self.latent)))


def load_generator(folder: pathlib.Path, *, step: int = -1) -> Generator:
  """The generator of a training run.

  Args:
    folder: the run folder.
    step: of the checkpoint; -1 is the newest.

  Raises:
    UserError: the folder is no training run, or holds no such checkpoint.
  """
  config = runs.read_config(folder)
  steps = _steps(folder)
  if not steps:
    raise errors.UserError(
      f"{folder} holds no checkpoint; name a training run that has saved one"
    )
  if step == -1:
    step = steps[-1]
  if step not in steps:
    raise errors.UserError(
      f"{folder} holds no checkpoint of step {step};"
      f" it has {', '.join(map(str, steps))}"
    )
  with ocp.Checkpointer(ocp.StandardCheckpointHandler()) as checkpointer:
    path = (folder / FOLDER / str(step) / "default").absolute()
    arrays: dict[str, Any] = checkpointer.restore(path)
  if arrays["ema"] is None:
    variables = {
      "params": arrays["generator"]["params"],
      "batch_stats": arrays["generator"]["stats"],
    }
  else:
    variables = build.calibrator(config)(arrays["ema"])
  return Generator(config, step, variables)


def _steps(folder: pathlib.Path) -> list[int]:
  names = [path.name for path in (folder / FOLDER).glob("*")]
  return sorted(int(name) for name in names if name.isdigit())
