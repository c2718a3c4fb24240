"""The runs of a sweep: every setting of its fields, with every seed."""

import itertools
import pathlib
import re
from collections.abc import Iterator
from typing import NamedTuple

import ml_collections

from astgan import checks, errors, pages
from astgan.systems import registry
from astgan.train import settings

DESIGNS = ("grid", "each")

# The setting in which a page is as it stands.
AS_IT_STANDS = "the page"


class Run(NamedTuple):
  """One training of a sweep.

  Attributes:
    setting: what is changed in the page, such as `loss.real_label=0.95`.
    seed: of the training.
    workdir: its run folder, inside that of the sweep.
    arguments: of its command line.
    config: what they say.
  """

  setting: str
  seed: int
  workdir: pathlib.Path
  arguments: tuple[str, ...]
  config: ml_collections.ConfigDict


def make(
  config: ml_collections.ConfigDict, workdir: pathlib.Path
) -> tuple[Run, ...]:
  """The runs in their order: all seeds of a setting, then the next setting.

  Every config is checked as a training checks it, before the first begins.

  Args:
    config: of the sweep.
    workdir: the run folder of the sweep.

  Raises:
    UserError: a field of the sweep or of one of its trainings cannot be.
  """
  sweep = config.sweep
  checks.one_of(config, "sweep.design", DESIGNS)
  if not sweep.seeds or not all(isinstance(x, int) for x in sweep.seeds):
    raise errors.UserError(
      f"config.sweep.seeds holds integers, such as (0, 1); got {sweep.seeds!r}"
    )
  found, alternatives = [], _split(sweep.page)
  for (page, *own), changes, seed in itertools.product(
    alternatives, _settings(config), sweep.seeds
  ):
    changes = named = (*own, *changes)
    if len(alternatives) > 1:
      named = (pathlib.Path(page).stem, *changes)
    setting = ", ".join(named) or AS_IT_STANDS
    name = re.sub(r"[^\w.=,+-]+", "_", ",".join([*named, f"seed={seed}"]))
    folder = workdir / "runs" / name
    texts = (*sweep.changes, *changes, f"seed={seed}")
    arguments = (
      f"--config={pathlib.Path(page).expanduser().absolute()}",
      *(f"--config.{text}" for text in texts),
      f"--workdir={folder}",
    )
    training, _ = pages.read(arguments)
    if training.task != "train":
      raise errors.UserError(
        f"config.sweep.page={page} is a page of task {training.task}; name one"
        " that trains"
      )
    settings.check(training, registry.make(training))
    found.append(Run(setting, seed, folder, arguments, training))
  if len({run.workdir for run in found}) < len(found):
    raise errors.UserError(
      "config.sweep: two of its trainings are the same; name each page, value"
      " and seed once"
    )
  return tuple(found)


def _settings(config: ml_collections.ConfigDict) -> Iterator[tuple[str, ...]]:
  """What each setting changes, as `FIELD=VALUE`s."""
  fields = [_values(text) for text in config.sweep.fields]
  if config.sweep.design == "grid":
    for combination in itertools.product(*fields):
      yield tuple(itertools.chain.from_iterable(combination))
    return
  yield ()
  for values in fields:
    yield from values


def _values(text: str) -> list[tuple[str, ...]]:
  """`a.b=1|2&c.d=3` is a.b=1, and a.b=2 together with c.d=3."""
  name, equals, values = text.partition("=")
  if not (name and equals):
    raise errors.UserError(
      f"config.sweep.fields: {text!r} is not FIELD=VALUE|VALUE, such as"
      " loss.real_label=1|0.95"
    )
  if name == "seed":
    raise errors.UserError(
      "config.sweep.fields: name seeds in config.sweep.seeds instead"
    )
  return [(f"{name}={value}", *others) for value, *others in _split(values)]


def _split(text: str) -> list[list[str]]:
  """Alternatives, each with what belongs to it: `x|y&z` is [[x], [y, z]]."""
  found = [alternative.split("&") for alternative in text.split("|")]
  if not all(part for alternative in found for part in alternative):
    raise errors.UserError(
      f"config.sweep: {text!r} has an empty part beside a | or an &"
    )
  return found
