"""Checkpoints: written whole or not at all, read on any number of devices.

Each holds the digests of its files, and says so in `_METADATA`, without which
it cannot be read. Those of older versions say nothing, and may have none. Small
files of the run may lie beside the state, under the same digests.
"""

import contextlib
import errno
import json
import logging
import os
import pathlib
import shutil
from collections.abc import Iterable, Iterator, Mapping

import flax.serialization
import jax
import numpy as np
import orbax.checkpoint as ocp
from jaxtyping import PyTree

from astgan import atomic, digests, errors, trees

FOLDER = "checkpoints"

# What orbax says of the arrays, as JSON, and our entry in it.
_DESCRIPTION, _SAID = "_METADATA", "astgan_digests"

logger = logging.getLogger(__name__)


def _is_told_once(record: logging.LogRecord) -> bool:
  """False for what fails in a thread of orbax, and is raised in ours too."""
  return not (record.exc_info and "orbax" in record.pathname)


class _Handler(ocp.StandardCheckpointHandler):
  """Adds files and digests, in the background, before a checkpoint's name.

  Attributes:
    files: of the checkpoint that is being written.
  """

  files: Mapping[str, bytes] = {}

  def finalize(self, directory: os.PathLike[str]) -> None:
    super().finalize(directory)
    folder = pathlib.Path(directory)
    described = json.loads((folder / _DESCRIPTION).read_bytes())
    described[_SAID] = digests.NAME
    (folder / _DESCRIPTION).write_text(json.dumps(described))
    for name, data in self.files.items():
      (folder / name).write_bytes(data)
    digests.write(folder)


