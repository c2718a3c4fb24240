"""What a finished training gives away, to every task that asks for it."""

import pathlib
from typing import NamedTuple

import ml_collections

from astgan import checkpoints, checks, errors, history, runs, writer
from astgan.systems import (
  generators,
  interface,
  painters,
  registry,
  states,
  upscalers,
)

# What systems read of a config to sample, beside the sections that are theirs.
_READ = ("seed", "data.size", "train.ema_decay", "train.ema_half_life")


class Trained(NamedTuple):
  """What a training run saved.

  Attributes:
    step: completed generator updates.
    sampler: what draws images of latents, paints photographs or enlarges
      images, with the one choice of sampling variables.
    workdir: the run folder.
  """

  step: int
  sampler: interface.Sampler
  workdir: pathlib.Path

  @property
  def is_painter(self) -> bool:
    """Whether it paints photographs in one pass."""
    return interface.kind(self.sampler).endswith("painter")

  @property
  def upscaler(self) -> upscalers.Upscaler:
    """Small images to large ones.

    Raises:
      UserError: the run trained something else.
    """
    return self._one("upscaler")

  @property
  def generator(self) -> generators.Generator:
    """Latents to images.

    Raises:
      UserError: the run trained something else.
    """
    return self._one("generator")

  def painter(self, direction: str) -> painters.Painter | painters.StylePainter:
    """Paints photographs.

    Args:
      direction: that it must have.

    Raises:
      UserError: the run trained no painter, or another direction.
    """
    kind = interface.kind(self.sampler)
    if kind == "upscaler":
      raise errors.UserError(
        f"{self.workdir} trained no painter; {usage(kind, self.workdir)}"
      )
    if kind == "generator":
      raise errors.UserError(
        f"{self.workdir} trained a generator, which paints by its style batch"
        f' and in no direction; leave paint.direction={direction} empty, ""'
      )
    if direction not in self.sampler.directions:
      raise errors.UserError(
        f"paint.direction={direction}: the painter of {self.workdir} has"
        f" {' and '.join(self.sampler.directions)}"
      )
    return self.sampler

  def _one(self, wanted):
    kind = interface.kind(self.sampler)
    if kind != wanted:
      raise errors.UserError(
        f"{self.workdir} trained no {wanted}; {usage(kind, self.workdir)}"
      )
    return self.sampler


def usage(kind: str, workdir: pathlib.Path, *, step: str = "newest") -> str:
  """What to do with a training run, and the command that does it.

  Args:
    kind: of its sampler, as `interface.kind` gives it.
    workdir: the run folder.
    step: of the checkpoint, as in `load`.
  """
  if kind == "upscaler":
    return (
      "enlarge what a generator draws with: python -m astgan.main"
      " --config=configs/sample.py --config.sample.run=GENERATOR"
      f" --config.sample.upscale={workdir}"
    )
  is_told = kind == "told painter"
  page = "nst" if is_told else "best"
  command = (
    f"paint with: python -m astgan.main --config=configs/{page}.py"
    " --config.paint.content=PHOTOGRAPH"
  )
  if is_told:
    told = f"--config.paint.style=STYLE --config.paint.painter={workdir}"
    return f"{command} {told}"
  return (
    f"{command} --config.paint.style={workdir} --config.paint.style_step={step}"
  )


def load(workdir: pathlib.Path, *, step: str = "newest") -> Trained:
  """The generator or the painter of a training run.

  Args:
    workdir: the run folder; nothing in it is changed.
    step: of the checkpoint: "newest", "best" by the run's own
      `evaluate.best_metric`, or a number.

  Raises:
    UserError: the folder is no training run of this version, or holds no such
      checkpoint. The newest is the newest that is not damaged.
  """
  system, number, state = restore(workdir, step=step)
  return Trained(number, system.sampler(state), workdir)


def painter_smallest(workdir: pathlib.Path) -> int | None:
  """The shortest side that a run's painter paints, in pixels, or None.

  Nothing is restored.

  Args:
    workdir: of a training run, which may have no checkpoint yet.

  Raises:
    UserError: the folder is no training run of this version.
  """
  _, system = _read(workdir)
  return interface.ask_sampler(system, lambda x: getattr(x, "smallest", None))


def restore(
  workdir: pathlib.Path, *, step: str = "newest"
) -> tuple[interface.System, int, interface.TrainState]:
  """The system of a training run, the step of a checkpoint, and its state.

  Args:
    workdir, step: as in `load`.

  Raises:
    UserError: as `load` does.
  """
  config, system = _read(workdir, *["evaluate.best_metric"] * (step == "best"))
  number, state = states.restore(
    system, workdir, seed=config.seed, step=_find(workdir, config, step)
  )
  return system, number, state


def _read(
  workdir: pathlib.Path, *further: str
) -> tuple[ml_collections.ConfigDict, interface.System]:
  """The config of a training run and its system; fields that it must have."""
  config = runs.read_training(workdir)
  try:
    for name in (*_READ, *further):
      checks.field(config, name)
    return config, registry.make(config)
  except errors.UserError as error:
    raise errors.UserError(
      f"{workdir / 'config.json'} is not of this version of astgan: {error};"
      " use the version that wrote it, correct that file, or train in another"
      " --workdir"
    ) from error


def _find(
  workdir: pathlib.Path, config: ml_collections.ConfigDict, step: str
) -> int | None:
  """The number of a step that has a checkpoint; None is the newest."""
  steps = checkpoints.find(workdir)
  if step == "newest":
    return None
  if step == "best":
    metric = config.evaluate.best_metric
    found = history.best(writer.read(workdir), metric, steps)
    if found is None:
      raise errors.UserError(
        f"{workdir} has no best checkpoint: none was evaluated by"
        f" evaluate.best_metric={metric!r}; name step newest or one of"
        f" {', '.join(map(str, steps))}, or train with train.evaluate_every"
      )
    return found.step
  if not step.isdecimal() or int(step) not in steps:
    raise errors.UserError(
      f"{workdir} holds no checkpoint of step {step};"
      f" it has {', '.join(map(str, steps))}, newest and best"
    )
  return int(step)
