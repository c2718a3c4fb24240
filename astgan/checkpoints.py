"""Checkpoints: written whole or not at all, read on any number of devices."""

import contextlib
import errno
import os
import pathlib
import shutil
from collections.abc import Iterator

import flax.serialization
import jax
import numpy as np
import orbax.checkpoint as ocp
from jaxtyping import PyTree

from astgan import errors

FOLDER = "checkpoints"


class Checkpoints:
  """The checkpoints of a run, one a step: the newest `keep`, and one more.

  That one is the last that `preserve` named. What is stored is a tree of host
  arrays: nothing depends on the devices that wrote it. Writing goes on in the
  background; a step's folder appears when all of it is on disk.

  Args:
    workdir: the run folder.
    keep: how many to keep.
  """

  def __init__(self, workdir: pathlib.Path, *, keep: int) -> None:
    options = ocp.CheckpointManagerOptions(cleanup_tmp_directories=True)
    self._keep = keep
    self._preserved: int | None = None
    folder = (workdir / FOLDER).absolute()
    self._folder = folder
    self._manager = ocp.CheckpointManager(folder, options=options)

  def __enter__(self) -> "Checkpoints":
    return self

  def __exit__(self, *exception: object) -> None:
    with self._full_disks():
      self._manager.close()
    # An exception may have come before the best one was named.
    if exception[0] is None:
      self._prune()

  @property
  def steps(self) -> tuple[int, ...]:
    """The steps of all checkpoints, ascending, with one that is written now."""
    return tuple(sorted(self._manager.all_steps()))

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
      FloatingPointError: the state holds a number that is not finite.
      OSError: the disk is full, now or while the last checkpoint was written.
    """
    if step in self._manager.all_steps():
      return
    arrays = jax.device_get(flax.serialization.to_state_dict(state))
    for path, array in jax.tree.leaves_with_path(arrays):
      if not np.all(np.isfinite(array)):
        raise FloatingPointError(f"state{jax.tree_util.keystr(path)}")
    self.wait()
    # With room for the names and folders. orbax would notice later, in
    # threads that print tracebacks of their own.
    size = sum(array.nbytes for array in jax.tree.leaves(arrays)) + 2**20
    if shutil.disk_usage(self._folder).free < size:
      raise self._full_disk()
    with self._full_disks():
      self._manager.save(step, args=ocp.args.StandardSave(arrays))

  def preserve(self, step: int | None) -> None:
    """Names the checkpoint to keep beside the newest; None names none."""
    self._preserved = step

  def delete_after(self, step: int) -> None:
    """Deletes all checkpoints of later steps, the newest first.

    Killed meanwhile, it leaves what the run had at an earlier step.
    """
    self.wait()
    for later in reversed([s for s in self.steps if s > step]):
      self._delete(later)

  def restore(self, template: PyTree) -> PyTree:
    """The newest state, in the template's structure, on the host.

    Raises:
      UserError: it has another structure or other shapes.
    """
    arrays = self._manager.restore(self.latest, args=ocp.args.StandardRestore())
    return _fill(template, arrays, self._folder / str(self.latest))

  def wait(self) -> None:
    """Returns when all that was saved is on disk."""
    with self._full_disks():
      self._manager.wait_until_finished()
    self._prune()

  def _prune(self) -> None:
    for step in self.steps[: -self._keep]:
      if step != self._preserved:
        self._delete(step)

  def _delete(self, step: int) -> None:
    """Deletes a checkpoint, whole or not at all."""
    # With a name that orbax sweeps away when the run is started again.
    doomed = self._folder / f"{step}.orbax-checkpoint-tmp-0"
    (self._folder / str(step)).rename(doomed)
    shutil.rmtree(doomed)
    self._manager.reload()

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


def steps(workdir: pathlib.Path) -> tuple[int, ...]:
  """The steps of a run's checkpoints, ascending; nothing is changed."""
  names = [path.name for path in (workdir / FOLDER).glob("*")]
  return tuple(sorted(int(name) for name in names if name.isdigit()))


def find(workdir: pathlib.Path) -> tuple[int, ...]:
  """The same, at least one.

  Raises:
    UserError: the folder holds none.
  """
  found = steps(workdir)
  if not found:
    raise errors.UserError(
      f"{workdir} holds no checkpoint; name a training run that has saved one"
    )
  return found


def restore(workdir: pathlib.Path, template: PyTree, *, step: int) -> PyTree:
  """The state that a run saved at a step, on the host.

  Args:
    workdir: the run folder; nothing in it is changed.
    template: a tree of the state's structure and shapes.
    step: one of `find`.

  Raises:
    UserError: the state has another structure.
  """
  with ocp.Checkpointer(ocp.StandardCheckpointHandler()) as checkpointer:
    path = (workdir / FOLDER / str(step) / "default").absolute()
    return _fill(template, checkpointer.restore(path), path)


def _fill(template: PyTree, arrays: PyTree, path: pathlib.Path) -> PyTree:
  """The arrays in the template's structure; their shapes must agree."""
  try:
    state = flax.serialization.from_state_dict(template, arrays)
    differences = [
      f"{jax.tree_util.keystr(place)} is {np.shape(array)}, not {like.shape}"
      for (place, like), array in zip(
        jax.tree.leaves_with_path(template),
        jax.tree.leaves(state),
        strict=True,
      )
      if np.shape(array) != like.shape
    ]
  except (ValueError, KeyError) as error:
    differences = [" ".join(str(error).split())]
  if differences:
    raise errors.UserError(
      f"{path} holds the state of another system or of other widths"
      f" ({differences[0]}); use the config that it was trained with"
    )
  return state