class Checkpoints:
  """The checkpoints of a run, one a step: the newest `keep`, and two more.

  These are the last that `preserve` named, and the newest of all, which a
  signal may have caused. What is stored is a tree of host arrays: nothing
  depends on the devices that wrote it. Writing goes on in the background; a
  step's folder appears when all of it is on disk. Of several processes one does
  all of this.

  Args:
    workdir: the run folder.
    keep: how many to keep, of the steps that are multiples of `every`.
    every: steps between two that are saved without a signal.
  """

  def __init__(
    self, workdir: pathlib.Path, *, keep: int, every: int = 1
  ) -> None:
    options = ocp.CheckpointManagerOptions(
      cleanup_tmp_directories=True,
      create=False,
      multiprocessing_options=_alone(),
    )
    self._keep, self._every = keep, every
    self._preserved: int | None = None
    folder = (workdir / FOLDER).absolute()
    self._folder = folder
    folder.mkdir(parents=True, exist_ok=True)
    handlers = ocp.handlers.DefaultCheckpointHandlerRegistry()
    self._handler = _Handler(multiprocessing_options=_alone())
    handlers.add("default", ocp.args.StandardSave, self._handler)
    self._manager = ocp.CheckpointManager(
      folder, options=options, handler_registry=handlers
    )

  def __enter__(self) -> "Checkpoints":
    logging.getLogger("absl").addFilter(_is_told_once)
    return self

  def __exit__(self, *exception: object) -> None:
    try:
      with self._full_disks():
        self._manager.close()
    finally:
      logging.getLogger("absl").removeFilter(_is_told_once)
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

  def save(
    self, step: int, state: PyTree, files: Mapping[str, bytes] | None = None
  ) -> None:
    """Starts writing the state; returns when it may be donated.

    Args:
      step: completed updates; a checkpoint of that step is left as it is.
      state: any pytree that Flax can serialise.
      files: by name, which lie beside the state; `read_files` finds them.

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
    self._handler.files = files or {}
    # With room for the names and folders: orbax would notice later.
    size = sum(array.nbytes for array in jax.tree.leaves(arrays)) + 2**20
    size += sum(map(len, self._handler.files.values()))
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
    """The newest whole state, in the template's structure, on the host.

    Damaged checkpoints of later steps are set aside.

    Raises:
      UserError: none is whole, or it has another structure or other shapes.
    """
    step, arrays, damaged = _read_newest(self._folder)
    for later, reason in damaged.items():
      self._set_aside(later, reason)
    return trees.fill(template, arrays, self._folder / str(step))

  def check(self, step: int) -> bool:
    """Whether a checkpoint is whole; a damaged one is set aside."""
    try:
      _read(self._folder / str(step))
    except digests.Damaged as reason:
      self._set_aside(step, reason)
      return False
    return True

  def wait(self) -> None:
    """Returns when all that was saved is on disk."""
    with self._full_disks():
      self._manager.wait_until_finished()
    self._prune()

  def _prune(self) -> None:
    # The new one is on the disk before an old one is deleted.
    digests.sync(self._folder)
    regular = [step for step in self.steps if not step % self._every]
    kept = {*regular[-self._keep :], *self.steps[-1:], self._preserved}
    for step in self.steps:
      if step not in kept:
        self._delete(step)

  def _delete(self, step: int) -> None:
    """Deletes a checkpoint, whole or not at all."""
    # With a name that orbax sweeps away when the run is started again.
    doomed = self._folder / f"{step}.orbax-checkpoint-tmp-0"
    (self._folder / str(step)).rename(doomed)
    shutil.rmtree(doomed)
    self._manager.reload()

  def _set_aside(self, step: int, reason: digests.Damaged) -> None:
    """Renames a damaged checkpoint, so that it is none, and says so."""
    damaged = self._folder / str(step)
    aside = atomic.set_aside(damaged, f"damaged_{step:08d}")
    self._manager.reload()
    logger.warning(
      f"{damaged} is damaged ({reason}): set aside as {aside.name}"
    )

  @contextlib.contextmanager
  def _full_disks(self) -> Iterator[None]:
    """Calls a full disk what it is: orbax raises ValueError."""
    try:
      with atomic.naming(self._folder):
        yield
    except ValueError as error:
      if "RESOURCE_EXHAUSTED" not in str(error):
        raise
      raise self._full_disk() from error

  def _full_disk(self) -> OSError:
    reason = os.strerror(errno.ENOSPC)
    return OSError(errno.ENOSPC, reason, str(self._folder))


def _alone() -> ocp.options.MultiprocessingOptions:
  """Of one process, which waits for no others."""
  process = jax.process_index()
  return ocp.options.MultiprocessingOptions(
    primary_host=process, active_processes={process}
  )


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


def is_whole(workdir: pathlib.Path, step: int) -> bool:
  """Whether the checkpoint of a step is undamaged; nothing is changed."""
  try:
    _read(workdir / FOLDER / str(step))
  except digests.Damaged:
    return False
  return True


def read_files(
  workdir: pathlib.Path, names: Iterable[str]
) -> tuple[int, dict[str, bytes]] | None:
  """A step, and the files that its checkpoint carries, all of them whole.

  It is the newest such checkpoint; None is none. Nothing is changed.
  """
  names = set(names)
  for step in reversed(steps(workdir)):
    try:
      found = digests.read(workdir / FOLDER / str(step) / "default", names)
    except digests.Damaged:
      continue
    if found.keys() == names:
      return step, found
  return None


def restore(
  workdir: pathlib.Path, template: PyTree, *, step: int | None
) -> tuple[int, PyTree]:
  """A step, and the state that a run saved there, on the host.

  Args:
    workdir: the run folder; nothing in it is changed.
    template: a tree of the state's structure and shapes.
    step: one of `find`; None is the newest that is not damaged.

  Raises:
    UserError: the state is damaged or has another structure.
  """
  folder = workdir / FOLDER
  if step is None:
    step, arrays, damaged = _read_newest(folder)
    for later, reason in damaged.items():
      logger.warning(
        f"{folder / str(later)} is damaged ({reason}): using {step}"
      )
  else:
    try:
      arrays = _read(folder / str(step))
    except digests.Damaged as reason:
      raise errors.UserError(
        f"{folder / str(step)} is damaged ({reason}); name step newest, or"
        f" another of {', '.join(map(str, find(workdir)))}"
      ) from reason
  return step, trees.fill(template, arrays, folder / str(step))


def _read_newest(
  folder: pathlib.Path,
) -> tuple[int, PyTree, Mapping[int, digests.Damaged]]:
  """The newest whole checkpoint, and why those of later steps are not."""
  damaged = {}
  for step in reversed(steps(folder.parent)):
    try:
      return step, _read(folder / str(step)), damaged
    except digests.Damaged as reason:
      damaged[step] = reason
  reasons = "; ".join(f"{step}: {reason}" for step, reason in damaged.items())
  raise errors.UserError(
    f"{folder} holds no whole checkpoint ({reasons}); bring one back, or delete"
    " that folder to train from the beginning"
  )


def _read(path: pathlib.Path) -> PyTree:
  """The arrays of a checkpoint.

  Raises:
    Damaged: its files are not what was saved.
  """
  folder = (path / "default").absolute()
  is_whole = digests.check(folder)
  try:
    options = {"multiprocessing_options": _alone()}
    handler = ocp.StandardCheckpointHandler(**options)
    with ocp.Checkpointer(handler, **options) as checkpointer:
      arrays = checkpointer.restore(folder)
    described = json.loads((folder / _DESCRIPTION).read_bytes())
  except Exception as error:
    if is_whole:
      raise
    # Without digests: damaged files may raise anything.
    reason = f"{type(error).__name__} while it was read"
    raise digests.Damaged(reason) from error
  if not is_whole and _SAID in described:
    raise digests.Damaged(f"{digests.NAME} is missing")
  return arrays
