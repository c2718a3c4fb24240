"""The run folder: one folder a run, whose config.json says what it is."""

import contextlib
import errno
import json
import logging
import os
import pathlib
import tempfile
from collections.abc import Iterator

import ml_collections

from astgan import atomic, errors, locks

logger = logging.getLogger(__name__)

# The sections that belong to a task. A run is compared with an earlier one in
# its own sections and those that belong to no task in particular, such as a
# system's.
SECTIONS = {
  "train": ("data", "train", "evaluate", "detectors", "features"),
  "paint": ("features", "paint"),
  "sample": ("sample",),
  "evaluate": ("data", "evaluate"),
  "judge": ("features", "judge"),
  "sweep": ("sweep",),
}

# Fields that may change between two starts of a run: they lengthen it, report
# about it or say what to do when it fails. On accelerators, where calls of
# several updates end at samples, evaluations, checkpoints and the last step,
# other such steps can change the last bits.
FREE = (
  "compile_cache",
  "data.cache",
  "train.steps",
  "train.log_every",
  "train.sample_every",
  "train.save_every",
  "train.max_to_keep",
  "train.num_samples",
  "train.evaluate_every",
  "train.on_failure",
  "train.max_roll_backs",
  "train.roll_back_factor",
  "evaluate.nets",
  "evaluate.metrics",
  "evaluate.count",
  "evaluate.subset_size",
  "evaluate.subsets",
  "evaluate.best_metric",
  "detectors.patience",
  "detectors.evaluations",
  "detectors.logit_margin",
  "detectors.logit_gap",
  "detectors.loss_factor",
  "detectors.gradient_norm",
  "detectors.diversity",
  "detectors.metric_factor",
  "detectors.authenticity",
  "judge.measures",
  "paint.content",
  "paint.log_every",
  "paint.save_every",
  "paint.tile",
  "sweep.fields",
  "sweep.seeds",
  "sweep.scalars",
  "sweep.rank_by",
)

# Where the images of a training are, and the file of its folder by which they
# are known again where they were moved.
_PLACES = {
  "data.source": "images.json",
  "data.photographs": "images.json",
  "style.source": "style.json",
}


def is_avoidable(error: OSError) -> bool:
  """Whether a folder cannot be made or written where another one could."""
  return error.errno in (
    errno.EACCES,
    errno.EEXIST,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EPERM,
    errno.EROFS,
  )


def check_writable(folder: pathlib.Path) -> None:
  """Makes a folder of the run, or the run folder itself, with its parents.

  Raises:
    UserError: it cannot be written.
  """
  try:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
      pass
  except OSError as error:
    if not is_avoidable(error):
      raise
    raise errors.UserError(
      f"--workdir: {folder} cannot be written ({error.strerror}); name a folder"
      " that can"
    ) from error


def check_run(workdir: pathlib.Path, config: ml_collections.ConfigDict) -> None:
  """Makes the folder, or compares the config with that of the run in it.

  The folder does not belong to the config yet: a mistake that is found before
  `open_run` can be corrected and the run started again in the same place.

  Args:
    workdir: the run folder; it and its parents are made where missing.
    config: the whole config.

  Raises:
    UserError: the folder cannot be written, or belongs to a run with another
      config.
  """
  check_writable(workdir)
  if (workdir / "config.json").exists():
    _check_same(workdir, read_config(workdir), config)


@contextlib.contextmanager
def alone(workdir: pathlib.Path) -> Iterator[None]:
  """Keeps other processes out of the run folder.

  Raises:
    UserError: another one is in it.
  """
  with contextlib.ExitStack() as stack:
    try:
      stack.enter_context(locks.held(workdir / "lock", wait=False))
    except BlockingIOError as error:
      raise errors.UserError(
        f"--workdir={workdir} is in use by another process; wait until that has"
        " ended, or name another folder"
      ) from error
    yield


def open_run(workdir: pathlib.Path, config: ml_collections.ConfigDict) -> None:
  """Makes the folder and its config.json, or continues what stands there.

  Args and Raises: as for `check_run`.
  """
  check_run(workdir, config)
  atomic.sweep(workdir)
  atomic.write(workdir / "config.json", as_json(config))


def as_json(config: ml_collections.ConfigDict) -> bytes:
  """What config.json says."""
  return (json.dumps(config.to_dict(), indent=2) + "\n").encode()


def keeps(written: bytes, began: bytes) -> bool:
  """Whether a config.json has all fields of another, and the same values.

  Those of fields that may change between two starts may differ, and so may
  places of images that are gone from there.

  Args:
    written: that may have further fields, or be none.
    began: that of the run.
  """
  try:
    fields = _flat(json.loads(written))
  except (ValueError, AttributeError):
    return False
  return all(
    name in fields
    and (name in FREE or fields[name] == value or _is_gone(name, value))
    for name, value in _flat(json.loads(began)).items()
  )


