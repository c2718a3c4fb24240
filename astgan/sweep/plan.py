"""The runs of a sweep: every setting of its fields, with every seed."""

import hashlib
import itertools
import os
import pathlib
import re
from collections.abc import Iterator
from typing import NamedTuple

import ml_collections

from astgan import checks, errors, pages
from astgan.nst import settings as painting_settings
from astgan.sweep import paintings
from astgan.systems import registry
from astgan.train import settings

DESIGNS = ("grid", "each")

# The setting in which a page is as it stands.
AS_IT_STANDS = "the page"

# Fields of paths, and what they hold that is none.
_PATHS = {
  "paint": (
    *("paint.style", "paint.styles", "paint.painter", "paint.upscale"),
    *("paint.masks", "paint.style_masks", "features.weights"),
  ),
  "train": (
    *("data.source", "data.photographs", "style.source", "features.weights"),
  ),
}
_NO_PATHS = ("", "auto", "random", "landscapes")

# Bytes of the name of a run folder; 255 is what most file systems take.
_LONGEST = 200


class Run(NamedTuple):
  """One training of a sweep, or the paintings of one setting.

  Attributes:
    choices: what is changed in the page, such as `loss.real_label=0.95`: one
      alternative of each field of the sweep.
    seed: of the run.
    workdir: its run folder, inside that of the sweep.
    arguments: of its command line.
    config: what they say.
  """

  choices: tuple[str, ...]
  seed: int
  workdir: pathlib.Path
  arguments: tuple[str, ...]
  config: ml_collections.ConfigDict

  @property
  def setting(self) -> str:
    """All that is changed."""
    return ", ".join(self.choices) or AS_IT_STANDS


def make(
  config: ml_collections.ConfigDict, workdir: pathlib.Path
) -> tuple[Run, ...]:
  """The runs in their order: all seeds of a setting, then the next setting.

  Before the first begins, every config is checked, and whether the files and
  folders that it names exist; what these hold is checked by its task.

  Args:
    config: of the sweep.
    workdir: the run folder of the sweep.

  Raises:
    UserError: a field of the sweep or of one of its runs cannot be.
  """
  sweep = config.sweep
  checks.one_of(config, "sweep.design", DESIGNS)
  if not sweep.seeds or not all(isinstance(x, int) for x in sweep.seeds):
    raise errors.UserError(
      f"config.sweep.seeds holds integers, such as (0, 1); got {sweep.seeds!r}"
    )
  for name in ("changes", "fields", "scalars"):
    if not all(isinstance(x, str) for x in sweep[name]):
      raise errors.UserError(
        f"config.sweep.{name} holds texts, such as ('train.steps=2000',); got"
        f" {sweep[name]!r}"
      )
  found, alternatives = [], _split(sweep.page)
  for (page, *own), chosen, seed in itertools.product(
    alternatives, _settings(config), sweep.seeds
  ):
    named = [pathlib.Path(page).stem] if len(alternatives) > 1 else []
    groups = [group for group in ([*named, *own], *chosen) if group]
    choices = tuple(", ".join(group) for group in groups)
    name = ",".join([*itertools.chain(*groups), f"seed={seed}"])
    folder = workdir / "runs" / _folder(name)
    changes = (*sweep.changes, *own, *itertools.chain(*chosen))
    if any(text.partition("=")[0] == "seed" for text in changes):
      raise errors.UserError(
        "config.sweep: name seeds in config.sweep.seeds alone"
      )
    arguments = (
      f"--config={pathlib.Path(page).expanduser().absolute()}",
      *(f"--config.{text}" for text in (*changes, f"seed={seed}")),
      f"--workdir={folder}",
    )
    run_config, _ = pages.read(arguments)
    _check(run_config, page)
    found.append(Run(choices, seed, folder, arguments, run_config))
  if len({run.workdir for run in found}) < len(found):
    raise errors.UserError(
      "config.sweep: two of its runs are the same; name each page, value and"
      " seed once"
    )
  if len({run.config.task for run in found}) > 1:
    raise errors.UserError(
      f"config.sweep.page={sweep.page} trains and paints; name pages of one"
      " task"
    )
  return tuple(found)


def _folder(name: str) -> str:
  """A name that file systems take: what is too long ends with its hash."""
  found = re.sub(r"[^\w.=,+-]+", "_", name)
  if len(found.encode()) <= _LONGEST:
    return found
  digest = hashlib.sha256(name.encode()).hexdigest()[:8]
  return f"{found.encode()[: _LONGEST - 9].decode(errors='ignore')}-{digest}"


def _check(config, page):
  checks.within(config, "seed", 0)
  if config.task == "train":
    settings.check(config, registry.make(config))
  elif config.task == "paint":
    painting_settings.check(config)
    paintings.find(config)
  else:
    raise errors.UserError(
      f"config.sweep.page={page} is a page of task {config.task}; name one that"
      " trains or paints"
    )
  _check_paths(config)


def _check_paths(config):
  """Raises UserError naming the first path that does not exist."""
  for name in _PATHS[config.task]:
    section, field = name.split(".")
    values = config.get(section, {}).get(field, "")
    for value in (values,) if isinstance(values, str) else values:
      path = os.path.expanduser(value.removeprefix("folder:"))
      is_path = value not in _NO_PATHS and not value.startswith("tfds:")
      if is_path and not os.path.exists(path):
        raise errors.UserError(
          f"config.{name}={value}: there is no such file or folder"
        )


def _settings(config) -> Iterator[tuple[list[str], ...]]:
  """The alternatives of each setting, each as `FIELD=VALUE`s."""
  fields = [_values(text) for text in config.sweep.fields]
  if config.sweep.design == "grid":
    yield from itertools.product(*fields)
    return
  yield ()
  for values in fields:
    for value in values:
      yield (value,)


def _values(text: str) -> list[list[str]]:
  """`a.b=1|2&c.d=3` is [[a.b=1], [a.b=2, c.d=3]]."""
  name, equals, values = text.partition("=")
  if not (name and equals):
    raise errors.UserError(
      f"config.sweep.fields: {text!r} is not FIELD=VALUE|VALUE, such as"
      " loss.real_label=1|0.95"
    )
  return [[f"{name}={value}", *others] for value, *others in _split(values)]


def _split(text: str) -> list[list[str]]:
  """Alternatives, each with what belongs to it: `x|y&z` is [[x], [y, z]]."""
  found = [alternative.split("&") for alternative in text.split("|")]
  if not all(part for alternative in found for part in alternative):
    raise errors.UserError(
      f"config.sweep: {text!r} has an empty part beside a | or an &"
    )
  return found