def keep_fingerprint(
  workdir: pathlib.Path, name: str, fingerprint: dict, *, field: str
) -> None:
  """Writes what a run reads into a file of its folder, or compares the two.

  Args:
    workdir: the run folder.
    name: of the file, such as `images.json`.
    fingerprint: counts and digests, as JSON has them.
    field: the config's field that names what is read, for the message.

  Raises:
    UserError: the run began with something else.
  """
  path = workdir / name
  text = json.dumps(fingerprint) + "\n"
  if not path.exists():
    atomic.write(path, text.encode())
  elif path.read_bytes() != text.encode():
    raise errors.UserError(
      f"config.{field}: the images are not those that {workdir} began with (now"
      f" {text.strip()}; see {path}); bring those back, or use another"
      " --workdir"
    )


def read_fingerprint(workdir: pathlib.Path, name: str) -> dict | None:
  """What `keep_fingerprint` wrote, or None, with a warning if it is damaged."""
  path, found = workdir / name, None
  try:
    found = json.loads(path.read_text())
  except FileNotFoundError:
    return None
  except (OSError, ValueError):
    pass
  if isinstance(found, dict):
    return found
  logger.warning(f"{path} cannot be read: the images are not compared with it")
  return None


def is_run(folder: pathlib.Path) -> bool:
  """Whether a folder has the config.json of a run, perhaps a damaged one.

  That of another program names no task.
  """
  path = folder / "config.json"
  if not os.path.isfile(path):  # Path.is_file raises for names too long.
    return False
  try:
    fields = json.loads(path.read_text())
  except (OSError, ValueError):  # Who reads it as a run's says so.
    return True
  return isinstance(fields, dict) and "task" in fields


def read_config(workdir: pathlib.Path) -> ml_collections.ConfigDict:
  """The config of the run in `workdir`.

  Raises:
    UserError: there is no readable config.json.
  """
  path = workdir / "config.json"
  try:
    fields = json.loads(path.read_text())
    if not isinstance(fields, dict):
      raise errors.UserError(
        f"{path} holds no fields; restore it or use another folder"
      )
    return ml_collections.ConfigDict(fields).lock()
  except FileNotFoundError as error:
    raise errors.UserError(
      f"{workdir} is no run folder: it has no config.json; name the folder"
      " that a training wrote"
    ) from error
  # Names that no field can have are ValueErrors or AttributeErrors.
  except (OSError, ValueError, AttributeError) as error:
    raise errors.UserError(
      f"{path} cannot be read ({error}); restore it or use another folder"
    ) from error


def read_training(workdir: pathlib.Path) -> ml_collections.ConfigDict:
  """The config of the training run in `workdir`.

  Raises:
    UserError: there is no readable config.json, or it is not of a training by
      this version.
  """
  config = read_config(workdir)
  if config.get("task") != "train":
    raise errors.UserError(
      f"{workdir} is no training run; name the folder that a training wrote"
    )
  if "system" not in config:
    raise errors.UserError(
      f"{workdir} was trained by a version of astgan whose config.json names no"
      " system; use that version, or train anew in another --workdir"
    )
  return config


def _check_same(
  workdir: pathlib.Path,
  old: ml_collections.ConfigDict,
  new: ml_collections.ConfigDict,
) -> None:
  if old.get("task") == "train" == new.task:
    read_training(workdir)
  own = SECTIONS[new.task]
  others = {section for group in SECTIONS.values() for section in group}
  others -= set(own)
  # Through JSON, where tuples are lists, so that both sides look alike.
  old_fields = _flat(old.to_dict())
  new_fields = _flat(json.loads(json.dumps(new.to_dict())))
  compared = [
    name
    for name in sorted(old_fields.keys() | new_fields.keys())
    if name not in FREE and name.partition(".")[0] not in others
  ]
  is_same_kind = all(
    old_fields.get(name) == new_fields.get(name) for name in ("task", "system")
  )
  missing = [name for name in compared if name not in old_fields]
  if is_same_kind and missing:
    raise errors.UserError(
      f"{workdir / 'config.json'} has no {', '.join(missing)}: another version"
      " of astgan wrote it; use that version, or another --workdir, or add the"
      " value by which the run began"
    )
  differences = [
    f"{name}: {old_fields.get(name)!r} -> {new_fields.get(name)!r}"
    for name in compared
    if old_fields.get(name) != new_fields.get(name)
    # What was moved is known by its digest.
    and not (
      _is_gone(name, old_fields.get(name))
      and (workdir / _PLACES[name]).exists()
    )
  ]
  if differences:
    raise errors.UserError(
      f"{workdir} belongs to a run with another config"
      f" ({'; '.join(differences)}); use another --workdir, or the old values"
    )


def _is_gone(name: str, place: object) -> bool:
  """Whether a field names a file or folder of images that is not there."""
  if name not in _PLACES or not isinstance(place, str):
    return False
  path = place.removeprefix("folder:")
  is_path = path != place or name == "style.source"
  return is_path and not os.path.exists(os.path.expanduser(path))


def _flat(tree: dict, prefix: str = "") -> dict:
  flat = {}
  for name, value in tree.items():
    if isinstance(value, dict):
      flat |= _flat(value, f"{prefix}{name}.")
    else:
      flat[prefix + name] = value
  return flat
